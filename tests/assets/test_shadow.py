"""Which days are judged together, and which of them count."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from leadscore_v6.assets.shadow.week import Window
from leadscore_v6.partitions import last_days

LAST = date(2025, 11, 4)
WEEK = tuple(LAST - timedelta(days=back) for back in reversed(range(7)))


@pytest.mark.parametrize(("missing", "in_a_row"), [((), 7), ((0,), 6), ((3,), 3), ((6,), 0), ((0, 5), 1)])
def test_days_count_back_to_the_first_that_is_missing(missing: tuple[int, ...], in_a_row: int) -> None:
    window = Window(WEEK, {WEEK[place]: "never scored" for place in missing}, frozenset({"20261125"}))
    assert window.in_a_row == in_a_row


def test_the_last_days_end_with_the_extracts() -> None:
    assert last_days(date(2025, 3, 2), 3) == ["20250228", "20250301", "20250302"]
