"""What only this engine does: the catalog's columns, rows appended together, an order that was asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from leadscore_v6.errors import WarehouseBusy
from leadscore_v6.warehouse import sql
from leadscore_v6.warehouse.duckdb_engine import GOOGLE_TYPES, DuckDBWarehouse

TABLE = "LeadScoring.t"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    opened = DuckDBWarehouse(tmp_path / "warehouse.duckdb", threads=2)
    yield opened
    opened.close()


def test_columns_are_those_of_information_schema(warehouse: DuckDBWarehouse) -> None:
    warehouse.ensure_table(TABLE, {f"column of {kind}": kind for kind in set(GOOGLE_TYPES.values())})
    warehouse.create_view("LeadScoring.v", f"SELECT * FROM `{TABLE}`")
    with duckdb.connect(str(warehouse.home / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE LeadScoring.strict (a INTEGER NOT NULL, b TEXT, c HUGEINT)")
        for name in ("t", "v", "strict"):
            described = connection.execute(
                "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_schema = 'LeadScoring' AND table_name = ? ORDER BY ordinal_position",
                [name],
            ).fetchall()
            assert [(c.name, c.type, c.nullable) for c in warehouse.columns(f"LeadScoring.{name}")] == [
                (column, GOOGLE_TYPES.get(kind, kind), nullable == "YES") for column, kind, nullable in described
            ]
    assert warehouse.columns("LeadScoring.nothing") == []


def test_rows_are_appended_together_or_not_at_all(warehouse: DuckDBWarehouse) -> None:
    warehouse.ensure_table(TABLE, {"a": "INT64", "b": "STRING"})
    warehouse.insert(TABLE, [{"a": 1, "b": "one"}, {"a": 2, "b": None}])
    with pytest.raises(duckdb.ConversionException):
        warehouse.insert(TABLE, [{"a": 3, "b": "three"}, {"a": "four", "b": "four"}])
    assert warehouse.query(f"SELECT a, b FROM `{TABLE}` ORDER BY a") == [{"a": 1, "b": "one"}, {"a": 2, "b": None}]


def test_a_table_keeps_the_order_that_its_query_asks_for(warehouse: DuckDBWarehouse) -> None:
    numbers = ", ".join(f"({number * 7919 % 100_003})" for number in range(100_003))
    with duckdb.connect(str(warehouse.home / "warehouse.duckdb")) as connection:
        connection.execute(f"CREATE TABLE LeadScoring.shuffled AS SELECT n FROM (VALUES {numbers}) t(n)")
    warehouse.create_table(TABLE, "SELECT n FROM `LeadScoring.shuffled` ORDER BY n")
    with duckdb.connect(str(warehouse.home / "warehouse.duckdb")) as connection:
        assert connection.execute("SELECT count(*) FROM LeadScoring.t WHERE n != rowid").fetchone() == (0,)


def test_a_text_is_translated_once_for_all_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    monkeypatch.setattr(sql, "to_duckdb", lambda text: texts.append(text) or text.replace("`", '"'))

    def of(*dates: str) -> str:
        return " ".join(f"SELECT '{date}' AS d FROM `LeadScoring.snapshot_reps_{date}_raw`" for date in dates)

    for dates in (["20240107"], ["20240331"], ["20240107", "20240331"]):
        assert sql.duckdb_text(of(*dates)) == of(*dates).replace("`", '"')
    # The literal is no table's date, so each is a text of its own.
    assert len(texts) == 3
    texts.clear()
    for date in ("20240707", "20241006"):
        text = f"SELECT 1 AS a FROM `LeadScoring.snapshot_reps_{date}`"
        assert sql.duckdb_text(text) == text.replace("`", '"')
    assert len(texts) == 1


HELD = """
import sys
from pathlib import Path
import duckdb
from leadscore_v6.warehouse.lease import Lease
home = Path(sys.argv[1])
with Lease(home, command="leadscore score"), duckdb.connect(str(home / "warehouse.duckdb")):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_whoever_meets_a_run_is_told_which_it_is_and_to_wait_for_it(tmp_path: Path) -> None:
    """Not to close it: who is told to "close it there" kills a run."""
    with subprocess.Popen(
        [sys.executable, "-c", HELD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "held\n"
        says = rf"is held by process {run.pid} on .* \(leadscore score\), since .*\. Wait until it has ended\.$"
        with pytest.raises(WarehouseBusy, match=says):
            DuckDBWarehouse(tmp_path / "warehouse.duckdb", threads=1, read_only=True)
        run.communicate("")
