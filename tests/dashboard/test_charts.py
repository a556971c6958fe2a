"""Pictures as geometry: against places worked out by hand, and inside the sheet whatever the figures are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore_v6.dashboard.charts import (
    Drawing,
    Row,
    Rule,
    Series,
    columns,
    intervals,
    reliability,
    ticks,
    trend,
)

share = st.floats(0, 1, allow_subnormal=False)
names = st.text(st.characters(codec="ascii"), min_size=1, max_size=8)


def form(value: float) -> str:
    return f"{value:g}"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.5, 1]),
        (0, 10, [0, 5, 10]),
        (0, 0.2, [0, 0.05, 0.1, 0.15, 0.2]),
        (0, 400, [0, 100, 200, 300, 400]),
        (0.97, 1, [0.97, 0.98, 0.99, 1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_a_bar_is_as_high_as_its_value() -> None:
    drawing = columns(["a", "b", "c"], [[1.0, 2.0, 4.0]], form)
    heights = [bar.height for bar in drawing.bars]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[2] == pytest.approx(4 * heights[0], abs=0.2)
    # All stand on the axis, which is where 0 is written.
    assert {round(bar.y + bar.height, 1) for bar in drawing.bars} == {176.0}
    (zero,) = [label for label in drawing.labels if label.says == "0"]
    assert zero.y == pytest.approx(176 + 4)


def test_two_series_stand_beside_each_other() -> None:
    first, second = columns(["a"], [[1.0], [1.0]], form).bars
    assert (first.mark, second.mark) == ("s1", "s2")
    assert second.x == pytest.approx(first.x + first.width, abs=0.2)


def test_a_rule_lies_at_its_value() -> None:
    drawing = trend(["1", "2"], [Series("s1", [0.0, 1.0])], form, Rule(0.5, "half"))
    (rule,) = [line for line in drawing.lines if line.mark == "rule"]
    (path,) = drawing.paths
    assert rule.y1 == rule.y2 == pytest.approx((path.points[0][1] + path.points[1][1]) / 2, abs=0.1)


def test_a_day_without_a_value_is_no_point() -> None:
    drawing = trend(["1", "2", "3"], [Series("s1", [1.0, None, 3.0])], form)
    assert len(drawing.paths[0].points) == len(drawing.dots) == 2


def test_a_flagged_row_has_a_mark_of_its_own() -> None:
    drawing = intervals([Row("fine", 0.1), Row("drifted", 0.4, is_flagged=True)], form, Rule(0.25, "0.25"))
    assert [dot.mark for dot in drawing.dots] == ["s1", "s1-flagged"]
    (rule,) = [line for line in drawing.lines if line.mark == "rule"]
    assert drawing.dots[0].x < rule.x1 < drawing.dots[1].x


def test_an_interval_reaches_from_its_low_to_its_high() -> None:
    drawing = intervals([Row("a", 1.0, 0.5, 2.0)], form)
    (whisker,) = [line for line in drawing.lines if line.mark == "whisker"]
    scale = {label.says: label.x for label in drawing.labels if label.anchor == "middle"}
    assert (whisker.x1, whisker.x2) == pytest.approx((scale["0.5"], scale["2"]), abs=0.1)


def test_where_both_agree_a_dot_lies_on_the_line() -> None:
    drawing = reliability([(0.01, 0.01), (0.04, 0.04), (0.25, 0.25)], form)
    (line,) = [one for one in drawing.lines if one.mark == "rule"]
    slope = (line.y2 - line.y1) / (line.x2 - line.x1)
    for dot in drawing.dots:
        assert dot.y - line.y1 == pytest.approx(slope * (dot.x - line.x1), abs=0.2)
    # The axes grow with the square root: four times as much is twice as far.
    first, second, _ = (dot.x - line.x1 for dot in drawing.dots)
    assert second == pytest.approx(2 * first, abs=0.2)


def test_more_observed_than_expected_lies_above_the_line() -> None:
    drawing = reliability([(0.1, 0.2)], form)
    (line,) = [one for one in drawing.lines if one.mark == "rule"]
    (dot,) = drawing.dots
    assert line.y1 - dot.y > dot.x - line.x1


@given(st.lists(st.tuples(names, share, share), min_size=1, max_size=40))
def test_everything_is_on_the_sheet(rows: list[tuple[str, float, float]]) -> None:
    called = [name for name, _, _ in rows]
    first, second = [one for _, one, _ in rows], [one for _, _, one in rows]
    lines = [Row(name, one, min(one, two), max(one, two)) for name, one, two in rows]
    for drawing in (
        columns(called, [first, second], form),
        trend(called, [Series("s1", first), Series("s2", second)], form, Rule(0.99, "limit")),
        intervals(lines, form, Rule(0.25, "0.25")),
        reliability(list(zip(first, second, strict=True)), form),
    ):
        assert_inside(drawing)


def assert_inside(drawing: Drawing) -> None:
    xs = [x for line in drawing.lines for x in (line.x1, line.x2)] + [one.x for one in (*drawing.dots, *drawing.labels)]
    ys = [y for line in drawing.lines for y in (line.y1, line.y2)] + [one.y for one in (*drawing.dots, *drawing.labels)]
    for bar in drawing.bars:
        xs += [bar.x, bar.x + bar.width]
        ys += [bar.y, bar.y + bar.height]
        assert bar.height >= 0
    for path in drawing.paths:
        xs += [x for x, _ in path.points]
        ys += [y for _, y in path.points]
    assert all(math.isfinite(place) for place in (*xs, *ys))
    assert min(xs) >= 0
    assert max(xs) <= drawing.width + 0.1
    assert min(ys) >= 0
    assert max(ys) <= drawing.height + 0.1
