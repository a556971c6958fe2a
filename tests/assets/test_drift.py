"""Drift holds leads against leads of the same kind: who was dialled against who was dialled (R30, R50)."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.assets.monitoring.drift import newest_leads
from leadscore_v6.assets.monitoring.reference import Entered, newest_of_each, of_one_kind
from leadscore_v6.monitoring.cohorts import ASSUMED, DIALLED
from leadscore_v6.monitoring.psi import SCORE

FIRST, LAST = date(2026, 5, 1), date(2026, 5, 30)
# Id, advisor, contact, call.
LEADS = (
    ("waited", "1", "2026-04-20", None),
    ("dialled_before", "2", "2026-04-25", None),
    ("older", "3", "2026-05-02", None),
    ("newer", "3", "2026-05-06", None),
    ("called_before_the_dial", "4", "2026-05-07", "2026-05-08"),
    ("called", "5", "2026-05-07", "2026-05-20"),
    ("nobody_dialled", "6", "2026-05-10", None),
    ("earlier_round", "7", "2026-05-11", None),
)
DIALS = (
    ("waited", "2026-05-01"),
    ("waited", "2026-05-03"),
    ("dialled_before", "2026-04-30"),
    ("dialled_before", "2026-05-09"),
    ("older", "2026-05-03"),
    ("newer", "2026-05-30"),
    ("called_before_the_dial", "2026-05-09"),
    ("called", "2026-05-20"),
    ("earlier_round", "2026-05-09"),
)


@pytest.fixture
def leads() -> Entered:
    frame = pd.DataFrame(LEADS, columns=["Id", "FA_CRD__c", "contact_date", "called_on"])
    return Entered(frame, np.arange(len(frame)) / 10)


def dials(log_begins: str, rows: tuple[tuple[str, str], ...] = DIALS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["Id", "dialled_on"]).assign(by_model=1, log_begins=log_begins)


def test_of_dialled_leads_the_days_are_those_of_the_first_dial(leads: Entered) -> None:
    found = newest_leads(DIALLED, leads, dials("2025-01-01"), FIRST, LAST)
    assert found["Id"].tolist() == ["waited", "newer", "called"]
    assert found[SCORE].tolist() == [0.0, 0.3, 0.5]


def test_of_the_others_the_days_are_those_of_contact_whatever_the_log_has(leads: Entered) -> None:
    found = newest_leads(ASSUMED, leads, dials("2025-01-01"), FIRST, LAST)
    assert found["Id"].tolist() == ["newer", "called_before_the_dial", "called", "nobody_dialled", "earlier_round"]


def test_before_the_log_begins_nobody_is_known_to_be_dialled(leads: Entered) -> None:
    found = newest_leads(DIALLED, leads, dials("2026-05-03"), FIRST, LAST)
    assert found["Id"].tolist() == ["newer", "called"]
    assert newest_leads(DIALLED, leads, dials("2026-05-03", ()), FIRST, LAST).empty


@pytest.mark.parametrize(
    ("logged", "rows", "kind"), [(0, [1, 2, 3, 4], ASSUMED), (2, [3, 4], ASSUMED), (3, [1, 2, 3], DIALLED)]
)
def test_a_block_is_of_the_kind_that_most_of_its_leads_are(logged: int, rows: list[int], kind: str) -> None:
    is_logged = np.array([True, *[True] * logged, *[False] * (4 - logged)])
    found, of = of_one_kind(np.array([1, 2, 3, 4]), is_logged)
    assert (found.tolist(), of) == (rows, kind)


def test_training_counts_each_advisor_once_as_the_month_does() -> None:
    """With both leads of an advisor, a level that only he has would look like one that comes again."""
    advisors = np.array([7, 3, 7, 5, 3, 7])
    assert newest_of_each(advisors).tolist() == [3, 4, 5]
