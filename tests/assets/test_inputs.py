"""What the assets make of landed files: dates, names in the home, and what may be told of a bad one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from leadscore_v6.assets.leads import _work, extraction_date, file_table, landed_facts
from leadscore_v6.assets.offenders import offending_rows
from leadscore_v6.assets.snapshots import _refuse_future, snapshot_day
from leadscore_v6.contracts import contract
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates.attempt import Bench, Outcome
from leadscore_v6.gates.judge import judge
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import land

KEY = "20240107"
RECEIVED = date(2024, 5, 7)
SECRET = "zebulon.quist@example.com"


def test_the_extract_is_of_the_utc_day_of_its_last_timestamp() -> None:
    assert extraction_date("", "2024-05-03T23:30:00-05:00", RECEIVED) == date(2024, 5, 4)
    assert extraction_date("2024-05-06", "2024-05-03T23:30:00+00:00", RECEIVED) == date(2024, 5, 6)


@pytest.mark.parametrize(
    ("given", "last", "says"),
    [
        ("2024-05-08", "2024-05-03T00:00:00+00:00", "2024-05-08 lies after the day Lead.csv was received"),
        ("2024-05-02", "2024-05-03T00:00:00+00:00", "2024-05-02 lies before the last timestamp .*2024-05-03"),
        ("May", "2024-05-03T00:00:00+00:00", "form YYYY-MM-DD"),
    ],
)
def test_a_date_that_would_make_young_leads_negatives_is_refused(given: str, last: str | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        extraction_date(given, last, RECEIVED)


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (None, "no timestamp in the extract"),
        ("2099-01-01T00:00:00+00:00", "last timestamp is of 2099-01-01, after the day it was received"),
        # Half past eight in the evening of that day in New York is the next day.
        ("2024-05-07T20:30:00-04:00", "last timestamp is of 2024-05-08, after"),
    ],
)
def test_an_extract_that_cannot_tell_its_day_is_a_bad_file(last: str | None, says: str) -> None:
    """Not a wrong command: it is recorded as refused (R54), and the remedy names a command that has the option."""
    with pytest.raises(InputError, match=says) as refused:
        extraction_date("", last, RECEIVED)
    assert refused.value.file == "Lead.csv"
    assert "`leadscore run --data DIR --crm-extracted-at YYYY-MM-DD`" in str(refused.value)


def test_a_mistyped_timestamp_of_the_future_can_be_overruled_by_a_person() -> None:
    assert extraction_date("2024-05-06", "2099-01-01T00:00:00+00:00", RECEIVED) == date(2024, 5, 6)
    assert extraction_date("2024-05-07", None, RECEIVED) == RECEIVED


def test_another_extract_is_another_content(tmp_path: Path) -> None:
    """The digest of Lead.csv is an input of crm_leads, and by it of every version built from it (R49)."""
    warehouse = SimpleNamespace(dataset="LeadScoring", landed_table="SavvyGTMData.{}".format)
    bench = cast("Bench", SimpleNamespace(warehouse=warehouse))
    settings = Settings(home=tmp_path, data=tmp_path)
    facts = {"records": 3, "digest": "one"}
    made = [_work(bench, settings, {**facts, "digest": digest}, date(2024, 5, 3))[0] for digest in ("one", "other")]
    assert made[0].inputs != made[1].inputs
    assert [work.source for work in made] == ["one", "other"]


def test_a_landed_file_is_named_relative_to_the_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", data=tmp_path)
    table = file_table({"stored_as": "abc.csv", "names": [["a%", "a_"], ["b", "b"]]}, settings)
    assert (table.path, table.columns) == ("landing/by_sha256/abc.csv", ["a_", "b"])


def test_a_snapshot_of_tomorrow_is_refused_and_one_of_today_is_not() -> None:
    bench = cast("Bench", SimpleNamespace(clock=lambda: datetime(2024, 1, 7, 0, 1, tzinfo=UTC)))
    _refuse_future(bench, "20240107")
    with pytest.raises(InputError, match="after the day it was received"):
        _refuse_future(bench, "20240108")


@pytest.mark.parametrize("key", ["2024117", "20241301", "2024-01-7", "2024W011", "٢٠٢٤٠١٠٧", ""])
def test_what_is_no_partition_key(key: str) -> None:
    with pytest.raises(InputError, match="is not a snapshot date"):
        snapshot_day(key)


def test_what_blocks_is_told_by_column_and_line_and_by_no_value(tmp_path: Path) -> None:
    names = contract("feed").names
    row = {"RepCRD": "7", "Owner": "Yes"}
    rows = [row, {**row, "MilesToWork": SECRET}, {**row, "RepCRD": SECRET}]
    lines = [",".join(names), *(",".join(record.get(name, "") for name in names) for record in rows)]
    file = tmp_path / f"RIARepDataFeed_{KEY}.csv"
    file.write_text("\n".join(lines) + "\n")
    facts = landed_facts(land(file, tmp_path / "store", names))
    ledger = cast("Ledger", SimpleNamespace(landed={("snapshot_reps_raw", KEY): [facts]}))
    figures = {"worst_typing_loss": 1 / 3, "typing_loss__MilesToWork": 1, "invalid_rep_crd": 1}
    attempt = replace(Attempt("k", "snapshot_reps", KEY, None, "c"), source=facts["digest"], figures=figures)
    verdicts = tuple(judge(load_gates()[name], figures) for name in ("reps_crd_valid", "reps_typing_losses"))
    told = offending_rows(Outcome(attempt, verdicts, recognised=False), ledger, tmp_path / "store")
    places = [f"{file.name}, column {column}" for column in ("RepCRD", "MilesToWork")]
    assert [line.partition(": ")[0] for line in told] == places
    assert [line.rpartition(" ")[2] for line in told] == ["4", "3"]
    assert SECRET not in "".join(told)
