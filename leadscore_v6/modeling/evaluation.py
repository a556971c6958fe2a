"""How good are scores out of sample: figures with intervals over advisors, and figures a sales team acts on.

Belongs here: what one set of scored leads is worth, and two models on the same leads. Does not belong here: point
metrics (`metrics.py`), resampling (`bootstrap.py`), calibration (`reliability.py`), thresholds (`config/gates.yaml`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.settings import EvaluationSettings
from leadscore_v6.modeling.splits import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    `low` and `high` are None where it is not judgeable: too few positives for an interval to mean anything.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ScoredLeads:
    """k leads with the scores of one model that never saw them: rows of a `TrainingData`, their labels and scores.

    `score` is any number that ranks (a margin or a probability).
    """

    rows: Rows
    label: NDArray[np.int8]
    score: Floats
    advisors: NDArray[np.int64]
    contact: NDArray[np.datetime64]

    @classmethod
    def of(cls, data: TrainingData, rows: Rows, score: Floats) -> ScoredLeads:
        """The leads of `rows` with their scores, in the same order."""
        return cls(rows, data.label[rows], score, data.advisors[rows], data.contact[rows])


@dataclass(frozen=True)
class LiftRow:
    """One tenth of the leads, best scores first: its leads and positives, its rate over the prevalence, and the share
    of all positives that it and those above it hold (gain)."""

    decile: int
    leads: int
    positives: int
    lift: float
    gain: float


@dataclass(frozen=True)
class Evaluation:
    """What scored leads are worth. `average_precision` is what the plan calls AUC-PR.

    `precision_at_capacity`: share of positives among the leads that fit in each week's capacity. `mqls_per_100_dials`
    is the same per 100, and assumes one dial per lead (R50).
    """

    leads: int
    positives: int
    prevalence: float
    average_precision: Estimate
    auc_roc: Estimate
    ap_over_prevalence: Estimate
    lift_top_decile: Estimate
    precision_at_capacity: Estimate
    mqls_per_100_dials_assuming_one_dial_per_lead: Estimate
    random_mqls_per_100_dials_assuming_one_dial_per_lead: float
    lift_table: tuple[LiftRow, ...]


@dataclass(frozen=True)
class Paired:
    """Average precision of a model minus that of another one on the same leads, with the paired interval."""

    difference: Estimate

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `equal` (the interval holds 0) or `not judgeable`."""
        if self.difference.low is None or self.difference.high is None:
            return "not judgeable"
        if self.difference.low > 0:
            return "better"
        return "worse" if self.difference.high < 0 else "equal"


def evaluate(scored: ScoredLeads, settings: EvaluationSettings, seed: int) -> Evaluation:
    """Every figure with its cluster-bootstrap interval over advisors (seeded)."""
    raise NotImplementedError


def compare(scored: ScoredLeads, other: Floats, settings: EvaluationSettings, seed: int) -> Paired:
    """The scores against `other` scores of the same leads: one resample of advisors for both in each draw."""
    raise NotImplementedError


@dataclass(frozen=True)
class CrossValidation:
    """Average precision over folds (R17): `coefficient` is population std / mean, `noise` what sampling alone gives."""

    average_precision: tuple[Estimate, ...]
    mean: float
    coefficient: float
    noise: float


@dataclass(frozen=True)
class Gaps:
    """R17's three gaps between what a model showed before and what it shows on later leads.

    in_sample_relative   (training − holdout) / training
    oof_to_holdout       (mean fold − holdout) / mean fold, 0 where the holdout is better: what the gate reads
    absolute_points      mean fold − holdout, in hundredths of average precision
    """

    in_sample_relative: float
    oof_to_holdout: float
    absolute_points: float
