"""A figure with its interval: the one shape in which models, experiments and monitoring say how sure they are.

Belongs here: the value. Does not belong here: how an interval is made (bootstrap, cluster-robust, sequential).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    `low` and `high` are None where it is not judgeable: too few positives for an interval to mean anything.
    """

    value: float
    low: float | None = None
    high: float | None = None
