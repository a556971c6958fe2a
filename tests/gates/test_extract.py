"""The day of the newest extract: where there is none, it is said what became of the newest Lead.csv."""

from __future__ import annotations

import pytest

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates.decisions import withdraw
from leadscore_v6.gates.extract import LEADS, extract_day, known_extract_day
from tests.gates.conftest import Lab

REFUSED = InputError("This is no timestamp.", "Lead.csv", "stage_entered_contacting__c", 7, "write it as ISO 8601")


def test_where_none_was_landed_it_is_said_how_to_land_one(lab: Lab) -> None:
    with pytest.raises(UsageError, match=r"No CRM extract was landed: `leadscore run --data DIR`"):
        extract_day(lab.bench().ledger)


def test_after_a_refused_one_it_is_not_said_that_none_was_landed(lab: Lab) -> None:
    lab.attempt(LEADS)
    lab.bench().refuse((LEADS, None), "of the second", str(REFUSED), {"file_name": "Lead.csv", "fingerprint": "f"})
    assert known_extract_day(lab.bench().ledger) is None
    with pytest.raises(UsageError) as told:
        extract_day(lab.bench().ledger)
    assert str(told.value) == (
        "The newest Lead.csv was refused: This is no timestamp. (file Lead.csv, column stage_entered_contacting__c, "
        "row 7). Deliver it mended (`leadscore run --data DIR`, `leadscore score --data DIR`), or go on with one that "
        "was landed before: `leadscore withdraw Lead.csv`."
    )
    # And that is what helps.
    withdraw(lab.bench(), "Lead.csv", "not to be read")
    assert lab.bench().ledger.latest(LEADS).state == "published"


def test_of_one_that_was_killed_it_is_said_that_it_did_not_end(lab: Lab) -> None:
    work = lab.work(LEADS)
    bench = lab.bench()
    bench._start(work, bench.content_key(work))
    with pytest.raises(UsageError, match=r"newest Lead.csv did not end: .*`leadscore score --data DIR`"):
        extract_day(lab.bench().ledger)
