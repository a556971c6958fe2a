"""A table begun early is taken for what it is and for nothing else; nobody sees it before, nothing of it stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.duckdb_ahead import key_of
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
from leadscore_v6.warehouse.protocol import FileTable

RAW, TABLE = "LeadScoring.snapshot_reps_20240107_raw", "LeadScoring.candidate__snapshot_reps_20240107"
FILE, OTHER = FileTable("one.csv", ["RepCRD", "Owner"]), FileTable("two.csv", ["RepCRD", "Owner"])


def select(source: str) -> str:
    return f"SELECT RepCRD, Owner, @day AS day FROM `{source}`"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    (tmp_path / "one.csv").write_text("RepCRD,Owner\n1,Yes\n2,No\n")
    (tmp_path / "two.csv").write_text("RepCRD,Owner\n7,Yes\n")
    (tmp_path / "ragged.csv").write_text("RepCRD,Owner\n1,Yes\n2,No,Yes\n")
    opened = DuckDBWarehouse(tmp_path / "warehouse.duckdb", threads=1)
    yield opened
    opened.close()


def begin(warehouse: DuckDBWarehouse, file: FileTable = FILE, day: str = "2024-01-07") -> None:
    warehouse.begin_table(RAW, file, select, {"day": day})


def ask(warehouse: DuckDBWarehouse, day: str = "2024-01-07") -> list[str]:
    """The CRDs of the table, as a step that comes later builds it, by a connection of its own."""
    later = DuckDBWarehouse(warehouse.home / "warehouse.duckdb", threads=1)
    later.create_table(TABLE, select(RAW), {"day": day})
    rows = later.query(f"SELECT RepCRD, day FROM `{TABLE}` ORDER BY RepCRD")
    later.close()
    assert {row["day"] for row in rows} == {day}
    return [row["RepCRD"] for row in rows]


def leftovers(warehouse: DuckDBWarehouse) -> list[str]:
    return [name for name in warehouse.names("LeadScoring") if name.startswith("ahead__")]


def test_what_was_begun_is_what_the_step_gets(warehouse: DuckDBWarehouse) -> None:
    begin(warehouse)
    warehouse.expose_file(RAW, FILE)
    while len(leftovers(warehouse)) < 2:
        time.sleep(0.01)
    # A landed file never changes; that this one does shows that the table was made before.
    (warehouse.home / "one.csv").write_text("RepCRD,Owner\n9,Yes\n")
    assert ask(warehouse) == ["1", "2"]
    assert not [name for name in leftovers(warehouse) if not name.endswith("_file")]


@pytest.mark.parametrize("published", [OTHER, FileTable("one.csv", ["RepCRD", "Proprietor"])], ids=["file", "columns"])
def test_a_table_on_another_file_is_built_when_it_is_asked_for(
    warehouse: DuckDBWarehouse, published: FileTable
) -> None:
    begin(warehouse)
    warehouse.expose_file(RAW, published)
    if published is OTHER:
        assert ask(warehouse) == ["7"]
    else:
        with pytest.raises(duckdb.BinderException, match="Owner"):
            ask(warehouse)


def test_other_parameters_are_another_table(warehouse: DuckDBWarehouse) -> None:
    begin(warehouse, day="2024-03-31")
    warehouse.expose_file(RAW, FILE)
    assert ask(warehouse) == ["1", "2"]


def test_it_is_handed_over_once(warehouse: DuckDBWarehouse) -> None:
    begin(warehouse)
    warehouse.expose_file(RAW, FILE)
    assert ask(warehouse) == ask(warehouse) == ["1", "2"]


def test_what_failed_early_may_go_well_when_it_is_wanted(warehouse: DuckDBWarehouse) -> None:
    late = FileTable("late.csv", ["RepCRD", "Owner"])
    begin(warehouse, late)
    begin(warehouse, FILE, day="2024-03-31")
    while f"ahead__{key_of(select(RAW), {'day': '2024-03-31'})}" not in leftovers(warehouse):
        time.sleep(0.01)
    (warehouse.home / "late.csv").write_text("RepCRD,Owner\n5,No\n")
    warehouse.expose_file(RAW, late)
    assert ask(warehouse) == ["5"]


def test_what_its_making_raised_is_raised_where_it_is_wanted(warehouse: DuckDBWarehouse) -> None:
    ragged = FileTable("ragged.csv", ["RepCRD", "Owner"])
    begin(warehouse, ragged)
    warehouse.expose_file(RAW, ragged)
    with pytest.raises(InputError, match="3 fields where the header has 2"):
        ask(warehouse)


def test_what_nobody_asked_for_goes_with_the_process(warehouse: DuckDBWarehouse) -> None:
    begin(warehouse)
    begin(warehouse, OTHER, day="2024-03-31")
    file = warehouse.home / "warehouse.duckdb"
    warehouse.close()
    with duckdb.connect(str(file)) as connection:
        assert connection.execute("SELECT count(*) FROM information_schema.tables").fetchone() == (0,)


def test_what_a_kill_left_goes_when_the_warehouse_is_opened_next(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as killed:
        killed.execute("CREATE SCHEMA LeadScoring")
        killed.execute("CREATE TABLE LeadScoring.ahead__0123456789ab AS SELECT 1 AS one")
        killed.execute("CREATE TABLE LeadScoring.snapshot_reps_20240107 AS SELECT 1 AS one")
    opened = DuckDBWarehouse(tmp_path / "warehouse.duckdb", threads=1)
    assert opened.names("LeadScoring") == ["snapshot_reps_20240107"]
    opened.close()
