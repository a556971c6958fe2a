"""Platt scaling of margins: one calibrator for all, and one per segment shrunk toward it (R19).

Belongs here: fitting and applying calibrators; refusing to fit one in sample. Does not belong here: judging
probabilities (`reliability.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.settings import CalibrationSettings
from leadscore_v6.modeling.splits import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Platt:
    """log-odds = slope × margin + intercept."""

    slope: float
    intercept: float


@dataclass(frozen=True)
class SegmentFit:
    """A segment's calibrator: its own, shrunk, or (with too few positives) the global one; `note` says which."""

    platt: Platt
    leads: int
    positives: int
    is_global: bool
    note: str


@dataclass(frozen=True)
class Calibrator:
    """The global calibrator and those of the segments; a segment that it does not know takes the global one."""

    overall: Platt
    segments: dict[str, SegmentFit]
    segment_column: str

    def platt(self, segment: str) -> Platt:
        """The calibrator of one segment."""
        fitted = self.segments.get(segment)
        return self.overall if fitted is None else fitted.platt

    def log_odds(self, margin: Floats, segments: NDArray[np.object_]) -> Floats:
        """(n,) calibrated log-odds."""
        slope, intercept = self.lines(segments)
        return slope * margin + intercept

    def probability(self, margin: Floats, segments: NDArray[np.object_]) -> Floats:
        """(n,) probabilities of a call within the label window."""
        from scipy.special import expit

        found: Floats = expit(self.log_odds(margin, segments))
        return found

    def lines(self, segments: NDArray[np.object_]) -> tuple[Floats, Floats]:
        """(n,) slope and (n,) intercept of each lead's calibrator."""
        place, known = pd.factorize(segments)
        platts = [self.platt(segment) for segment in known]
        slope = np.array([platt.slope for platt in platts])[place]
        return slope, np.array([platt.intercept for platt in platts])[place]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Calibrator:
        """The inverse of `as_dict`."""
        segments = {
            name: SegmentFit(**(entry | {"platt": Platt(**entry["platt"])}))
            for name, entry in content["segments"].items()
        }
        return cls(Platt(**content["overall"]), segments, content["segment_column"])


def fit_calibrator(
    data: TrainingData, rows: Rows, margin: Floats, trained_on: Rows, settings: CalibrationSettings
) -> Calibrator:
    """Calibrators on the leads of `rows`, whose margins come from a model trained on the leads `trained_on`.

    Raises InputError if a lead or an advisor of `rows` was trained on, or a training lead is not earlier than all of
    `rows`: in sample, a calibrator passes ECE with half the right slope (R19).
    """
    refuse_in_sample(data, rows, trained_on)
    return fit_segments(margin, data.label[rows], data.segments[rows], data.segment_column, settings)


def refuse_in_sample(data: TrainingData, rows: Rows, trained_on: Rows) -> None:
    """Raise InputError unless `rows` are leads of other advisors, later than all that was trained on."""
    shared = int(np.isin(rows, trained_on).sum())
    if shared:
        raise InputError(
            f"{shared} of {len(rows)} leads to calibrate or judge on were trained on: that is in sample.",
            remedy="use a block of leads that is later than the training leads (R19)",
        )
    advisors = int(np.isin(data.advisors[rows], data.advisors[trained_on]).sum())
    if advisors:
        raise InputError(
            f"{advisors} of {len(rows)} leads to calibrate or judge on are of advisors who were trained on.",
            remedy="leave the advisors of the later block out of training (R16)",
        )
    if data.contact[rows].min() <= data.contact[trained_on].max():
        raise InputError(
            "Leads to calibrate or judge on are not later than all training leads.",
            column="contact_date",
            remedy="split in time: train, then calibrate, then holdout (R17)",
        )


def fit_segments(
    margin: Floats,
    label: NDArray[np.int8],
    segments: NDArray[np.object_],
    segment_column: str,
    settings: CalibrationSettings,
) -> Calibrator:
    """The global calibrator, and each segment's, shrunk toward it. Judges nothing: see `fit_calibrator`."""
    overall = fit_platt(margin, label)
    fitted = {}
    place, known = pd.factorize(segments, sort=True)
    for number, segment in enumerate(known):
        inside = place == number
        leads, positives = int(inside.sum()), int(label[inside].sum())
        few = positives < settings.min_positives_segment
        fitted[segment] = SegmentFit(
            platt=overall if few else fit_shrunk(margin[inside], label[inside], overall, settings),
            leads=leads,
            positives=positives,
            is_global=few,
            note=f"global: {positives} positives, below {settings.min_positives_segment}" if few else "its own, shrunk",
        )
    return Calibrator(overall, fitted, segment_column)


def fit_platt(margin: Floats, label: NDArray[np.int8]) -> Platt:
    """Logistic regression of the label on the margin, with Platt's smoothed targets (Platt 1999, section 2.2).

    What scikit-learn's `CalibratedClassifierCV(method="sigmoid")` fits when it is given the margin.
    """
    positives = float(label.sum())
    negatives = len(label) - positives
    target = np.where(label == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    rate = (positives + 1) / (len(label) + 2)
    start = np.array([np.log(rate / (1 - rate)), 0.0])
    centre, spread = float(margin.mean()), float(margin.std()) or 1.0
    intercept, slope = newton((margin - centre) / spread, target, start=start)
    return Platt(float(slope / spread), float(intercept - slope * centre / spread))


def fit_shrunk(margin: Floats, label: NDArray[np.int8], overall: Platt, settings: CalibrationSettings) -> Platt:
    """A segment's calibrator with a Gaussian prior toward `overall`, on the level and the relative slope (statistics).

    The level is that at the segment's own mean: there it hardly depends on the slope, so each prior is of one thing.
    """
    log_odds = overall.slope * margin + overall.intercept
    centre = float(log_odds.mean())
    precision = np.array([settings.prior_sd_intercept, settings.prior_sd_slope]) ** -2.0
    level, tilt = newton(
        log_odds - centre, label.astype(float), start=np.zeros(2), offset=log_odds, precision=precision
    )
    return Platt(float(overall.slope * (1 + tilt)), float(overall.intercept * (1 + tilt) + level - tilt * centre))


def newton(
    x: Floats, target: Floats, *, start: Floats, offset: Floats | float = 0.0, precision: Floats | float = 0.0
) -> Floats:
    """(2,) intercept and slope of a logistic regression of `target` on `x`, on top of `offset`.

    `precision` (2,) is that of a Gaussian prior with mean 0. Large steps are halved while they do not help.
    """
    from scipy.special import expit

    def loss(at: Floats) -> float:
        eta = offset + at[0] + at[1] * x
        return float((np.logaddexp(0.0, eta) - target * eta).sum() + (precision * at**2).sum() / 2)

    now = start
    for _ in range(_MOST_STEPS):
        p = expit(offset + now[0] + now[1] * x)
        residual, weight = target - p, p * (1 - p)
        gradient = np.array([residual.sum(), (residual * x).sum()]) - precision * now
        cross = (weight * x).sum()
        hessian = np.array([[weight.sum(), cross], [cross, (weight * x * x).sum()]])
        step = np.linalg.solve(hessian + (precision + _RIDGE) * np.eye(2), gradient)
        # Near the optimum a whole step always helps; only far from it one has to look.
        while np.abs(step).max() > _FAR and loss(now + step) > loss(now):
            step = step / 2
        now = now + step
        if np.abs(step).max() < _CLOSE:
            break
    return now


_MOST_STEPS: Final = 100
_CLOSE: Final = 1e-9
_FAR: Final = 0.7
_RIDGE: Final = 1e-9  # a margin that is the same for all leads has no slope: the step along it is then 0
