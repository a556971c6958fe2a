"""Is the model still as good as it was: matured leads with intervals, young ones as an estimate beside (plan 6.1).

Belongs here: ranking and calibration of leads whose labels are known, and what the scores themselves promise (CBPE) of
any leads. Does not belong here: the measures (modeling/), two models on the same leads (`champion.py`).

What the scores promise: a lead of probability p is taken for p of a positive and 1 − p of a negative (confidence-based
performance estimation). On young leads it is all there is, and never a gate: under concept drift it showed AUC .79
where the truth was .64. On matured leads it is what the realised AUC is held against, because both are of the same
leads: a team that dials the best scores only moves both alike, concept drift moves the realised one alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.bootstrap import interval, over_advisors
from leadscore_v6.modeling.evaluation import lift_table
from leadscore_v6.modeling.metrics import Ranking, auc_roc, average_precision
from leadscore_v6.modeling.reliability import Judged, Reliability, judge
from leadscore_v6.modeling.settings import EvaluationSettings
from leadscore_v6.monitoring.settings import PerformanceSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """k leads as they were scored before their contact: probability (k,) strictly within 0 and 1, advisors (k,) codes.

    With dials known, only leads that were dialled: a lead that nobody called cannot convert, and says nothing (R50).
    """

    probability: Floats
    advisors: NDArray[np.int64]

    def __post_init__(self) -> None:
        if len(self.probability) and not ((self.probability > 0) & (self.probability < 1)).all():
            raise InputError("A probability is not strictly between 0 and 1.", column="probability")


@dataclass(frozen=True)
class Expected:
    """What the scores promise of k leads (CBPE): positives, AUC-PR, AUC-ROC. A promise, not a measurement."""

    leads: int
    positives: float
    average_precision: float
    auc_roc: float


@dataclass(frozen=True)
class Matured:
    """What came of leads whose labels are known.

    expected is what the scores promised of the same leads; auc_drop is expected AUC-ROC − realised, above 0 is worse;
    lift is the rate of the best-scored tenth over that of all.
    """

    leads: int
    positives: int
    average_precision: Estimate
    auc_roc: Estimate
    auc_drop: Estimate
    lift: float
    reliability: Reliability
    expected: Expected


@dataclass(frozen=True)
class Performance:
    """Matured leads, if they have positives enough to say anything; and beside them the young ones, as an estimate."""

    matured_leads: int
    matured_positives: int
    matured: Matured | None
    young: Expected | None
    worst_drop: float

    def figures(self) -> dict[str, float | int | None]:
        """What gates and alerts read, of matured leads only; None is not judgeable.

        average_precision, average_precision_low, auc_roc, auc_roc_low, auc_expected, auc_drop, auc_drop_low,
        performance_dropped (1: AUC is below what the scores promise by more than `auc_drop`, and beyond its interval),
        lift, ece, expected_observed, expected_observed_low, expected_observed_high, matured_leads, matured_positives.
        """
        found: dict[str, float | int | None] = dict.fromkeys(_OF_MATURED)
        if self.matured is not None:
            one, ratio = self.matured, self.matured.reliability.expected_observed
            found |= {
                "average_precision": one.average_precision.value,
                "average_precision_low": one.average_precision.low,
                "auc_roc": one.auc_roc.value,
                "auc_roc_low": one.auc_roc.low,
                "auc_expected": one.expected.auc_roc,
                "auc_drop": one.auc_drop.value,
                "auc_drop_low": one.auc_drop.low,
                "performance_dropped": None if self.dropped is None else int(self.dropped),
                "lift": one.lift,
                "ece": one.reliability.ece,
                "expected_observed": ratio.value,
                "expected_observed_low": ratio.low,
                "expected_observed_high": ratio.high,
            }
        return found | {"matured_leads": self.matured_leads, "matured_positives": self.matured_positives}

    @property
    def dropped(self) -> bool | None:
        """Whether the model ranks worse than its scores promise; None: too few positives to tell."""
        if self.matured is None or self.matured.auc_drop.low is None:
            return None
        return self.matured.auc_drop.value > self.worst_drop and self.matured.auc_drop.low > 0


def performance(
    matured: Scored, label: NDArray[np.int8], young: Scored, settings: PerformanceSettings, seed: int
) -> Performance:
    """Judge `matured` leads by their labels (k,), and say what the scores promise of `young` ones.

    Intervals are by bootstrap over advisors (seeded). Below `min_positives` of either class nothing is said of matured
    leads, below `min_positives_interval` there are no intervals.
    """
    positives = int(label.sum())
    enough = min(positives, len(label) - positives) >= settings.min_positives
    return Performance(
        matured_leads=len(label),
        matured_positives=positives,
        matured=_matured(matured, label, settings, seed) if enough else None,
        young=expected(young) if len(young.probability) > 1 else None,
        worst_drop=settings.auc_drop,
    )


def expected(leads: Scored) -> Expected:
    """What the scores promise (CBPE), of two leads or more."""
    ones = np.ones((1, len(leads.probability)), dtype=np.float32)
    found = _promised(_by_score(leads.probability), leads.probability, ones)[0]
    return Expected(len(leads.probability), float(leads.probability.sum()), float(found[0]), float(found[1]))


def _matured(leads: Scored, label: NDArray[np.int8], settings: PerformanceSettings, seed: int) -> Matured:
    ranking = Ranking.of(label, leads.probability)

    def statistic(weights: NDArray[np.float32]) -> Floats:
        curves = ranking.curves(weights)
        realised = auc_roc(*curves)
        promised = _promised(ranking, leads.probability, weights)[:, 1]
        return np.column_stack([average_precision(*curves), realised, promised - realised])

    point = statistic(np.ones((1, len(label)), dtype=np.float32))[0]
    figures = [Estimate(float(value)) for value in point]
    if min(int(label.sum()), int(len(label) - label.sum())) >= settings.min_positives_interval:
        drawn = over_advisors(leads.advisors, statistic, settings.bootstrap_draws, seed)
        figures = [Estimate(float(value), *interval(drawn[:, place])) for place, value in enumerate(point)]
    log_odds = np.log(leads.probability) - np.log1p(-leads.probability)
    return Matured(
        leads=len(label),
        positives=int(label.sum()),
        average_precision=figures[0],
        auc_roc=figures[1],
        auc_drop=figures[2],
        lift=lift_table(ranking)[0].lift,
        reliability=judge(Judged(log_odds, label, leads.advisors), _evaluation(settings), seed),
        expected=expected(leads),
    )


def _by_score(probability: Floats) -> Ranking:
    return Ranking.of(np.zeros(len(probability), dtype=np.int8), probability)


def _promised(ranking: Ranking, probability: Floats, weights: NDArray[np.float32]) -> Floats:
    """(b, 2) average precision and AUC-ROC if each lead were p of a positive, by weights (b, k)."""
    sorted_weights = weights[:, ranking.order].astype(np.float64)
    leads = np.cumsum(sorted_weights, axis=1)[:, ranking.ends]
    positives = np.cumsum(sorted_weights * probability[ranking.order], axis=1)[:, ranking.ends]
    return np.column_stack([average_precision(positives, leads), auc_roc(positives, leads)])


def _evaluation(settings: PerformanceSettings) -> EvaluationSettings:
    """What modeling's judge of calibration reads; it simulates no null here, and knows no capacity."""
    return EvaluationSettings(
        bootstrap_draws=settings.bootstrap_draws,
        null_draws=0,
        min_positives_interval=settings.min_positives_interval,
        ece_bins=settings.ece_bins,
        capacity_share=1.0,
        shap_rows=0,
    )


_OF_MATURED = (
    "average_precision", "average_precision_low", "auc_roc", "auc_roc_low", "auc_expected", "auc_drop", "auc_drop_low",
    "performance_dropped", "lift", "ece", "expected_observed", "expected_observed_low", "expected_observed_high",
)  # fmt: skip
