"""Plan step 4.1: folds in time, the model, the logistic baseline, and what each is worth on leads it never saw.

Belongs here: the order of things in step 4.1. Does not belong here: how a booster is fitted (`booster.py`), a split
made (`splits.py`), a figure computed (`evaluation.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from leadscore_v6.modeling.baseline import Baseline, fit_baseline
from leadscore_v6.modeling.booster import Fit, FittedModel, fit
from leadscore_v6.modeling.canaries import CanaryReport, sing
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.evaluation import (
    CrossValidation,
    Evaluation,
    Gaps,
    Paired,
    ScoredLeads,
    average_precision_of,
    compare,
    cross_validation,
    evaluate,
    gaps,
)
from leadscore_v6.modeling.importance import Importance, evenly
from leadscore_v6.modeling.parallel import side_by_side
from leadscore_v6.modeling.selection import SelectionRow, selection_table
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Block, FinalSplit, Rows, final_split, folds

_MODEL: Final = "the model"
_WITH: Final = "with the holdout's advisors"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class FoldResult:
    """One fold: model and baseline fitted on `block.train`, scored on `block.test`."""

    block: Block
    model: FittedModel
    scored: ScoredLeads
    baseline: ScoredLeads


@dataclass(frozen=True)
class Training:
    """Outcome of step 4.1. Evaluations rank by margin; probabilities come with step 4.3.

    `holdout_without_exclusion` is the average precision on the holdout of a model that also learned from the holdout's
    advisors: what R16 keeps out. `unseen` counts the holdout's leads per feature whose level training did not know.
    """

    split: FinalSplit
    folds: tuple[FoldResult, ...]
    cross_validation: CrossValidation
    model: FittedModel
    baseline: Baseline
    holdout: Evaluation
    holdout_scored: ScoredLeads
    baseline_holdout: Evaluation
    baseline_cross_validation: CrossValidation
    in_sample_average_precision: float
    gaps: Gaps
    logit_minus_model: Paired
    holdout_without_exclusion: float
    importance: tuple[Importance, ...]
    selection: tuple[SelectionRow, ...]
    canaries: CanaryReport
    unseen: dict[str, int]

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 4.1 read; None is not judgeable.

        cv_average_precision, train_test_gap, cv_coefficient (the plan's three); cv_noise, in_sample_gap,
        gap_points, holdout_average_precision, holdout_ap_low, holdout_prevalence, ap_over_prevalence,
        ap_over_prevalence_low, logit_minus_model_low (above 0: the baseline is better), lift_top_decile,
        precision_at_capacity, leaks, canaries_missed, random_folds (how many; 0 unless the fallback is set).
        """
        return {
            "cv_average_precision": self.cross_validation.mean,
            "train_test_gap": self.gaps.oof_to_holdout,
            "cv_coefficient": self.cross_validation.coefficient,
            "cv_noise": self.cross_validation.noise,
            "in_sample_gap": self.gaps.in_sample_relative,
            "gap_points": self.gaps.absolute_points,
            "holdout_average_precision": self.holdout.average_precision.value,
            "holdout_ap_low": self.holdout.average_precision.low,
            "holdout_prevalence": self.holdout.prevalence,
            "ap_over_prevalence": self.holdout.ap_over_prevalence.value,
            "ap_over_prevalence_low": self.holdout.ap_over_prevalence.low,
            "logit_minus_model_low": self.logit_minus_model.difference.low,
            "lift_top_decile": self.holdout.lift_top_decile.value,
            "precision_at_capacity": self.holdout.precision_at_capacity.value,
            "leaks": len(self.canaries.leaks),
            "canaries_missed": self.canaries.missed,
            "random_folds": sum(fold.block.method == "stratified_kfold" for fold in self.folds),
        }


def train(data: TrainingData, settings: ModelSettings, *, workers: int = 1, progress: Progress = print) -> Training:
    """Step 4.1 on the promoted training set.

    `workers` fits run side by side, each on one thread: it changes the time, never a byte of the result. Raises
    InputError for what cannot be trained on (see `data`, `splits`, `features`).
    """
    split = final_split(data, settings.split)
    blocks = folds(data, split.train, settings.split)
    # The largest windows first: the short ones fill the gaps at the end.
    windows = {_MODEL: (split.train, split.holdout)}
    windows |= {_fold(number): (block.train, block.test) for number, block in reversed(list(enumerate(blocks)))}
    fits = {_WITH: (_with_advisors(data, split, settings), split.holdout)} | windows

    def by_model(name: str, rows: Rows, later: Rows) -> tuple[Fit, ScoredLeads]:
        found = fit(data, rows, settings)
        positive, rounds = int(data.label[rows].sum()), found.model.rounds
        progress(f"{name}: {len(rows)} leads, {positive} positive, {rounds} rounds")
        return found, score(data, later, found.model)

    def by_logit(rows: Rows, later: Rows) -> tuple[Baseline, ScoredLeads]:
        logit = fit_baseline(data, rows, settings)
        return logit, score(data, later, logit)

    def look_for_leaks() -> CanaryReport:
        progress(f"leak canaries among {len(data.columns)} features")
        return sing(data, split.train, settings.canaries, settings.seed)

    # All in one row: what is short fills the gaps that the long ones leave.
    tasks: list[Callable[[], Any]] = [partial(by_model, name, *rows) for name, rows in fits.items()]
    tasks += [look_for_leaks, *(partial(by_logit, *rows) for rows in windows.values())]
    made = side_by_side(tasks, workers)
    models = dict(zip(fits, made[: len(fits)], strict=True))
    logits = dict(zip(windows, made[len(fits) + 1 :], strict=True))
    results = tuple(
        FoldResult(block, models[name][0].model, models[name][1], logits[name][1])
        for name, block in ((_fold(number), block) for number, block in enumerate(blocks))
    )
    progress("figures of the holdout, with intervals over advisors")
    (model, scored), (logit, baseline), (_, unexcluded) = models[_MODEL], logits[_MODEL], models[_WITH]
    fitted = _Fitted(split, results, model, scored, logit, baseline, unexcluded, canaries=made[len(fits)])
    return _outcome(data, settings, fitted, workers)


def _fold(number: int) -> str:
    return f"fold {number + 1}"


def score(data: TrainingData, rows: Rows, model: FittedModel | Baseline) -> ScoredLeads:
    """The leads of `rows` by a model's margin."""
    return ScoredLeads.of(data, rows, model.margin(data.features.iloc[rows]))


def _with_advisors(data: TrainingData, split: FinalSplit, settings: ModelSettings) -> Rows:
    """The training block, purged, but with the advisors of later blocks left in (R16: reported with and without)."""
    later = data.contact[np.concatenate([split.calibrate_before, split.holdout])].min()
    known = data.dialled[split.train_before] + np.timedelta64(settings.split.gap_days, "D") < later
    kept: Rows = split.train_before[known]
    return kept


@dataclass(frozen=True)
class _Fitted:
    """What was fitted, and the holdout as each scored it; `unexcluded` is the model that knows its advisors (R16)."""

    split: FinalSplit
    folds: tuple[FoldResult, ...]
    fit: Fit
    scored: ScoredLeads
    baseline: Baseline
    baseline_scored: ScoredLeads
    unexcluded: ScoredLeads
    canaries: CanaryReport


def _outcome(data: TrainingData, settings: ModelSettings, fitted: _Fitted, workers: int) -> Training:
    judged, seed = settings.evaluation, settings.seed
    split, model, scored, baseline = fitted.split, fitted.fit.model, fitted.scored, fitted.baseline_scored
    in_sample = average_precision_of(ScoredLeads.of(data, split.train, fitted.fit.inside))
    sample = evenly(split.holdout, judged.shap_rows)
    tasks: list[Callable[[], Any]] = [
        partial(model.importance, data.features.iloc[sample]),
        partial(cross_validation, [fold.scored for fold in fitted.folds], judged, seed),
        partial(cross_validation, [fold.baseline for fold in fitted.folds], judged, seed),
        partial(evaluate, scored, judged, seed),
        partial(evaluate, baseline, judged, seed),
        partial(compare, baseline, scored.score, judged, seed),
    ]
    importance, crossed, logit_crossed, holdout, logit_holdout, compared = side_by_side(tasks, workers)
    return Training(
        split=split,
        folds=fitted.folds,
        cross_validation=crossed,
        model=model,
        baseline=fitted.baseline,
        holdout=holdout,
        holdout_scored=scored,
        baseline_holdout=logit_holdout,
        baseline_cross_validation=logit_crossed,
        in_sample_average_precision=in_sample,
        gaps=gaps(in_sample, crossed.mean, holdout.average_precision.value),
        logit_minus_model=compared,
        holdout_without_exclusion=average_precision_of(fitted.unexcluded),
        importance=importance,
        selection=selection_table(data.columns, [fold.model for fold in fitted.folds], model),
        canaries=fitted.canaries,
        unseen=model.spec.encode(data.features.iloc[split.holdout]).unseen_counts,
    )
