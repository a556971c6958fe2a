"""How good are scores out of sample: figures with intervals over advisors, and figures a sales team acts on.

Belongs here: what one set of scored leads is worth, and two models on the same leads. Does not belong here: point
metrics (`metrics.py`), resampling (`bootstrap.py`), calibration (`reliability.py`), thresholds (`config/gates.yaml`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.bootstrap import interval, over_advisors
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.metrics import Ranking, auc_roc, average_precision, gain, selected_by_week
from leadscore_v6.modeling.settings import EvaluationSettings
from leadscore_v6.modeling.splits import Rows

Floats = NDArray[np.float64]


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
    """One tenth of the leads, best scores first: its leads and positives, and its rate over the prevalence (lift).

    `gain` is the share of all positives that it and those above it hold.
    """

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


def evaluate(scored: ScoredLeads, settings: EvaluationSettings, seed: int) -> Evaluation:
    """Every figure with its cluster-bootstrap interval over advisors (seeded).

    The leads that fit in a week's capacity are the same in every draw: it reweighs, it does not dial anew.
    """
    ranking = Ranking.of(scored.label, scored.score)
    dialled = selected_by_week(scored.score, scored.contact, settings.capacity_share).astype(np.float32)
    called = dialled * scored.label

    def statistic(weights: NDArray[np.float32]) -> Floats:
        curves = ranking.curves(weights)
        prevalence = curves[0][:, -1] / curves[1][:, -1]
        found = average_precision(*curves)
        precision = _weighted(weights, called) / _weighted(weights, dialled)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.column_stack(
                [found, auc_roc(*curves), found / prevalence, gain(*curves, 0.1) / 0.1, precision, 100 * precision]
            )

    figures = _estimates(scored, statistic, settings, seed)
    prevalence = float(scored.label.mean())
    return Evaluation(
        leads=len(scored.label),
        positives=int(scored.label.sum()),
        prevalence=prevalence,
        average_precision=figures[0],
        auc_roc=figures[1],
        ap_over_prevalence=figures[2],
        lift_top_decile=figures[3],
        precision_at_capacity=figures[4],
        mqls_per_100_dials_assuming_one_dial_per_lead=figures[5],
        random_mqls_per_100_dials_assuming_one_dial_per_lead=100 * prevalence,
        lift_table=lift_table(ranking),
    )


def compare(scored: ScoredLeads, other: Floats, settings: EvaluationSettings, seed: int) -> Paired:
    """The scores against `other` scores of the same leads: one resample of advisors for both in each draw."""
    first, second = Ranking.of(scored.label, scored.score), Ranking.of(scored.label, other)

    def statistic(weights: NDArray[np.float32]) -> Floats:
        found = average_precision(*first.curves(weights)) - average_precision(*second.curves(weights))
        return found[:, None]

    return Paired(_estimates(scored, statistic, settings, seed)[0])


def average_precision_of(scored: ScoredLeads) -> float:
    """The point value alone."""
    weights = np.ones((1, len(scored.label)), dtype=np.float32)
    return float(average_precision(*Ranking.of(scored.label, scored.score).curves(weights))[0])


def average_precision_draws(scored: ScoredLeads, settings: EvaluationSettings, seed: int) -> Floats:
    """(draws,) average precision of each resample of advisors: what trends over folds are made of."""
    ranking = Ranking.of(scored.label, scored.score)
    found = over_advisors(
        scored.advisors,
        lambda weights: average_precision(*ranking.curves(weights))[:, None],
        settings.bootstrap_draws,
        seed,
    )
    drawn: Floats = found[:, 0]
    return drawn


def _weighted(weights: NDArray[np.float32], values: NDArray[np.float32]) -> Floats:
    """(b,) weighted sums, in float64 and in one order: BLAS would add up in another one on other cores."""
    summed: Floats = np.einsum("bk,k->b", weights, values, dtype=np.float64)
    return summed


def lift_table(ranking: Ranking) -> tuple[LiftRow, ...]:
    """Ten rows of leads by falling score; leads of equal scores stay in the order in which they came."""
    total = float(ranking.label.sum())
    parts = np.array_split(ranking.label, 10)
    so_far = np.cumsum([part.sum() for part in parts])
    return tuple(
        LiftRow(
            decile=number,
            leads=len(part),
            positives=int(part.sum()),
            lift=float(part.sum()) / max(len(part), 1) / (total / len(ranking.label)),
            gain=float(gained) / total,
        )
        for number, (part, gained) in enumerate(zip(parts, so_far, strict=True), start=1)
    )


def precision_recall(scored: ScoredLeads) -> tuple[Floats, Floats]:
    """Recall and precision at every score where either can turn, best first: the curve of the report's plot."""
    weights = np.ones((1, len(scored.label)), dtype=np.float32)
    hits, leads = Ranking.of(scored.label, scored.score).curves(weights)
    return hits[0] / hits[0, -1], hits[0] / leads[0]


def _estimates(
    scored: ScoredLeads, statistic: Callable[[NDArray[np.float32]], Floats], settings: EvaluationSettings, seed: int
) -> list[Estimate]:
    point = statistic(np.ones((1, len(scored.label)), dtype=np.float32))[0]
    if int(scored.label.sum()) < settings.min_positives_interval:
        return [Estimate(float(value)) for value in point]
    drawn = over_advisors(scored.advisors, statistic, settings.bootstrap_draws, seed)
    return [Estimate(float(value), *interval(drawn[:, place])) for place, value in enumerate(point)]


def cross_validation(blocks: Sequence[ScoredLeads], settings: EvaluationSettings, seed: int) -> CrossValidation:
    """Average precision over the folds' test blocks.

    `noise` is the coefficient that equally good folds would show: root of the mean bootstrap variance, over the mean.
    """
    values = np.array([average_precision_of(block) for block in blocks])
    drawn = [average_precision_draws(block, settings, seed + number) for number, block in enumerate(blocks)]
    mean = float(values.mean())
    judgeable = [int(block.label.sum()) >= settings.min_positives_interval for block in blocks]
    estimates = [
        Estimate(float(value), *interval(draws)) if sure else Estimate(float(value))
        for value, draws, sure in zip(values, drawn, judgeable, strict=True)
    ]
    noise = float(np.sqrt(np.mean([np.nanvar(draws) for draws in drawn])))
    return CrossValidation(tuple(estimates), mean, float(values.std()) / mean, noise / mean)


def gaps(in_sample: float, mean_fold: float, holdout: float) -> Gaps:
    """R17's three from average precision in sample, over folds, and on the holdout."""
    return Gaps(
        in_sample_relative=(in_sample - holdout) / in_sample,
        oof_to_holdout=max(0.0, (mean_fold - holdout) / mean_fold),
        absolute_points=100 * (mean_fold - holdout),
    )
