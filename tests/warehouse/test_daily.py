"""Tables of all days, written a day at a time: a day is replaced whole, and nothing else is touched."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from leadscore_v6.errors import LeadscoreError, UsageError
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
from leadscore_v6.warehouse.protocol import table_and_day

TABLE = "LeadScoring.scores"
COLUMNS = {"score_date": "DATE", "Id": "STRING", "probability": "FLOAT64", "rank": "INT64"}


@pytest.fixture
def warehouse(tmp_path):
    opened = DuckDBWarehouse(tmp_path / "warehouse.duckdb", ("LeadScoring", "SavvyGTMData"))
    yield opened
    opened.close()


def publish(warehouse, day, leads, columns=COLUMNS, of=None):
    frame = pd.DataFrame(
        {"score_date": [of or day] * len(leads), "Id": leads, "probability": 0.5, "rank": 7, "more": None}
    )
    candidate = f"LeadScoring.candidate__scores_{day:%Y%m%d}__abc"
    warehouse.write_frame(candidate, frame, columns)
    warehouse.publish(candidate, f"{TABLE}${day:%Y%m%d}")
    return candidate


def served(warehouse):
    rows = warehouse.query("SELECT score_date, Id FROM `LeadScoring.scores` ORDER BY 1, 2")
    return [(f"{row['score_date']:%m-%d}", row["Id"]) for row in rows]


def test_a_day_takes_the_place_of_that_day_alone(warehouse):
    first, second = date(2025, 11, 4), date(2025, 11, 5)
    publish(warehouse, first, ["a", "b"])
    publish(warehouse, second, ["c"])
    candidate = publish(warehouse, first, ["b", "d"])
    assert served(warehouse) == [("11-04", "b"), ("11-04", "d"), ("11-05", "c")]
    assert not warehouse.exists(candidate)
    assert {column.name: column.type for column in warehouse.columns(TABLE)} == COLUMNS


def test_a_day_without_leads_leaves_none_of_its_rows(warehouse):
    day = date(2025, 11, 4)
    publish(warehouse, day, ["a"])
    publish(warehouse, day, [])
    assert served(warehouse) == []
    assert warehouse.exists(f"{TABLE}$20251104")


def test_a_day_is_dropped_and_the_others_stay(warehouse):
    publish(warehouse, date(2025, 11, 4), ["a"])
    publish(warehouse, date(2025, 11, 5), ["b"])
    warehouse.drop(f"{TABLE}$20251104")
    assert served(warehouse) == [("11-05", "b")]


@pytest.mark.parametrize(
    ("columns", "of", "says"),
    [
        (COLUMNS, date(2025, 11, 9), "2 rows that are not of 2025-11-05"),
        ({**COLUMNS, "rank": "FLOAT64"}, None, "rank FLOAT64, rank INT64"),
        ({**COLUMNS, "more": "STRING"}, None, "more STRING"),
    ],
)
def test_what_is_no_candidate_of_that_day_changes_nothing(warehouse, columns, of, says):
    publish(warehouse, date(2025, 11, 4), ["a"])
    with pytest.raises(LeadscoreError, match=says):
        publish(warehouse, date(2025, 11, 5), ["b", "c"], columns, of)
    assert served(warehouse) == [("11-04", "a")]


def test_a_failure_in_between_leaves_the_day_as_it_was(warehouse, monkeypatch):
    day = date(2025, 11, 4)
    publish(warehouse, day, ["a"])
    run = warehouse._run

    def breaks(sql, params=None):
        if sql.startswith("INSERT"):
            raise RuntimeError("the power went")
        return run(sql, params)

    monkeypatch.setattr(warehouse, "_run", breaks)
    with pytest.raises(RuntimeError):
        publish(warehouse, day, ["b"])
    monkeypatch.undo()
    assert served(warehouse) == [("11-04", "a")]


@pytest.mark.parametrize("name", ["d.t$2025110", "d.t$20251301", "d.t$", "d.t$latest"])
def test_a_name_of_no_day_is_refused(name):
    with pytest.raises(UsageError, match="names no day"):
        table_and_day(name)


def test_a_frame_is_written_with_the_types_that_are_asked_for(warehouse):
    given = {"score_date": ["2025-11-04", None], "Id": ["a", None], "probability": [1, None], "rank": [3, None]}
    frame = pd.DataFrame(given)
    warehouse.write_frame("LeadScoring.one", frame, COLUMNS)
    rows = warehouse.query("SELECT * FROM `LeadScoring.one` ORDER BY Id")
    assert {"score_date": None, "Id": None, "probability": None, "rank": None} in rows
    assert {"score_date": date(2025, 11, 4), "Id": "a", "probability": 1.0, "rank": 3} in rows


def test_a_frame_may_follow_a_count(warehouse):
    """DuckDB registers none while the result of a query is not read to its end."""
    frame = pd.DataFrame({"score_date": [None], "Id": ["a"], "probability": [1], "rank": [3]})
    for name in ("LeadScoring.one", "LeadScoring.other"):
        warehouse.write_frame(name, frame, COLUMNS)
        assert warehouse.count_rows(name) == 1
