"""Judging: figures in, verdicts out. Pure; the same function serves a fresh attempt and a stored one (R38)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from leadscore_v6.gates.registry import Condition, Gate

Figures = Mapping[str, Any]

PASS, FAIL, WARN = "pass", "fail", "warn"
NOT_JUDGEABLE, NOT_APPLICABLE, WAIVED = "not judgeable", "not applicable", "waived"

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "between": lambda figure, pair: bool(pair[0] <= figure <= pair[1]),
}


@dataclass(frozen=True)
class Verdict:
    """What one gate says about one attempt. `figure` and `companion` are what it read; None was not measured."""

    gate: Gate
    word: str
    figure: float | None
    companion: float | None

    @property
    def blocks(self) -> bool:
        """Whether this verdict stops what follows."""
        return self.gate.blocking and self.word in (FAIL, NOT_JUDGEABLE)

    @property
    def misses(self) -> bool:
        """Whether a person has something to look at: it blocks, or warns."""
        return self.blocks or self.word == WARN

    def __str__(self) -> str:
        """`staging_rep_match_rate (3.1): rep_match_rate 0.81, must be >= 0.85`."""
        gate = self.gate
        read = f"{gate.literal.figure} {show(self.figure)}"
        if gate.companion is not None:
            read += f", {gate.companion.figure} {show(self.companion)}"
        return f"{gate.name} (step {gate.step}): {read}; must be {gate.threshold}"


def judge(gate: Gate, figures: Figures) -> Verdict:
    """The verdict of `gate` on `figures`. A figure that is missing or NULL is "not judgeable".

    That blocks, unless the gate only warns: an alarm that could not be judged is neither raised nor quiet.
    """
    figure = _number(figures.get(gate.literal.figure))
    companion = _number(figures.get(gate.companion.figure)) if gate.companion else None
    return Verdict(gate, _word(gate, figures), figure, companion)


def _word(gate: Gate, figures: Figures) -> str:
    applies = True if gate.when is None else _holds(gate.when, figures)
    if applies is None:
        return NOT_JUDGEABLE
    if not applies:
        return NOT_APPLICABLE
    literal = _holds(gate.literal, figures)
    companion = _holds(gate.companion, figures) if gate.companion else None
    if gate.combine == "companion_replaces":
        held = companion
    elif gate.companion is None:
        held = literal
    else:
        held = None if literal is None or companion is None else literal and companion
    if held is None:
        return NOT_JUDGEABLE
    if gate.combine == "alert_if_both":
        return WARN if held else PASS
    if held:
        return PASS
    return FAIL if gate.severity == "error" else WARN


def _holds(condition: Condition, figures: Figures) -> bool | None:
    figure = _number(figures.get(condition.figure))
    if figure is None or math.isnan(figure):
        return None
    return _OPERATORS[condition.op](figure, condition.value)


def _number(figure: Any) -> float | None:
    if figure is None or isinstance(figure, (int, float)):
        return figure
    if isinstance(figure, Decimal):
        return float(figure)
    raise TypeError(f"A gate's figure is a number, not {type(figure).__name__}.")


def show(figure: float | None) -> str:
    """A figure as a person reads it: thousands separated, at most six digits behind the point."""
    if figure is None:
        return "not measured"
    if isinstance(figure, int) or float(figure).is_integer():
        return f"{int(figure):,}"
    return f"{figure:.6f}".rstrip("0") if abs(figure) < 1000 else f"{figure:,.2f}"


def plain(figures: Figures) -> dict[str, Any]:
    """Figures as JSON can hold them: numbers, text, booleans, None; a date or NUMERIC by its value."""
    return {name: _plain(value) for name, value in figures.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return float(value)
