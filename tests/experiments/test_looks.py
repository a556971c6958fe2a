"""No look but a planned one; who asks too early is told the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.experiments.looks import Look, LookNotDue, Protocol, due_look, information
from tests.experiments.trials import START, settings

DESIGN = settings().design
PLAN = Protocol(dials=100, started_on=START)


def dialled(*per_day: int) -> pd.DataFrame:
    """So many first dials on each day from START on; nothing else of a cohort is asked for."""
    days = [pd.Timestamp(START + timedelta(days=day)) for day, count in enumerate(per_day) for _ in range(count)]
    return pd.DataFrame({"dialled_on": [*days, pd.NaT]}).astype({"dialled_on": "datetime64[ns]"})


def day(number: int) -> date:
    return START + timedelta(days=number)


def look(number: int, at: float, on: int) -> Look:
    return Look(number, DESIGN.looks[number - 1], at, day(on), 1.0, 2.9)


def test_a_dial_is_information_when_its_thirty_days_are_over_not_before() -> None:
    """Of an extract of day 30 the thirtieth day is not whole: a call of its afternoon is not there."""
    leads = dialled(20, 30)
    assert [information(leads, PLAN, day(at), DESIGN) for at in (30, 31, 32)] == [0, 0.2, 0.5]


def test_a_look_is_due_on_the_very_day_and_refused_the_day_before_with_that_day() -> None:
    """R26."""
    leads = dialled(20, 29, 0, 1, 50)
    with pytest.raises(LookNotDue, match="look 1 of 2 needs 50 matured dials, and 49 are in") as refused:
        due_look(leads, PLAN, day(33), DESIGN)
    assert refused.value.due_on == day(34)
    assert str(day(34)) in str(refused.value)
    due = due_look(leads, PLAN, day(34), DESIGN)
    assert (due.number, due.planned, due.information, due.is_final) == (1, 0.5, 0.5, False)


def test_between_two_looks_there_is_none() -> None:
    leads = dialled(50, 10, 39, 1)
    taken = replace(PLAN, taken=(look(1, 0.5, 30),))
    with pytest.raises(LookNotDue, match="look 2 of 2") as refused:
        due_look(leads, taken, day(33), DESIGN)
    assert refused.value.due_on == day(34)
    final = due_look(leads, taken, day(34), DESIGN)
    assert (final.number, final.is_final) == (2, True)


def test_a_day_that_is_not_known_yet_is_expected_at_the_pace_so_far() -> None:
    with pytest.raises(LookNotDue, match="expected at the pace of dialling so far") as refused:
        due_look(dialled(5, 5, 5, 5), PLAN, day(3), DESIGN)
    assert refused.value.due_on == day(9 + 31)  # 50 dials at 5 a day: the last of them on day 9
    with pytest.raises(LookNotDue, match="at the earliest") as refused:
        due_look(dialled(), PLAN, day(1), DESIGN)
    assert refused.value.due_on == day(32)


def test_a_look_that_was_skipped_is_not_made_up_for() -> None:
    due = due_look(dialled(100), PLAN, day(31), DESIGN)
    assert (due.number, due.is_final) == (2, True)


def test_a_test_that_falls_short_ends_with_its_follow_up() -> None:
    short = replace(PLAN, closed_on=day(14), taken=(look(1, 0.5, 30),))
    leads = dialled(50, 20)
    with pytest.raises(LookNotDue) as refused:
        due_look(leads, short, day(51), DESIGN)
    assert refused.value.due_on == day(14 + 7 + 31)
    due = due_look(leads, short, day(52), DESIGN)
    assert (due.is_final, due.information) == (True, 0.7)


def test_the_last_batch_may_come_after_the_last_day_of_the_enrolment() -> None:
    """Its queue is dialled for a week from then on, and those dials have to mature as well."""
    short = replace(PLAN, closed_on=day(14), last_batch_on=day(19), taken=(look(1, 0.5, 30),))
    with pytest.raises(LookNotDue) as refused:
        due_look(dialled(50, 20), short, day(56), DESIGN)
    assert refused.value.due_on == day(19 + 7 + 31)
    assert due_look(dialled(50, 20), short, day(57), DESIGN).is_final


def test_what_a_look_has_spent_is_not_unknown_again() -> None:
    """R26: dials that a file has lost would make room for another look at the same share."""
    taken = replace(PLAN, closed_on=day(14), taken=(look(1, 0.6, 30),))
    assert due_look(dialled(60), taken, day(52), DESIGN).information == 0.6
    with pytest.raises(InputError, match="59 matured dials are known, and 60 were at look 1"):
        due_look(dialled(59), taken, day(52), DESIGN)


def test_after_the_final_look_and_before_an_earlier_one_there_is_none() -> None:
    leads = dialled(100)
    ended = replace(PLAN, taken=(look(1, 0.5, 30), look(2, 1.0, 31)))
    with pytest.raises(LookNotDue, match="there is no later look"):
        due_look(leads, ended, day(60), DESIGN)
    with pytest.raises(LookNotDue, match="would come before"):
        due_look(leads, replace(PLAN, taken=(look(1, 0.5, 40),)), day(35), DESIGN)
