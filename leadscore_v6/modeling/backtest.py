"""Plan step 4.4: model AND calibrator refitted in every temporal fold, and whether any of it drifts (R21, R40).

Belongs here: the order of things in step 4.4. Does not belong here: how either is fitted or judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadscore_v6.modeling.booster import FittedModel
from leadscore_v6.modeling.calibration import Calibrator
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.evaluation import CrossValidation, Estimate, Evaluation, Gaps, Paired, ScoredLeads
from leadscore_v6.modeling.importance import Importance, Stability
from leadscore_v6.modeling.reliability import Reliability
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Block

Progress = Callable[[str], None]


@dataclass(frozen=True)
class BacktestFold:
    """One fold over all matured leads: model on the start of `block.train`, calibrator on its end, both on test."""

    block: Block
    model: FittedModel
    calibrator: Calibrator
    scored: ScoredLeads
    evaluation: Evaluation
    reliability: Reliability
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
    """Outcome of step 4.4. `logit_minus_model` compares the pooled test blocks."""

    folds: tuple[BacktestFold, ...]
    cross_validation: CrossValidation
    gaps: Gaps
    trends: tuple[GapTrend, ...]
    stability: Stability
    logit_minus_model: Paired

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 4.4 read; None is not judgeable.

        train_test_gap, cv_coefficient (re-confirmed); in_sample_gap, gap_points, cv_noise; overfitting_indicators (how
        many gaps grow, plus one if the logit is better); importance_spearman, importance_jaccard;
        mqls_per_100_dials_assuming_one_dial_per_lead, random_mqls_per_100_dials_assuming_one_dial_per_lead.
        """
        raise NotImplementedError

    def business_impact(self) -> list[dict[str, float | int | str]]:
        """Rows of `business_impact_metrics_v6_….csv`: one per fold, and one over all."""
        raise NotImplementedError


def backtest(data: TrainingData, settings: ModelSettings, *, workers: int = 1, progress: Progress = print) -> Backtest:
    """Step 4.4 over all matured leads. `workers` changes the time, never a byte of the result."""
    raise NotImplementedError
