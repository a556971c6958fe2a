"""Leaks: features that know the outcome. Planted ones must be caught, and real ones that look like it are flagged (R8).

Belongs here: the detector, and the planted columns that prove in every run that it sees. Does not belong here: what
becomes of a finding (`leak_canaries` in `config/gates.yaml`: never waivable, R38).
"""

from __future__ import annotations

from dataclasses import dataclass

from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.settings import CanarySettings
from leadscore_v6.modeling.splits import Rows


@dataclass(frozen=True)
class Leak:
    """A feature that the detector takes for a leak, and why: `auc` is univariate, max(AUC, 1 − AUC)."""

    feature: str
    auc: float
    why: str


@dataclass(frozen=True)
class CanaryReport:
    """Planted columns by name and whether each was caught; the features of the data that look like leaks.

    `strongest` lists every feature's univariate AUC, highest first.
    """

    planted: dict[str, bool]
    leaks: tuple[Leak, ...]
    strongest: tuple[tuple[str, float], ...]

    @property
    def missed(self) -> int:
        """Planted columns that were not caught: above 0 the detector is blind and nothing may follow."""
        return sum(not caught for caught in self.planted.values())


def sing(data: TrainingData, rows: Rows, settings: CanarySettings, seed: int) -> CanaryReport:
    """Look for leaks among the features of `rows`, with label, audit and future columns planted among them."""
    raise NotImplementedError
