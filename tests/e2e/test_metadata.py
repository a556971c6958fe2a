"""What each asset of a finished home carries in Dagster, held against the warehouse and the ledger themselves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from tests.e2e.process import leadscore

# asset: the table that it publishes; {version} is the one that the view serves.
TABLES = {
    "crm_leads": "crm_leads",
    "snapshot_reps_raw": "snapshot_reps_20240331_raw",
    "snapshot_reps": "snapshot_reps_20240331",
    "snapshot_firms": "snapshot_firms_20240331",
    "v_discovery_reps_all_vintages": "v_discovery_reps_all_vintages",
    "v_discovery_firms_all_vintages": "v_discovery_firms_all_vintages",
    "step_3_1_staging_join_v6": "step_3_1_staging_join_v6_{version}",
    "step_3_3_training_dataset_v6": "step_3_3_training_dataset_v6_{version}",
    "v_latest_training_dataset_v6": "v_latest_training_dataset_v6",
}
# Assets made by SQL, and those that their columns come from. A raw table is the file itself, through no SQL.
LINEAGE: dict[str, set[str]] = {
    "crm_leads": set(),
    "snapshot_reps": {"snapshot_reps_raw"},
    "snapshot_firms": {"snapshot_reps"},
    "v_discovery_reps_all_vintages": {"snapshot_reps"},
    "v_discovery_firms_all_vintages": {"snapshot_firms"},
    "step_3_1_staging_join_v6": {
        "crm_leads",
        "crm_dials",
        "v_discovery_reps_all_vintages",
        "v_discovery_firms_all_vintages",
    },
    "step_3_3_training_dataset_v6": {"step_3_1_staging_join_v6"},
    "v_latest_training_dataset_v6": {"step_3_3_training_dataset_v6"},
}
DUCKDB_TYPES = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "NUMERIC": "DECIMAL(38,9)",
}


@pytest.fixture(scope="module")
def own_home(finished_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(finished_home, tmp_path_factory.mktemp("metadata") / "home"))


@pytest.fixture(scope="module")
def events(own_home: Path) -> Iterator[dict[str, dg.AssetMaterialization]]:
    """The latest materialization of each asset; of the newer snapshot where there is one for each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(own_home / "dagster"))
        with dg.DagsterInstance.get() as instance:
            found = {}
            for name in (*TABLES, "snapshot_schemas"):
                event = instance.get_latest_materialization_event(dg.AssetKey(name))
                assert event is not None, name
                assert event.asset_materialization is not None
                found[name] = event.asset_materialization
            yield found


@pytest.fixture(scope="module")
def warehouse(own_home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(own_home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{own_home}'")
        yield connection


@pytest.fixture(scope="module")
def version(own_home: Path) -> str:
    """The version that the promoted view serves."""
    (report,) = (own_home / "artifacts").glob("step_3_3_class_imbalance_analysis_v6_*.md")
    return report.stem.removeprefix("step_3_3_class_imbalance_analysis_v6_")


def value(event: dg.AssetMaterialization, name: str) -> Any:
    return event.metadata[name].value


@pytest.mark.parametrize("asset", TABLES)
def test_rows_and_columns_are_the_tables(
    events: dict[str, dg.AssetMaterialization], warehouse: duckdb.DuckDBPyConnection, version: str, asset: str
) -> None:
    table = TABLES[asset].format(version=version)
    assert value(events[asset], "dagster/table_name") == f"LeadScoring.{table}"
    (rows,) = warehouse.execute(f"SELECT COUNT(*) FROM LeadScoring.{table}").fetchone() or (None,)
    assert value(events[asset], "dagster/row_count") == rows
    schema = value(events[asset], "dagster/column_schema")
    described = warehouse.execute(f"DESCRIBE LeadScoring.{table}").fetchall()
    assert [(column.name, DUCKDB_TYPES[column.type]) for column in schema.columns] == [row[:2] for row in described]


@pytest.mark.parametrize("asset", LINEAGE)
def test_every_column_says_what_it_is(events: dict[str, dg.AssetMaterialization], asset: str) -> None:
    columns = value(events[asset], "dagster/column_schema").columns
    assert [column.name for column in columns if len(column.description or "") < 5] == []


@pytest.mark.parametrize("asset", LINEAGE)
def test_the_sql_is_shown_as_it_ran_and_lineage_covers_every_column(
    events: dict[str, dg.AssetMaterialization], asset: str
) -> None:
    sql = value(events[asset], "sql")
    assert sql.startswith("```sql\n")
    assert "{{" not in sql
    assert "`LeadScoring." in sql or "`SavvyGTMData." in sql
    lineage = value(events[asset], "dagster/column_lineage").deps_by_column
    assert set(lineage) == {column.name for column in value(events[asset], "dagster/column_schema").columns}
    parents = {dep.asset_key.to_user_string() for deps in lineage.values() for dep in deps}
    assert parents == LINEAGE[asset]


def test_a_step_that_builds_no_table_claims_none(events: dict[str, dg.AssetMaterialization]) -> None:
    claimed = {name for name in events["snapshot_schemas"].metadata if name.startswith("dagster/")}
    assert claimed == set()


def test_every_asset_carries_its_report_and_its_attempt(
    events: dict[str, dg.AssetMaterialization], own_home: Path
) -> None:
    ledger = json.loads(leadscore("status", "--home", own_home, "--json").stdout)
    attempts = {(line["asset"], line["partition"]): line["attempt"] for line in ledger}
    for name, event in events.items():
        assert value(event, "attempt") == attempts[name, event.partition], name
        assert f"`{value(event, 'attempt')}`" in value(event, "report")
        assert value(event, "recognised") is (name == "crm_leads"), "the run of everything found the leads there"
        data_version = (event.tags or {})["dagster/data_version"]
        assert len(data_version) == 64, "the attempt's content key, a SHA-256"


def test_no_personal_value_is_in_dagsters_storage(own_home: Path, world: Path) -> None:
    """Advisors' names of the feed occur nowhere in what Dagster keeps (R57)."""
    header, first = (world / "RIARepDataFeed_20240331.csv").read_text().splitlines()[:2]
    names = dict(zip(header.split(","), first.split(","), strict=False))
    kept = b"".join(file.read_bytes() for file in (own_home / "dagster").rglob("*") if file.is_file())
    assert b"snapshot_reps" in kept
    assert names["FullName"]
    assert names["FullName"].encode() not in kept
