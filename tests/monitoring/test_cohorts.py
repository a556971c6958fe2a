"""Cohorts are those that a person would sort by hand, lead by lead (R10, R50)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from leadscore_v6.monitoring.cohorts import ASSUMED, DIALLED, LeftOut, Window, Worked, cohorts, left_out

TODAY = date(2026, 3, 1)
WINDOW = Window(TODAY, days=60, label_window_days=30, matures_after_days=30)
LOG = date(2026, 1, 10)


def ago(*days: int | None) -> np.ndarray:
    """Days, so many before today."""
    found = [np.datetime64("NaT") if one is None else np.datetime64(TODAY - timedelta(days=one)) for one in days]
    return np.array(found, dtype="datetime64[D]")


def test_a_cohort_ends_with_the_last_day_that_has_matured_and_is_as_long_as_asked() -> None:
    found = cohorts(Worked(ago(29, 30, 89, 90), ago(*[None] * 4), ago(*[None] * 4), None), WINDOW)
    assert found.matured.tolist() == [1, 2]
    assert found.young.tolist() == [0]
    assert (found.first, found.last) == (TODAY - timedelta(days=89), TODAY - timedelta(days=30))
    assert found.basis == ASSUMED == "leads, assuming one dial per lead"
    assert found.assumed == 2


def test_the_clock_starts_with_the_first_dial_where_dials_are_logged() -> None:
    """Contacted 40 days ago, dialled 29 days ago: young. A call 31 days after contact, 20 after the dial: a call."""
    found = cohorts(Worked(ago(40, 61), ago(29, 50), ago(None, 30), date(2025, 1, 1)), WINDOW)
    assert found.young.tolist() == [0]
    assert found.matured.tolist() == [1]
    assert found.label.tolist() == [1]
    assert found.basis == DIALLED


def test_a_call_counts_within_the_label_window_of_the_dial() -> None:
    found = cohorts(Worked(ago(70, 70, 70), ago(65, 65, 65), ago(65, 35, 34), date(2025, 1, 1)), WINDOW)
    assert found.label.tolist() == [1, 1, 0]


def test_who_was_not_dialled_and_who_called_before_are_left_out() -> None:
    found = cohorts(Worked(ago(40, 40, 40), ago(None, 35, 35), ago(38, 36, None), date(2025, 1, 1)), WINDOW)
    assert found.matured.tolist() == [2]
    assert found.not_dialled.tolist() == [0]


def test_who_was_not_dialled_is_counted_within_the_days_apart_from_those_before_the_log_and_the_younger() -> None:
    """The log begins 50 days ago: of who was contacted in the 30 days before it nobody knows."""
    leads = Worked(ago(95, 81, 80, 70, 51, 50, 40, 30, 29, 0, 45), ago(*[None] * 10, 44), ago(*[None] * 11), LOG)
    found = cohorts(leads, WINDOW)
    assert found.matured.tolist() == [1, 10]
    assert left_out(leads, found, WINDOW.first_day, WINDOW.mature_by) == LeftOut(3, 3, 2)
    assert left_out(leads, found, TODAY - timedelta(days=70), TODAY - timedelta(days=40)) == LeftOut(2, 2, 3)


def test_of_a_lead_just_before_the_log_begins_nobody_knows_and_long_before_a_dial_is_assumed() -> None:
    """The log begins 50 days ago, and a lead may wait 30 for its dial; what the log has later is not the first one."""
    contact = ago(81, 80, 60, 51, 50)
    found = cohorts(Worked(contact, ago(45, None, None, 45, 45), ago(*[None] * 5), LOG), WINDOW)
    assert date(2026, 1, 10) == TODAY - timedelta(days=50)
    assert found.matured.tolist() == [0, 4]
    assert found.start[found.matured].tolist() == [TODAY - timedelta(days=81), TODAY - timedelta(days=45)]
    assert found.assumed == 1
    assert found.dial_unknown.tolist() == [1, 2, 3]
    assert found.not_dialled.tolist() == []
    assert found.basis == "dialled leads; assuming one dial per lead contacted before 2025-12-11"


@pytest.mark.parametrize("log_begins", [None, LOG])
def test_many_leads_are_sorted_as_a_loop_would(log_begins: date | None) -> None:
    rng = np.random.default_rng(5)
    contact, wait, until = rng.integers(0, 130, 400), rng.integers(0, 25, 400), rng.integers(-3, 50, 400)
    logged, called = rng.random(400) < 0.6, rng.random(400) < 0.5
    start = np.maximum(contact - wait, 0)
    dialled = logged & (start <= 50) if log_begins else np.zeros(400, dtype=bool)
    contact_days = ago(*contact.tolist())
    first = np.where(dialled, ago(*start.tolist()), np.datetime64("NaT"))
    calls = np.where(called, ago(*np.maximum(start - until, 0).tolist()), np.datetime64("NaT"))
    found = cohorts(Worked(contact_days, first, calls, log_begins), WINDOW)
    matured, label, young = [], [], []
    for row in range(400):
        if log_begins is None or contact_days[row] < np.datetime64("2025-12-11"):
            clock = contact_days[row]
        elif contact_days[row] >= np.datetime64(log_begins) and not np.isnat(first[row]):
            clock = first[row]
        else:
            continue
        age, gap = int((np.datetime64(TODAY) - clock).astype(int)), None
        if not np.isnat(calls[row]):
            gap = int((calls[row] - clock).astype(int))
            if gap < 0:
                continue
        if age < 30:
            young.append(row)
        elif age < 90:
            matured.append(row)
            label.append(int(gap is not None and gap <= 30))
    assert found.matured.tolist() == matured
    assert found.label.tolist() == label
    assert found.young.tolist() == young
    assert 0 < sum(label) < len(label)


def test_nobody_is_no_cohort() -> None:
    found = cohorts(Worked(ago(), ago(), ago(), LOG), replace(WINDOW, days=1))
    assert (found.first, found.last, len(found.matured)) == (None, None, 0)
