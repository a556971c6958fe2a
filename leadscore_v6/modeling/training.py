"""Plan step 4.1: folds in time, the model, the logistic baseline, and what each is worth on leads it never saw.

Belongs here: the order of things in step 4.1. Does not belong here: how a booster is fitted (`booster.py`), a split
made (`splits.py`), a figure computed (`evaluation.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadscore_v6.modeling.baseline import Baseline
from leadscore_v6.modeling.booster import FittedModel
from leadscore_v6.modeling.canaries import CanaryReport
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.evaluation import CrossValidation, Evaluation, Gaps, Paired, ScoredLeads
from leadscore_v6.modeling.importance import Importance
from leadscore_v6.modeling.selection import SelectionRow
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Block, FinalSplit

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
    advisors: what R16 keeps out.
    """

    split: FinalSplit
    folds: tuple[FoldResult, ...]
    cross_validation: CrossValidation
    model: FittedModel
    baseline: Baseline
    holdout: Evaluation
    holdout_scored: ScoredLeads
    baseline_holdout: Evaluation
    in_sample_average_precision: float
    gaps: Gaps
    model_minus_baseline: Paired
    importance: tuple[Importance, ...]
    selection: tuple[SelectionRow, ...]
    canaries: CanaryReport
    unseen: dict[str, int]

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 4.1 read; None is not judgeable.

        cv_average_precision, train_test_gap, cv_coefficient (the plan's three); cv_noise, in_sample_gap,
        gap_points, holdout_average_precision, holdout_ap_low, holdout_prevalence, ap_over_prevalence,
        ap_over_prevalence_low, logit_minus_model_low (above 0: the baseline is better), lift_top_decile,
        precision_at_capacity, leaks, canaries_missed, random_folds (1 with the fallback).
        """
        raise NotImplementedError


def train(data: TrainingData, settings: ModelSettings, *, workers: int = 1, progress: Progress = print) -> Training:
    """Step 4.1 on the promoted training set.

    `workers` fits run side by side, each on one thread: it changes the time, never a byte of the result. Raises
    InputError for what cannot be trained on (see `data`, `splits`, `features`).
    """
    raise NotImplementedError
