"""Do probabilities mean what they say: ECE and the companions that make it mean something (R20).

Belongs here: judging probabilities on leads that neither model nor calibrator saw. Does not belong here: fitting a
calibrator (`calibration.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.bootstrap import cluster_counts, interval
from leadscore_v6.modeling.calibration import Calibrator, fit_lines, newton
from leadscore_v6.modeling.parallel import side_by_side
from leadscore_v6.modeling.settings import CalibrationSettings, EvaluationSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """One of the equal-mass bins of ECE: leads, mean probability, observed rate."""

    leads: int
    expected: float
    observed: float


@dataclass(frozen=True)
class Reliability:
    """Calibration of k leads.

    ece               mean |observed − expected| over equal-mass bins, weighted by leads
    null_ece_p95      95th percentile of ECE if the probabilities were true, calibrator refitted in each draw; None per
                      segment and where not judgeable
    expected_observed sum of probabilities over positives (1 is right); slope and intercept of the logistic regression
                      of the label on the log-odds (1 and 0 are right); brier_skill = 1 − Brier / Brier of the base rate
    """

    leads: int
    positives: int
    ece: float
    null_ece_p95: float | None
    expected_observed: Estimate
    slope: Estimate
    intercept: Estimate
    brier_skill: Estimate
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Judged:
    """k leads with their calibrated log-odds, labels, and advisors: what reliability is judged on."""

    log_odds: Floats
    label: NDArray[np.int8]
    advisors: NDArray[np.int64]

    def of(self, rows: NDArray[np.bool_]) -> Judged:
        """The leads where `rows` is true."""
        return Judged(self.log_odds[rows], self.label[rows], self.advisors[rows])


def judge(leads: Judged, settings: EvaluationSettings, seed: int, null: Floats | None = None) -> Reliability:
    """Every figure of R20, with intervals by bootstrap over advisors; `null` are draws of `null_ece`."""
    from scipy.special import expit

    probability = expit(leads.log_odds)
    bins = equal_mass_bins(probability, leads.label, settings.ece_bins)
    positives = int(leads.label.sum())
    sure = min(positives, len(leads.label) - positives) >= settings.min_positives_interval
    observed, brier, slope, intercept = _estimates(leads, probability, settings, seed if sure else None)
    return Reliability(
        leads=len(leads.label),
        positives=positives,
        ece=expected_calibration_error(bins),
        null_ece_p95=float(np.percentile(null, 95)) if null is not None and sure else None,
        expected_observed=observed,
        slope=slope,
        intercept=intercept,
        brier_skill=brier,
        bins=bins,
    )


def equal_mass_bins(probability: Floats, label: NDArray[np.int8], bins: int) -> tuple[Bin, ...]:
    """Leads by rising probability, in `bins` parts whose sizes differ by one at most."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return tuple(Bin(len(part), float(probability[part].mean()), float(label[part].mean())) for part in parts)


def expected_calibration_error(bins: tuple[Bin, ...]) -> float:
    """Mean |observed − expected| over the bins, weighted by their leads."""
    leads = sum(one.leads for one in bins)
    return sum(one.leads * abs(one.observed - one.expected) for one in bins) / leads


def null_ece(
    calibrated_on: tuple[Floats, NDArray[np.object_]],
    judged_on: tuple[Floats, NDArray[np.object_]],
    calibrator: Calibrator,
    settings: tuple[CalibrationSettings, EvaluationSettings],
    seed: int,
    workers: int = 1,
) -> Floats:
    """(draws,) ECE that leads would show if `calibrator` told the truth (R20).

    `calibrated_on` and `judged_on` are margins and segments of the two blocks. Each draw deals labels to both by the
    calibrator's probabilities, fits the calibrator anew on the first, and takes its ECE on the second: without the
    refit a right model would fail one time in five. `workers` changes the time, never a byte.
    """
    from scipy.special import expit

    (margin, segments), (later_margin, later_segments) = calibrated_on, judged_on
    of_calibration, of_evaluation = settings
    rng = np.random.default_rng(seed)
    early = calibrator.probability(margin, segments)
    truth = np.concatenate([early, calibrator.probability(later_margin, later_segments)])

    def ece_of(labels: NDArray[np.int8]) -> Floats:
        first, later = labels[:, : len(early)], labels[:, len(early) :]
        log_odds = fit_lines(margin, first, segments, of_calibration).log_odds(later_margin, later_segments)
        return _each_ece(expit(log_odds), later, of_evaluation.ece_bins)

    # Dealt one after the other, whoever fits them, so many at a time as a core's cache holds.
    most = max(1, _CELLS // len(truth))
    sizes = [min(most, of_evaluation.null_draws - start) for start in range(0, of_evaluation.null_draws, most)]
    dealt = [(rng.random((draws, len(truth))) < truth).astype(np.int8) for draws in sizes]
    return np.concatenate(side_by_side([partial(ece_of, labels) for labels in dealt], workers))


def _each_ece(probability: Floats, labels: NDArray[np.int8], bins: int) -> Floats:
    """(b,) the `expected_calibration_error` of the `equal_mass_bins` of each row of two (b, k)."""
    order = np.argsort(probability, axis=1, kind="stable")
    gaps = np.take_along_axis(labels - probability, order, axis=1)
    parts = np.array_split(gaps, min(bins, gaps.shape[1]), axis=1)
    total: Floats = sum(np.abs(part.sum(axis=1)) for part in parts) / gaps.shape[1]
    return total


def _estimates(
    leads: Judged, probability: Floats, settings: EvaluationSettings, seed: int | None
) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """Expected/observed, Brier skill, slope, intercept. No seed: no intervals.

    The slope's draws are one Newton step from the fit of all leads: to the order of 1/n what a whole fit would give.
    """
    from scipy.special import expit

    line = _recalibration(leads)
    p = expit(line[0] + line[1] * leads.log_odds)
    residual, weight, x = leads.label - p, p * (1 - p), leads.log_odds
    columns = np.column_stack([
        np.ones(len(p)), leads.label, probability, (leads.label - probability) ** 2,
        residual, residual * x, weight, weight * x, weight * x * x,
    ])  # fmt: skip
    point = _figures(columns.sum(axis=0)[None, :], line)[0]
    if seed is None:
        return tuple(Estimate(float(value)) for value in point)  # type: ignore[return-value]
    _, codes = np.unique(leads.advisors, return_inverse=True)
    sums = np.column_stack([np.bincount(codes, weights=column) for column in columns.T])
    drawn = np.concatenate(
        [
            _figures(np.einsum("bc,cm->bm", counts, sums), line)
            for counts in cluster_counts(len(sums), settings.bootstrap_draws, seed)
        ]
    )
    return tuple(  # type: ignore[return-value]
        Estimate(float(value), *interval(drawn[:, place])) for place, value in enumerate(point)
    )


def _recalibration(leads: Judged) -> Floats:
    """(2,) intercept and slope of the label on the log-odds, by maximum likelihood: (0, 1) is perfect."""
    found: Floats = newton(leads.log_odds, leads.label[None, :].astype(float), start=np.array([[0.0, 1.0]]))[0]
    return found


def _figures(sums: Floats, line: Floats) -> Floats:
    """(b, 4) from (b, 9) weighted sums of the columns in `_estimates`."""
    n, positives, expected, brier, r, rx, w, wx, wxx = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = 1 - brier / (positives - positives**2 / n)
        determinant = w * wxx - wx * wx
        intercept = line[0] + (wxx * r - wx * rx) / determinant
        slope = line[1] + (w * rx - wx * r) / determinant
        return np.column_stack([expected / positives, skill, slope, intercept])


_CELLS: Final = 200_000  # numbers of a chunk of the null's draws
