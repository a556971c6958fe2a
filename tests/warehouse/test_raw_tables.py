"""The raw table on a landed file: text as it came (R1, R33, R36), wherever the home is (R55), quoting no one (R57)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
from leadscore_v6.warehouse.landing import land
from leadscore_v6.warehouse.protocol import FileTable

RAW = "LeadScoring.snapshot_reps_20240107_raw"
CONTENT = (
    "RepCRD,Owner,Home_ZipCode,Gained_2024_01_07,Email_BusinessType,Unheard_Of\n"
    "1,Yes,02139,2024-01-07,jane.doe@example.com,12.0\n"
    '2,No,10001,,"",\n'
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose warehouse has the file as its raw table."""
    home = tmp_path / "home"
    home.mkdir()
    warehouse = DuckDBWarehouse(home / "warehouse.duckdb", threads=1)
    expose(warehouse, CONTENT)
    warehouse.close()
    return home


@pytest.fixture
def warehouse(home: Path) -> Iterator[DuckDBWarehouse]:
    """The same, opened."""
    opened = DuckDBWarehouse(home / "warehouse.duckdb", threads=1)
    yield opened
    opened.close()


def expose(warehouse: DuckDBWarehouse, content: str, landed: str | None = None) -> None:
    """Make a landed file the raw table: its columns are those of the content, `landed` is what stands in the store."""
    file = warehouse.home / "RIARepDataFeed_20240107.csv"
    file.write_text(content)
    facts = land(file, warehouse.home / "store", ["RepCRD"])
    if landed is not None:
        facts.path.chmod(0o644)
        facts.path.write_text(landed)
    warehouse.expose_file(RAW, FileTable(f"store/{facts.path.name}", facts.names))


def test_every_column_is_there_as_the_text_that_came(warehouse: DuckDBWarehouse) -> None:
    assert [(column.name, column.type) for column in warehouse.columns(RAW)] == [
        (name, "STRING") for name in CONTENT.partition("\n")[0].split(",")
    ]
    first, _ = warehouse.query(f"SELECT * FROM `{RAW}` ORDER BY RepCRD")
    assert list(first.values()) == ["1", "Yes", "02139", "2024-01-07", "jane.doe@example.com", "12.0"]


def test_an_empty_field_is_null_quoted_or_not(warehouse: DuckDBWarehouse) -> None:
    _, second = warehouse.query(f"SELECT * FROM `{RAW}` ORDER BY RepCRD")
    assert list(second.values()) == ["2", "No", "10001", None, None, None]


def test_it_is_read_where_the_home_is_now(home: Path) -> None:
    moved = home.rename(home.with_name("restored"))
    with duckdb.connect(str(moved / "warehouse.duckdb"), read_only=True) as connection:
        ((text,),) = connection.execute("SELECT sql FROM duckdb_views() WHERE schema_name = 'LeadScoring'").fetchall()
    assert "'store/" in text
    assert str(home.parent) not in text
    opened = DuckDBWarehouse(moved / "warehouse.duckdb", threads=1)
    assert opened.count_rows(RAW) == 2
    opened.close()


def test_a_record_that_cannot_be_read_is_named_by_its_line_alone(warehouse: DuckDBWarehouse) -> None:
    expose(warehouse, CONTENT + "3,,,,,\n", landed=CONTENT + "3,Jane Doe,jane.doe@example.com\n")
    with pytest.raises(InputError) as caught:
        warehouse.count_rows(RAW)
    assert caught.value.row == 4
    assert "3 fields" in str(caught.value)
    assert "ane" not in str(caught.value)


def test_a_time_without_a_zone_is_utc_whatever_the_machines_zone(warehouse: DuckDBWarehouse) -> None:
    sql = "SELECT DATE(SAFE_CAST(moment AS TIMESTAMP), 'UTC') AS day FROM (SELECT '2024-05-03 23:30:00' AS moment) AS t"
    ((day,),) = [row.values() for row in warehouse.query(sql)]
    assert f"{day}" == "2024-05-03"
    warehouse.create_table("LeadScoring.t", "SELECT TIMESTAMP '2024-05-03 23:30:00+00' AS moment")
    assert warehouse.query("SELECT moment FROM `LeadScoring.t`")[0]["moment"].utcoffset().total_seconds() == 0
