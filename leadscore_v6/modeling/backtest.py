"""Plan step 4.4: model AND calibrator refitted in every temporal fold, and whether any of it drifts (R21, R40).

Belongs here: the order of things in step 4.4. Does not belong here: how either is fitted or judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.baseline import fit_baseline
from leadscore_v6.modeling.booster import FittedModel, fit, margins
from leadscore_v6.modeling.bootstrap import interval
from leadscore_v6.modeling.calibration import Calibrator, fit_calibrator, fit_segments
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.evaluation import (
    CrossValidation,
    Evaluation,
    Gaps,
    Paired,
    ScoredLeads,
    average_precision_draws,
    average_precision_of,
    compare,
    cross_validation,
    evaluate,
    gaps,
)
from leadscore_v6.modeling.importance import Importance, Stability, evenly, mean_abs_shap, stability
from leadscore_v6.modeling.parallel import side_by_side
from leadscore_v6.modeling.reliability import Judged, Reliability, judge
from leadscore_v6.modeling.settings import EvaluationSettings, ModelSettings
from leadscore_v6.modeling.splits import Block, Rows, folds, require_positives, tail
from leadscore_v6.modeling.training import score

Floats = NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class BacktestFold:
    """One fold over all matured leads: model on the start of `block.train`, calibrator on its end, both on test.

    `scored.score` are calibrated log-odds. `gaps` holds what the fold's own validation showed against its test block.
    """

    block: Block
    model: FittedModel
    calibrated_on: Rows
    calibrator: Calibrator
    scored: ScoredLeads
    evaluation: Evaluation
    reliability: Reliability
    in_sample_average_precision: float
    gaps: Gaps
    importance: tuple[Importance, ...]


@dataclass(frozen=True)
class GapTrend:
    """Change of one gap from fold to fold (least squares over fold number), with its bootstrap interval.

    It grows if the lower bound is above 0 (R40).
    """

    gap: str
    per_fold: Estimate


@dataclass(frozen=True)
class Backtest:
    """Outcome of step 4.4.

    `gaps` compares the mean of the earlier folds with the last one, as R17 compares the folds with the holdout.
    `pooled` judges the test blocks of all folds as one, `logit_minus_model` compares on them.
    """

    folds: tuple[BacktestFold, ...]
    cross_validation: CrossValidation
    gaps: Gaps
    trends: tuple[GapTrend, ...]
    stability: Stability
    logit_minus_model: Paired
    pooled: Evaluation

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 4.4 read; None is not judgeable.

        train_test_gap, cv_coefficient (re-confirmed); in_sample_gap, gap_points, cv_noise; overfitting_indicators (how
        many gaps grow, plus one if the logit is better); importance_spearman, importance_jaccard;
        mqls_per_100_dials_assuming_one_dial_per_lead, random_mqls_per_100_dials_assuming_one_dial_per_lead.
        """
        pooled = self.pooled
        return {
            "train_test_gap": self.gaps.oof_to_holdout,
            "cv_coefficient": self.cross_validation.coefficient,
            "cv_noise": self.cross_validation.noise,
            "cv_average_precision": self.cross_validation.mean,
            "in_sample_gap": self.gaps.in_sample_relative,
            "gap_points": self.gaps.absolute_points,
            "overfitting_indicators": self.overfitting_indicators,
            "logit_minus_model_low": self.logit_minus_model.difference.low,
            "importance_spearman": self.stability.spearman,
            "importance_jaccard": self.stability.jaccard_at_10,
            "mqls_per_100_dials_assuming_one_dial_per_lead": pooled.mqls_per_100_dials_assuming_one_dial_per_lead.value,
            "random_mqls_per_100_dials_assuming_one_dial_per_lead": (
                pooled.random_mqls_per_100_dials_assuming_one_dial_per_lead
            ),
        }

    @property
    def overfitting_indicators(self) -> int | None:
        """How many of R40's indicators are there: gaps that grow, and a better logit. None: one is not judgeable."""
        lows = [*(trend.per_fold.low for trend in self.trends), self.logit_minus_model.difference.low]
        if any(low is None for low in lows):
            return None
        return sum(low is not None and low > 0 for low in lows)

    def business_impact(self) -> list[dict[str, float | int | str | None]]:
        """Rows of `business_impact_metrics_v6_….csv`: one per fold, and one over all."""
        named = {f"fold {number}": fold.evaluation for number, fold in enumerate(self.folds, start=1)}
        return [_impact(name, evaluation) for name, evaluation in (named | {"all folds": self.pooled}).items()]


def backtest(data: TrainingData, settings: ModelSettings, *, workers: int = 1, progress: Progress = print) -> Backtest:
    """Step 4.4 over all matured leads. `workers` changes the time, never a byte of the result.

    In each fold the end of its window fits the calibrator and the rest the model, in the proportions of the shipped
    model (R17). Raises InputError where a block has too few positives.
    """
    blocks = folds(data, np.arange(len(data)), settings.split)

    def whole_fold(numbered: tuple[int, Block]) -> _Fold:
        number, block = numbered
        fitted = _fit(data, block, settings)
        fold = _judged(data, block, fitted, settings, number)
        progress(
            f"fold {number}: {len(fitted.model.trained_on)} leads trained, "
            f"{len(fitted.calibrated_on)} calibrated, {len(block.test)} tested"
        )
        compared = (fitted.inside, validated(data, fold.model), fold.scored)
        gap_draws = _gap_draws(compared, settings.evaluation, settings.seed + 10 * number)
        return _Fold(fold, gap_draws)

    # The largest window first, the logits last: what is short fills the gaps at the end.
    numbered = list(enumerate(blocks, start=1))[::-1]
    tasks: list[Callable[[], Any]] = [partial(whole_fold, one) for one in numbered]
    tasks += [partial(_by_logit, data, block, settings) for _, block in numbered]
    made = side_by_side(tasks, workers)
    progress("figures over the folds, with intervals over advisors")
    return _outcome(data, made[: len(blocks)][::-1], made[len(blocks) :][::-1], settings, workers)


@dataclass(frozen=True)
class _Fold:
    """A fold, and draws (b, 3) of its gaps."""

    judged: BacktestFold
    gap_draws: Floats


@dataclass(frozen=True)
class _Fitted:
    """What one fold fits."""

    model: FittedModel
    inside: ScoredLeads
    calibrated_on: Rows
    calibrator: Calibrator


def _inner(data: TrainingData, block: Block, settings: ModelSettings) -> Block:
    """The fold's window: what trains its model, and what calibrates it."""
    share = settings.split.calibrate_share / (settings.split.train_share + settings.split.calibrate_share)
    return tail(data, block.train, share, settings.split)


def _by_logit(data: TrainingData, block: Block, settings: ModelSettings) -> ScoredLeads:
    """The fold's test block by a logit that was fitted on what its model is."""
    return score(data, block.test, fit_baseline(data, _inner(data, block, settings).train, settings))


def _fit(data: TrainingData, block: Block, settings: ModelSettings) -> _Fitted:
    inner = _inner(data, block, settings)
    require_positives(data, inner.train, settings.split.min_positives_train, "a backtest fold's training leads")
    require_positives(data, inner.test, settings.split.min_positives_test, "a backtest fold's calibration leads")
    fitted = fit(data, inner.train, settings)
    margin = fitted.model.margin(data.features.iloc[inner.test])
    if block.method == "stratified_kfold":
        # Random folds are in sample by advisor and in time: the fallback is what it is, and every report says so (R16).
        segments = data.segments[inner.test]
        calibrator = fit_segments(margin, data.label[inner.test], segments, data.segment_column, settings.calibration)
    else:
        calibrator = fit_calibrator(data, inner.test, margin, inner.train, settings.calibration)
    inside = ScoredLeads.of(data, fitted.model.trained_on, fitted.inside)
    return _Fitted(fitted.model, inside, inner.test, calibrator)


def _judged(
    data: TrainingData, block: Block, fitted: _Fitted, settings: ModelSettings, number: int
) -> BacktestFold:
    model, segments, seed = fitted.model, data.segments[block.test], settings.seed + number
    encoded = model.spec.encode(data.features.iloc[block.test]).matrix
    log_odds = fitted.calibrator.log_odds(margins(model.loaded, encoded), segments)
    scored = ScoredLeads.of(data, block.test, log_odds)
    evaluation = evaluate(scored, settings.evaluation, seed)
    in_sample = average_precision_of(fitted.inside)
    sample = evenly(np.arange(len(block.test)), settings.evaluation.shap_rows)
    return BacktestFold(
        block=block,
        model=model,
        calibrated_on=fitted.calibrated_on,
        calibrator=fitted.calibrator,
        scored=scored,
        evaluation=evaluation,
        reliability=judge(Judged(log_odds, scored.label, scored.advisors), settings.evaluation, seed),
        in_sample_average_precision=in_sample,
        gaps=gaps(in_sample, average_precision_of(validated(data, model)), evaluation.average_precision.value),
        importance=mean_abs_shap(model.spec.names, model.contributions(encoded[sample])),
    )


def _outcome(
    data: TrainingData,
    folded: Sequence[_Fold],
    by_logit: Sequence[ScoredLeads],
    settings: ModelSettings,
    workers: int,
) -> Backtest:
    of, seed = settings.evaluation, settings.seed
    judged = [fold.judged for fold in folded]
    last = judged[-1]
    earlier = float(np.mean([fold.evaluation.average_precision.value for fold in judged[:-1]]))
    # Folds are calibrated apart, but each to probabilities of one kind: their log-odds can be ranked together.
    pooled = _pool(data, [fold.scored for fold in judged])
    logit = _pool(data, by_logit)
    tasks: list[Callable[[], Any]] = [
        partial(cross_validation, [fold.scored for fold in judged], of, seed),
        partial(compare, logit, pooled.score, of, seed),
        partial(evaluate, pooled, of, seed),
    ]
    crossed, compared, over_all = side_by_side(tasks, workers)
    return Backtest(
        folds=tuple(judged),
        cross_validation=crossed,
        gaps=gaps(last.in_sample_average_precision, earlier, last.evaluation.average_precision.value),
        trends=trends(judged, [fold.gap_draws for fold in folded], of),
        stability=stability([fold.importance for fold in judged]),
        logit_minus_model=compared,
        pooled=over_all,
    )


def _pool(data: TrainingData, blocks: Sequence[ScoredLeads]) -> ScoredLeads:
    rows = np.concatenate([block.rows for block in blocks])
    return ScoredLeads.of(data, rows, np.concatenate([block.score for block in blocks]))


def trends(
    judged: Sequence[BacktestFold], gap_draws: Sequence[Floats], settings: EvaluationSettings
) -> tuple[GapTrend, ...]:
    """How each of R17's gaps moves from fold to fold: least squares over the fold's number.

    The interval is by bootstrap over the advisors of the three blocks that a gap compares, and holds for the three gaps
    at once (Bonferroni): three looks at one question would else cry wolf three times as often.
    """
    step = np.arange(len(judged)) - (len(judged) - 1) / 2
    step = step / (step**2).sum()
    sure = all(int(fold.scored.label.sum()) >= settings.min_positives_interval for fold in judged)
    found = []
    for place, gap in enumerate(_GAPS):
        point = float(sum(at * getattr(fold.gaps, gap) for at, fold in zip(step, judged, strict=True)))
        slopes = np.sum([at * draws[:, place] for at, draws in zip(step, gap_draws, strict=True)], axis=0)
        low, high = interval(slopes, level=1 - 0.05 / len(_GAPS))
        found.append(GapTrend(gap, Estimate(point, low, high) if sure else Estimate(point)))
    return tuple(found)


def _gap_draws(blocks: tuple[ScoredLeads, ScoredLeads, ScoredLeads], settings: EvaluationSettings, seed: int) -> Floats:
    """(draws, 3) a fold's gaps in resamples of its training, validation and test leads."""
    inside, before, tested = (
        average_precision_draws(block, settings, seed + number) for number, block in enumerate(blocks)
    )
    return np.column_stack(
        [
            (inside - tested) / inside,
            np.maximum(0.0, (before - tested) / before),
            100 * (before - tested),
        ]
    )


def validated(data: TrainingData, model: FittedModel) -> ScoredLeads:
    """The leads that chose the model's rounds, as the trial model scored them."""
    return ScoredLeads.of(data, model.validation, model.validation_margin)


_GAPS: Final = ("in_sample_relative", "oof_to_holdout", "absolute_points")


def _impact(name: str, evaluation: Evaluation) -> dict[str, float | int | str | None]:
    mqls = evaluation.mqls_per_100_dials_assuming_one_dial_per_lead
    random = evaluation.random_mqls_per_100_dials_assuming_one_dial_per_lead
    return {
        "block": name,
        "leads": evaluation.leads,
        "positives": evaluation.positives,
        "mqls_per_100_dials_assuming_one_dial_per_lead": mqls.value,
        "mqls_per_100_dials_low": mqls.low,
        "mqls_per_100_dials_high": mqls.high,
        "random_mqls_per_100_dials_assuming_one_dial_per_lead": random,
        "times_random": mqls.value / random,
        "lift_top_decile": evaluation.lift_top_decile.value,
        "share_of_positives_in_top_two_deciles": evaluation.lift_table[1].gain,
        "share_of_positives_lost_by_skipping_lowest_two_deciles": 1 - evaluation.lift_table[7].gain,
    }
