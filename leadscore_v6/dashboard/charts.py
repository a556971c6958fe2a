"""Pictures as geometry: from figures to shapes with places, which the template writes as SVG.

Belongs here: where a bar, a point, a line and a label go. Does not belong here: colours (style.css, by the name of the
mark, so that they follow light and dark), markup (templates/), what a figure means (dashboard_panels/).

A drawing is 360 units wide and is never shown wider than a phone's screen by much, so that its letters stay readable
there. Places are rounded to a tenth: the same figures give the same bytes everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Form = Callable[[float], str]
WIDTH = 360.0
_LEFT, _RIGHT, _TOP, _FOOT = 44.0, 12.0, 14.0, 34.0
_HEIGHT = 210.0
_ROW = 40.0


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    mark: str


@dataclass(frozen=True)
class Bar:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    mark: str


@dataclass(frozen=True)
class Path:
    """A line through points: (x, y) of each."""

    points: tuple[tuple[float, float], ...]
    mark: str


@dataclass(frozen=True)
class Dot:
    """A point; marks that end in `-flagged` are drawn as a diamond, so that colour does not carry it alone."""

    x: float
    y: float
    mark: str


@dataclass(frozen=True)
class Label:
    """A text; `anchor` says which of its ends is at x."""

    x: float
    y: float
    says: str
    anchor: Literal["start", "middle", "end"]
    mark: str = "label"


@dataclass(frozen=True)
class Drawing:
    """Shapes on a sheet, in the order of drawing: lines, bars, paths, dots, labels."""

    height: float
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    paths: tuple[Path, ...] = ()
    dots: tuple[Dot, ...] = ()
    labels: tuple[Label, ...] = ()
    width: float = WIDTH


@dataclass(frozen=True)
class Row:
    """One line of `intervals`: a value with its bounds, where they are known."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    is_flagged: bool = False


@dataclass(frozen=True)
class Rule:
    """A value that others are held against, and what it is."""

    value: float
    says: str


@dataclass(frozen=True)
class Series:
    """One line of `trend`: a value for each place, None where there is none. `mark`: s1, s2."""

    mark: str
    values: Sequence[float | None]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from `low` to `high`, `most` of them or fewer."""
    span = high - low
    if span <= 0:
        return [low]
    magnitude: float = 10.0 ** math.floor(math.log10(span / most))
    step = next(factor * magnitude for factor in (1, 2, 5, 10, 20) if span / (factor * magnitude) <= most - 1 + 1e-9)
    first = math.ceil(low / step - 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, math.floor(high / step + 1e-9) + 1)]


def columns(names: Sequence[str], series: Sequence[Sequence[float]], form: Form, x_title: str = "") -> Drawing:
    """Bars from 0, one group for each name; series s1, s2 beside each other. Values are 0 or more."""
    top = max((value for values in series for value in values), default=0.0) or 1.0
    high = _nice_top(top)
    across = (WIDTH - _LEFT - _RIGHT) / max(len(names), 1)
    width = across * 0.8 / len(series)
    bars = []
    for which, values in enumerate(series):
        for place, value in enumerate(values):
            x, y = _LEFT + across * (place + 0.1) + width * which, _y(value, 0.0, high)
            bars.append(Bar(_at(x), y, _at(width), _at(_HEIGHT - _FOOT - y), f"s{which + 1}"))
    grid, labels = _left_axis(0.0, high, form)
    below = _names_below([_LEFT + across * (place + 0.5) for place in range(len(names))], names, x_title)
    return Drawing(height=_HEIGHT, lines=grid, bars=tuple(bars), labels=(*labels, *below))


def trend(
    names: Sequence[str], series: Sequence[Series], form: Form, rule: Rule | None = None, floor: float = 0.0
) -> Drawing:
    """Lines over places in time, and what to hold them against. The axis begins at `floor`, or below it."""
    known = [value for one in series for value in one.values if value is not None]
    everything = [*known, *([rule.value] if rule else [])]
    low, high = min([floor, *everything]), max(everything, default=1.0)
    high = _nice_top(high) if floor == 0.0 else high + (high - low) * 0.08
    high = high if high > low else low + 1.0
    across = (WIDTH - _LEFT - _RIGHT) / max(len(names), 1)
    xs = [_LEFT + across * (place + 0.5) for place in range(len(names))]
    paths, dots = [], []
    for one in series:
        points = [(_at(x), _y(value, low, high)) for x, value in zip(xs, one.values, strict=True) if value is not None]
        paths.append(Path(tuple(points), one.mark))
        dots += [Dot(x, y, one.mark) for x, y in points] if len(points) <= _MOST_DOTS else []
    grid, labels = _left_axis(low, high, form)
    ruled, said = _rule_across(rule, low, high) if rule else ((), ())
    return Drawing(
        height=_HEIGHT,
        lines=(*grid, *ruled),
        paths=tuple(paths),
        dots=tuple(dots),
        labels=(*labels, *said, *_names_below(xs, names, "")),
    )


def intervals(rows: Sequence[Row], form: Form, rule: Rule | None = None) -> Drawing:
    """One value a line with its interval, its name above it; the axis begins at 0 or below."""
    bounds = [bound for row in rows for bound in (row.value, row.low, row.high) if bound is not None]
    everything = [*bounds, 0.0, *([rule.value] if rule else [])]
    low, high = min(everything), _nice_top(max(everything))
    foot = _ROW * len(rows) + _TOP + (12.0 if rule else 0.0)
    begin = foot - _ROW * len(rows)

    def x_of(value: float) -> float:
        return _at(8 + (value - low) / ((high - low) or 1.0) * (WIDTH - 32))

    steps = ticks(low, high)
    lines = [Line(x_of(step), _at(begin), x_of(step), _at(foot), "grid") for step in steps]
    labels = [Label(x_of(step), _at(foot + 15), form(step), "middle") for step in steps]
    if rule:
        x = x_of(rule.value)
        lines.append(Line(x, _at(begin - 4), x, _at(foot), "rule"))
        labels.append(Label(x, _at(begin - 8), rule.says, "end" if x > _BEYOND else "start", "strong"))
    dots = []
    for place, row in enumerate(rows):
        y = begin + _ROW * place + 29
        mark = "s1-flagged" if row.is_flagged else "s1"
        if row.low is not None and row.high is not None:
            lines.append(Line(x_of(row.low), _at(y), x_of(row.high), _at(y), "whisker"))
        dots.append(Dot(x_of(row.value), _at(y), mark))
        labels.append(Label(8.0, _at(y - 13), row.name, "start", "name"))
        labels.append(Label(_at(WIDTH - 4), _at(y - 13), form(row.value), "end", "strong"))
    return Drawing(height=_at(foot + 22), lines=tuple(lines), dots=tuple(dots), labels=tuple(labels))


def reliability(points: Sequence[tuple[float, float]], form: Form) -> Drawing:
    """(expected, observed) of each tenth of the scores, and the line on which they would be equal.

    Both axes grow with the square root, so that the many small probabilities do not lie on top of each other.
    """
    high = max([value for point in points for value in point], default=0.0) * 1.1 or 1.0
    side = WIDTH - _LEFT - _RIGHT
    height = side + _TOP + _FOOT + 8

    def scaled(value: float) -> float:
        return math.sqrt(max(value, 0.0) / high) * side

    steps = [step for step in (0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8) if step <= high]
    steps = steps if len(steps) > 1 else [0.0, high]
    lines, labels = [], []
    for step in steps:
        x, y = _at(_LEFT + scaled(step)), _at(_TOP + side - scaled(step))
        lines += [Line(x, _TOP, x, _at(_TOP + side), "grid"), Line(_LEFT, y, _at(_LEFT + side), y, "grid")]
        labels.append(Label(x, _at(_TOP + side + 15), form(step), "middle"))
        labels.append(Label(_LEFT - 5, _at(y + 4), form(step), "end"))
    lines.append(Line(_LEFT, _at(_TOP + side), _at(_LEFT + side), _TOP, "rule"))
    labels.append(Label(_at(_LEFT + side / 2), _at(_TOP + side + 32), "expected", "middle", "name"))
    labels.append(Label(_at(_LEFT + 6), _at(_TOP + 12), "observed", "start", "name"))
    dots = tuple(Dot(_at(_LEFT + scaled(x)), _at(_TOP + side - scaled(y)), "s1") for x, y in points)
    return Drawing(height=_at(height), lines=tuple(lines), dots=dots, labels=tuple(labels))


# --- pieces ---------------------------------------------------------------------------------------------------------

_MOST_DOTS = 31
# A letter of a label is about so wide, and so much room is between two labels.
_LETTER, _GAP = 6.6, 6.0
# Labels that begin beyond this would leave the sheet to the right.
_BEYOND = WIDTH * 0.6


def _at(place: float) -> float:
    return round(place, 1)


def _y(value: float, low: float, high: float) -> float:
    return _at(_HEIGHT - _FOOT - (value - low) / (high - low) * (_HEIGHT - _FOOT - _TOP))


def _nice_top(value: float) -> float:
    """The next tick at or above a value, so that an axis ends on a number."""
    if value <= 0:
        return 1.0
    steps = ticks(0.0, value)
    step = steps[1] - steps[0] if len(steps) > 1 else value
    return math.ceil(value / step - 1e-9) * step


def _left_axis(low: float, high: float, form: Form) -> tuple[tuple[Line, ...], tuple[Label, ...]]:
    steps = ticks(low, high)
    places = [_y(step, low, high) for step in steps]
    lines = tuple(Line(_LEFT, y, _at(WIDTH - _RIGHT), y, "grid") for y in places)
    return lines, tuple(
        Label(_LEFT - 5, _at(y + 4), form(step), "end") for y, step in zip(places, steps, strict=True)
    )


def _names_below(xs: Sequence[float], names: Sequence[str], title: str) -> list[Label]:
    """Names under their places: as many as there is room for, the last one always."""
    needed = len(names) * (_LETTER * max(map(len, names), default=0) + _GAP)
    every = max(1, math.ceil(needed / (WIDTH - _LEFT - _RIGHT)))
    last = len(names) - 1
    labels = [
        Label(_at(min(x, WIDTH - _LETTER * len(name) / 2)), _HEIGHT - _FOOT + 15, name, "middle")
        for place, (x, name) in enumerate(zip(xs, names, strict=True))
        if (last - place) % every == 0
    ]
    if title:
        labels.append(Label(_at((WIDTH + _LEFT - _RIGHT) / 2), _HEIGHT - 4, title, "middle", "name"))
    return labels


def _rule_across(rule: Rule, low: float, high: float) -> tuple[tuple[Line, ...], tuple[Label, ...]]:
    y = _y(rule.value, low, high)
    label = Label(_at(WIDTH - _RIGHT), _at(y - 5 if y > _TOP + 12 else y + 13), rule.says, "end", "strong")
    return (Line(_LEFT, y, _at(WIDTH - _RIGHT), y, "rule"),), (label,)
