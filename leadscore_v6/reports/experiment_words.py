"""How the experiment's figures are said: shares, lifts, estimates with their interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def percent(share: float | None) -> str:
    """A share, or a lift, in whole per cent."""
    return "not judgeable" if share is None else f"{share:.0%}"


def number(value: float | None, form: str = ".2f") -> str:
    """A figure; None was not judgeable."""
    return "not judgeable" if value is None else format(value, form)


def interval(estimate: Mapping[str, float | None], form: str = ".2f") -> str:
    """An estimate with its interval."""
    if estimate["low"] is None:
        return f"{number(estimate['value'], form)} (no interval: too few MQLs)"
    return f"{number(estimate['value'], form)} ({number(estimate['low'], form)} to {number(estimate['high'], form)})"


def lift(estimate: Mapping[str, float | None]) -> str:
    """A relative lift with its interval, signed."""
    values: Sequence[float | None] = (estimate["value"], estimate["low"], estimate["high"])
    value, low, high = ("not judgeable" if one is None else f"{one:+.0%}" for one in values)
    return f"{value} ({low} to {high})" if estimate["low"] is not None else f"{value} (no interval: too few MQLs)"
