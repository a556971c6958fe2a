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
    lines = fit_lines(margin, label[None, :], segments, settings)
    fitted = {}
    for place, segment in enumerate(lines.segments):
        positives, few = int(lines.positives[0, place]), bool(lines.is_global[0, place])
        fitted[segment] = SegmentFit(
            platt=Platt(*lines.own[0, place].tolist()),
            leads=int((segments == segment).sum()),
            positives=positives,
            is_global=few,
            note=f"global: {positives} positives, below {settings.min_positives_segment}" if few else "its own, shrunk",
        )
    return Calibrator(Platt(*lines.overall[0].tolist()), fitted, segment_column)


@dataclass(frozen=True)
class Lines:
    """The calibrators that b labellings of the same leads give; each is a slope and an intercept, as `Platt` has them.

    overall (b, 2) of all leads; own (b, s, 2) of each of the `segments`, where `is_global` (b, s) a copy of the overall
    one; positives (b, s) of each segment.
    """

    overall: Floats
    segments: tuple[str, ...]
    own: Floats
    positives: NDArray[np.int64]
    is_global: NDArray[np.bool_]

    def log_odds(self, margin: Floats, segments: NDArray[np.object_]) -> Floats:
        """(b, n) calibrated log-odds of n other leads; one of a segment that is not known takes the overall line."""
        # The last one stands at −1, where a segment that is not among the known is.
        every = np.concatenate([self.own, self.overall[:, None, :]], axis=1)
        place = pd.Index(self.segments).get_indexer(pd.Index(segments))
        found: Floats = every[:, place, 0] * margin + every[:, place, 1]
        return found


def fit_lines(
    margin: Floats, labels: NDArray[np.int8], segments: NDArray[np.object_], settings: CalibrationSettings
) -> Lines:
    """What `fit_segments` fits, of each of `labels` (b, n): b fits in one go cost a third of b, one by one."""
    overall = fit_platt(margin, labels)
    place, known = pd.factorize(segments, sort=True)
    own = np.repeat(overall[:, None, :], len(known), axis=1)
    inside = [place == number for number in range(len(known))]
    positives = np.column_stack([labels[:, leads].sum(axis=1) for leads in inside])
    few = positives < settings.min_positives_segment
    for number, leads in enumerate(inside):
        enough = np.flatnonzero(~few[:, number])
        if len(enough):
            own[enough, number] = fit_shrunk(margin[leads], labels[enough][:, leads], overall[enough], settings)
    return Lines(overall, tuple(known), own, positives, few)


def fit_platt(margin: Floats, labels: NDArray[np.int8]) -> Floats:
    """(b, 2) logistic regressions of `labels` (b, n) on the margin, with Platt's smoothed targets (1999, section 2.2).

    What scikit-learn's `CalibratedClassifierCV(method="sigmoid")` fits when it is given the margin.
    """
    positives = labels.sum(axis=1, keepdims=True).astype(float)
    negatives = labels.shape[1] - positives
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    rate = (positives + 1) / (labels.shape[1] + 2)
    centre, spread = float(margin.mean()), float(margin.std()) or 1.0
    level, tilt = newton(
        (margin - centre) / spread, targets, start=np.hstack([np.log(rate / (1 - rate)), np.zeros_like(rate)])
    ).T
    return np.column_stack([tilt / spread, level - tilt * centre / spread])


def fit_shrunk(margin: Floats, labels: NDArray[np.int8], overall: Floats, settings: CalibrationSettings) -> Floats:
    """(b, 2) a segment's calibrators with a Gaussian prior toward `overall` (b, 2), on level and relative slope.

    The level is that at the segment's own mean: there it hardly depends on the slope, so each prior is of one thing
    (statistics).
    """
    log_odds = overall[:, :1] * margin + overall[:, 1:]
    centre = log_odds.mean(axis=1, keepdims=True)
    precision = np.array([settings.prior_sd_intercept, settings.prior_sd_slope]) ** -2.0
    level, tilt = newton(
        log_odds - centre, labels.astype(float), start=np.zeros_like(overall), offset=log_odds, precision=precision
    ).T
    slope, intercept = overall.T
    return np.column_stack([slope * (1 + tilt), intercept * (1 + tilt) + level - tilt * centre[:, 0]])


def newton(
    x: Floats, target: Floats, *, start: Floats, offset: Floats | float = 0.0, precision: Floats | float = 0.0
) -> Floats:
    """(b, 2) intercept and slope of logistic regressions of `target` (b, n) on `x`, on top of `offset`.

    `x` and `offset` are (b, n), or the same (n,) for all; `start` is (b, 2), `precision` (2,) that of a Gaussian prior
    with mean 0. Large steps are halved while they do not help. What one regression comes to is no matter of the others.
    """
    from scipy.special import expit

    found = start.copy()
    x, beside = np.broadcast_to(x, target.shape), np.broadcast_to(offset, target.shape)
    going = np.arange(len(target))
    for _ in range(_MOST_STEPS):
        now = found[going]
        p = expit(beside + now[:, :1] + now[:, 1:] * x)
        residual, weight = target - p, p * (1 - p)
        gradient = np.column_stack([residual.sum(axis=1), (residual * x).sum(axis=1)]) - precision * now
        tilted = weight * x
        sums = weight.sum(axis=1), tilted.sum(axis=1), tilted.sum(axis=1), (tilted * x).sum(axis=1)
        hessian = np.column_stack(sums).reshape(-1, 2, 2) + (precision + _RIDGE) * np.eye(2)
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        # Near the optimum a whole step always helps; only far from it one has to look.
        while len(far := np.flatnonzero(np.abs(step).max(axis=1) > _FAR)):
            losses = (_loss(at, x[far], target[far], beside[far], precision) for at in (now[far] + step[far], now[far]))
            worse = far[np.greater(*losses)]
            if not len(worse):
                break
            step[worse] /= 2
        found[going] = now + step
        still = np.abs(step).max(axis=1) >= _CLOSE
        if not still.all():
            going, x, target, beside = going[still], x[still], target[still], beside[still]
        if not len(going):
            break
    return found


def _loss(at: Floats, x: Floats, target: Floats, offset: Floats, precision: Floats | float) -> Floats:
    """(b,) negative log-likelihoods at `at` (b, 2), and the prior's share."""
    eta = offset + at[:, :1] + at[:, 1:] * x
    loss: Floats = (np.logaddexp(0.0, eta) - target * eta).sum(axis=1) + (precision * at**2).sum(axis=1) / 2
    return loss


_MOST_STEPS: Final = 100
_CLOSE: Final = 1e-9
_FAR: Final = 0.7
_RIDGE: Final = 1e-9  # a margin that is the same for all leads has no slope: the step along it is then 0
