"""The request and its calendar."""

from __future__ import annotations

from datetime import date

import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world import WorldSpec


def test_eight_quarters_have_the_published_dates() -> None:
    days = ["2024-01-07", "2024-03-31", "2024-07-07", "2024-10-06", "2025-01-05", "2025-04-06", "2025-07-06"]
    assert [str(day) for day in WorldSpec().snapshot_dates] == [*days, "2025-10-05"]
    assert [str(day) for day in WorldSpec(quarters=3).snapshot_dates] == days[:3]


def test_later_quarters_are_first_sundays() -> None:
    assert [str(day) for day in WorldSpec(quarters=13).snapshot_dates[8:]] == [
        "2026-01-04", "2026-04-05", "2026-07-05", "2026-10-04", "2027-01-03",
    ]  # fmt: skip


def test_an_as_of_of_the_plan_is_within_a_week_of_the_extract() -> None:
    assert WorldSpec().last_contact == date(2025, 11, 3)


def test_a_world_of_one_quarter_has_leads_that_mature() -> None:
    spec = WorldSpec(quarters=1)
    assert (spec.last_contact - spec.snapshot_dates[0]).days > 60


def test_the_demo_has_leads_enough_for_r41() -> None:
    assert WorldSpec().leads >= 60_000


@pytest.mark.parametrize(
    "wrong",
    [{"scenario": "rosy"}, {"reps": 49}, {"leads": 9}, {"leads": 2.5}, {"quarters": 0}, {"quarters": 41}, {"seed": -1}],
)
def test_a_request_that_makes_no_world_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=str(next(iter(wrong)) if "scenario" not in wrong else "rosy")):
        WorldSpec(**wrong)
