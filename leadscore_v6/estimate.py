"""How models, experiments and monitoring say how sure they are: a figure with its interval, a p-value.

Belongs here: the one shape of each. Does not belong here: how one is made (bootstrap, cluster-robust, sequential).
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


def p_shown(p: float | None, unknown: str = "not judgeable") -> str:
    """A p-value for a table: four decimals, and `< 0.0001` where these would say that something is impossible."""
    if p is None or p != p:  # noqa: PLR0124 - NaN is not itself
        return unknown
    return f"{p:.4f}" if p >= _SMALLEST else f"< {_SMALLEST:.4f}"


def p_said(p: float) -> str:
    """The same in a sentence: `p = 0.0312`, `p < 0.0001`."""
    return f"p = {p_shown(p)}" if p >= _SMALLEST else f"p {p_shown(p)}"


_SMALLEST = 0.0001
