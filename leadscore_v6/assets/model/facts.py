"""What a step has found out, as plain data: what the ledger keeps and the reports are made from.

Belongs here: picking and naming figures of modeling/'s results. Does not belong here: computing them, or wording a
report (reports/model.py). No name, no address; lead Ids and CRDs do not go in either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.backtest import Backtest, BacktestFold
from leadscore_v6.modeling.booster import FittedModel
from leadscore_v6.modeling.calibrated import Calibration, subgroups
from leadscore_v6.modeling.data import TIER, TrainingData
from leadscore_v6.modeling.evaluation import Evaluation, Gaps, ScoredLeads, precision_recall
from leadscore_v6.modeling.explain import Words
from leadscore_v6.modeling.features import NULL_THROUGHOUT
from leadscore_v6.modeling.importance import evenly
from leadscore_v6.modeling.reliability import Reliability
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Block, Rows
from leadscore_v6.modeling.training import Training

Facts = dict[str, Any]
NAMES = {"model": "XGBoost", "baseline": "logistic regression"}
AUC_PR = "AUC-PR (average precision)"
# Points of a curve, features of a table, leads of the SHAP plot: what a page can show.
_POINTS, _FEATURES, _SHAP_LEADS, _SHAP_FEATURES = 200, 30, 150, 15
# The model card's subgroups: what people will ask about first, and what the segments are made of.
SUBGROUPS = (
    "firm_rep_count_bin",
    "DateBecameRep_NumberOfYears",
    "Branch_State",
    "Has_Disclosure",
    "Is_Owner",
    "became_rep_years_is_missing",
    "num_prior_firms_is_missing",  # 1 of leads that no snapshot knows, and of them alone (R25)
)


# --- 4.1 ------------------------------------------------------------------------------------------------------------


def training_facts(data: TrainingData, training: Training, settings: ModelSettings, words: Words) -> Facts:
    """Facts of step 4.1."""
    split, holdout = training.split, training.holdout
    blocks = {"training": split.train, "calibration": split.calibrate, "holdout": split.holdout}
    pooled = np.concatenate([fold.scored.rows for fold in training.folds])
    return {
        "names": NAMES,
        "split": settings.split.fallback if settings.split.fallback != "none" else "blocks of time",
        "rounds": training.model.rounds,
        "seed": settings.seed,
        "matrix_columns": len(training.model.spec.names),
        "blocks": [{"block": name, **block_facts(data, rows)} for name, rows in blocks.items()],
        "lost_to_purge": len(split.train_before) - len(split.train),
        "holdout": block_facts(data, split.holdout),
        "cv_prevalence": float(data.label[pooled].mean()),
        "folds": [
            fold_facts(data, fold.block, estimate)
            for fold, estimate in zip(training.folds, training.cross_validation.average_precision, strict=True)
        ],
        "estimates": evaluation_estimates(holdout),
        "baseline_estimates": evaluation_estimates(training.baseline_holdout),
        "baseline_cv": training.baseline_cross_validation.mean,
        "logit_minus_model": triple(training.logit_minus_model.difference),
        "baseline_verdict": training.logit_minus_model.verdict,
        "without_exclusion": training.holdout_without_exclusion,
        "random_mqls_per_100_dials": holdout.random_mqls_per_100_dials_assuming_one_dial_per_lead,
        "capacity_share": settings.evaluation.capacity_share,
        "gaps": gap_facts(training.gaps),
        "deciles": decile_facts(holdout),
        "precision_recall": {
            "model": curve(training.holdout_scored),
            "baseline": curve(_baseline_scored(data, training)),
        },
        "parameters": parameters(settings),
        "dropped": {row.feature: row.final for row in training.selection if not row.is_selected},
        "empty": [row.feature for row in training.selection if row.final == NULL_THROUGHOUT],
        "importance": [
            {"family": words.family(one.feature), **asdict(one)} for one in training.importance[:_FEATURES]
        ],
        "selection": [
            {
                "feature": row.feature,
                "kept": row.folds_kept,
                "folds": row.folds,
                "share": row.mean_share,
                "final": row.final,
            }
            for row in training.selection
        ],
        "canaries": {
            "planted": training.canaries.planted,
            "leaks": {leak.feature: leak.why for leak in training.canaries.leaks},
            "strongest": dict(training.canaries.strongest[:10]),
        },
        "unseen_levels": training.unseen,
    }


def _baseline_scored(data: TrainingData, training: Training) -> ScoredLeads:
    rows = training.split.holdout
    return ScoredLeads.of(data, rows, training.baseline.margin(data.features.iloc[rows]))


def block_facts(data: TrainingData, rows: Rows) -> Facts:
    """Days, leads and positives of a block of time."""
    return {
        "from": str(data.contact[rows].min()),
        "to": str(data.contact[rows].max()),
        "leads": len(rows),
        "positives": int(data.label[rows].sum()),
        "prevalence": float(data.label[rows].mean()),
    }


def fold_facts(data: TrainingData, block: Block, estimate: Estimate) -> Facts:
    """One fold: what it was judged on, on how much it was trained, and what that cost."""
    judged = block_facts(data, block.test)
    return {
        **judged,
        "period": f"{judged['from']} – {judged['to']}",
        "training_leads": len(block.train),
        "purged": block.purged,
        "advisors_left_out": block.advisor_excluded,
        "auc_pr": triple(estimate),
    }


def parameters(settings: ModelSettings) -> Facts:
    """What a reader of the report wants to know of config/v6_model.yaml."""
    plain = settings.as_dict()
    return {**plain["booster"], **{f"split {name}": value for name, value in plain["split"].items()}}


# --- 4.3 ------------------------------------------------------------------------------------------------------------


def calibration_facts(
    data: TrainingData, calibration: Calibration, model: FittedModel, settings: ModelSettings, words: Words
) -> Facts:
    """Facts of step 4.3."""
    before, after = calibration.before, calibration.after
    calibrator = calibration.calibrator
    ranks = {one.feature: rank for rank, one in enumerate(calibration.importance_before, start=1)}
    base = {one.feature: one.mean_abs_shap for one in calibration.importance_before}
    return {
        "names": NAMES,
        "segment_column": calibrator.segment_column,
        "tiers_known": calibrator.segment_column == TIER,
        "slope": calibrator.overall.slope,
        "intercept": calibrator.overall.intercept,
        "holdout": block_facts(data, calibration.holdout.rows),
        "before": reliability_facts(before),
        "after": reliability_facts(after),
        "estimates": evaluation_estimates(calibration.evaluation),
        "segments": [
            {
                "segment": segment,
                **reliability_facts(found),
                "calibrator": calibrator.segments[segment].note
                if segment in calibrator.segments
                else "global: not in the calibration block",
            }
            for segment, found in calibration.by_segment.items()
        ],
        "deciles": decile_facts(calibration.evaluation),
        "shap": [
            {
                "feature": one.feature,
                "family": words.family(one.feature),
                "base": base[one.feature],
                "calibrated": one.mean_abs_shap,
                "rank_before": ranks[one.feature],
                "rank_after": rank,
            }
            for rank, one in enumerate(calibration.importance_after, start=1)
        ],
        "shap_points": shap_points(data, calibration, model),
        "subgroups": [row for column in SUBGROUPS for row in _subgroup(data, calibration, column, settings)],
        "random_mqls_per_100_dials": calibration.evaluation.random_mqls_per_100_dials_assuming_one_dial_per_lead,
    }


def reliability_facts(found: Reliability) -> Facts:
    """Calibration of some leads: figures with intervals, and the bins."""
    return {
        "leads": found.leads,
        "positives": found.positives,
        "ece": found.ece,
        "expected_observed": triple(found.expected_observed),
        "slope": triple(found.slope),
        "brier_skill": triple(found.brier_skill),
        "bins": [[one.leads, rounded(one.expected), rounded(one.observed)] for one in found.bins],
    }


def shap_points(data: TrainingData, calibration: Calibration, model: FittedModel) -> list[Facts]:
    """For the plot: contributions of the first features for some leads of the holdout, and the values' ranks in 0-1."""
    rows = evenly(calibration.holdout.rows, _SHAP_LEADS)
    matrix = model.spec.encode(data.features.iloc[rows]).matrix
    shap = model.contributions(matrix)
    names = list(model.spec.names)
    points = []
    for one in calibration.importance_before[:_SHAP_FEATURES]:
        place = names.index(one.feature)
        values = matrix[:, place].astype(float)
        known = ~np.isnan(values)
        levels = np.unique(values[known])
        ranks = np.full(len(values), np.nan)
        ranks[known] = np.searchsorted(levels, values[known]) / max(1, len(levels) - 1)
        points.append(
            {
                "feature": one.feature,
                "contributions": [rounded(value) for value in shap[:, place]],
                "values": [None if np.isnan(rank) else round(float(rank), 2) for rank in ranks],
            }
        )
    return points


def _subgroup(data: TrainingData, calibration: Calibration, column: str, settings: ModelSettings) -> list[Facts]:
    if column not in data.features.columns:
        return []
    found = subgroups(calibration, data, column, settings)
    largest = sorted(found, key=lambda name: -found[name][0].leads)[:8]
    return [
        {
            "subgroup": f"{column} = {name}",
            "leads": found[name][0].leads,
            "positives": found[name][0].positives,
            "prevalence": found[name][0].prevalence,
            "auc_pr": triple(found[name][0].average_precision),
            "auc_roc": triple(found[name][0].auc_roc),
            "expected_observed": triple(found[name][1].expected_observed),
        }
        for name in sorted(largest)
    ]


# --- 4.4 ------------------------------------------------------------------------------------------------------------


def backtest_facts(data: TrainingData, found: Backtest, settings: ModelSettings) -> Facts:
    """Facts of step 4.4."""
    return {
        "names": NAMES,
        "folds": [
            {**fold_facts(data, fold.block, estimate), **_fold_reliability(fold)}
            for fold, estimate in zip(found.folds, found.cross_validation.average_precision, strict=True)
        ],
        "gaps": gap_facts(found.gaps),
        "gaps_by_fold": [gap_facts(fold.gaps) for fold in found.folds],
        "gap_trends": {trend.gap: triple(trend.per_fold) for trend in found.trends},
        "stability": {
            "spearman": found.stability.spearman,
            "jaccard_at_10": found.stability.jaccard_at_10,
            "worst_spearman": found.stability.worst_spearman,
            "worst_jaccard_at_10": found.stability.worst_jaccard_at_10,
        },
        "importance_by_fold": _importance_by_fold(found.folds),
        "logit_minus_model": triple(found.logit_minus_model.difference),
        "baseline_verdict": found.logit_minus_model.verdict,
        "business": found.business_impact(),
        "capacity_share": settings.evaluation.capacity_share,
    }


def _fold_reliability(fold: BacktestFold) -> Facts:
    return {
        "ece": fold.reliability.ece,
        "expected_observed": triple(fold.reliability.expected_observed),
        "mqls_per_100_dials": triple(fold.evaluation.mqls_per_100_dials_assuming_one_dial_per_lead),
    }


def _importance_by_fold(folds: Sequence[BacktestFold]) -> list[list[Any]]:
    """Rank of the newest fold's first features in every fold."""
    ranks = [{one.feature: rank for rank, one in enumerate(fold.importance, start=1)} for fold in folds]
    first = [one.feature for one in folds[-1].importance[:_SHAP_FEATURES]]
    return [[feature, *(known.get(feature) for known in ranks)] for feature in first]


# --- pieces ---------------------------------------------------------------------------------------------------------


def evaluation_estimates(found: Evaluation) -> Facts:
    """Figures with their intervals, by name."""
    return {
        "auc_pr": triple(found.average_precision),
        "auc_roc": triple(found.auc_roc),
        "auc_pr_over_prevalence": triple(found.ap_over_prevalence),
        "lift_top_decile": triple(found.lift_top_decile),
        "precision_at_capacity": triple(found.precision_at_capacity),
        "mqls_per_100_dials": triple(found.mqls_per_100_dials_assuming_one_dial_per_lead),
    }


def decile_facts(found: Evaluation) -> list[Facts]:
    """Rows of the lift table."""
    return [
        {
            "decile": row.decile,
            "leads": row.leads,
            "positives": row.positives,
            "rate": row.positives / row.leads,
            "lift": row.lift,
            "gain": row.gain,
        }
        for row in found.lift_table
    ]


def gap_facts(found: Gaps) -> Mapping[str, float]:
    """R17's three."""
    return {
        "in_sample": found.in_sample_relative,
        "oof_to_holdout": found.oof_to_holdout,
        "points": found.absolute_points,
    }


def curve(scored: ScoredLeads) -> list[list[float]]:
    """Recall and precision where recall grows, thinned to what a plot can show."""
    recall, precision = precision_recall(scored)
    places = evenly(np.flatnonzero(np.diff(recall, prepend=0.0) > 0), _POINTS)
    return [[rounded(recall[at]), rounded(precision[at])] for at in places]


def triple(found: Estimate) -> list[float | None]:
    """Value and interval; None where it is not judgeable."""
    return [found.value, found.low, found.high]


def rounded(value: float) -> float:
    """Five digits behind the point: what a plot shows."""
    return round(float(value), 5)
