"""Platt scaling of margins: one calibrator for all, and one per segment shrunk toward it (R19).

Belongs here: fitting and applying calibrators; refusing to fit one in sample. Does not belong here: judging
probabilities (`reliability.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

    def log_odds(self, margin: Floats, segments: NDArray[np.object_]) -> Floats:
        """(n,) calibrated log-odds."""
        raise NotImplementedError

    def probability(self, margin: Floats, segments: NDArray[np.object_]) -> Floats:
        """(n,) probabilities of a call within the label window."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        raise NotImplementedError

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Calibrator:
        """The inverse of `as_dict`."""
        raise NotImplementedError


def fit_calibrator(
    data: TrainingData, rows: Rows, margin: Floats, trained_on: Rows, settings: CalibrationSettings
) -> Calibrator:
    """Calibrators on the leads of `rows`, whose margins come from a model trained on the leads `trained_on`.

    Raises InputError if a lead or an advisor of `rows` was trained on, or a training lead is not earlier than all of
    `rows`: in sample, a calibrator passes ECE with half the right slope (R19).
    """
    raise NotImplementedError
