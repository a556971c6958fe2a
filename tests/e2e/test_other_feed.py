"""`leadscore run` on a feed in the fixed input format that nobody of ours wrote, and the same run again.

The names it is held against are the plan's (plan_columns.py), the rows were computed by hand (other_feed.py).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e import plan_columns
from tests.e2e.other_feed import AS_OF, D1, D2, D3, LEADS, LEFT_OUT, PERCENT, TRAINING_ROWS, write_other_feed
from tests.e2e.process import Command, in_an_own_interpreter, leadscore

PROMOTED = "LeadScoring.v_latest_training_dataset_v6"
VERSION = re.compile(r"\d{8}_\d{4}(_\d+)?")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `feed` and of the `home` it was run through in; nobody may change it."""
    folder = tmp_path_factory.mktemp("other")
    write_other_feed(folder / "feed")
    done = run(folder)
    assert done["built"], done
    return folder


@pytest.fixture
def own(other: Path, tmp_path: Path) -> Path:
    """A copy of it: as if feed and home had been moved to another disk."""
    return Path(shutil.copytree(other, tmp_path / "elsewhere"))


def run(folder: Path, *more: str, by: Command = leadscore, **environment: str) -> dict[str, Any]:
    """The command of the README, told to answer in JSON; it must end well."""
    command = ("run", "--data", folder / "feed", "--home", folder / "home", "--as-of", AS_OF, "--through", "dataset")
    done = by(*command, "--json", *more, **environment)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["failures"] == []
    return answer


@contextmanager
def warehouse(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """HOME/warehouse.duckdb as a person opens it: raw views name their files relative to the home."""
    with duckdb.connect(str(folder / "home" / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{folder / 'home'}'")
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    rows = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE LeadScoring.{table})").fetchall()
    return dict(rows)


def tables(folder: Path) -> set[str]:
    with warehouse(folder) as connection:
        found = connection.execute("SELECT table_schema || '.' || table_name FROM information_schema.tables").fetchall()
    return {name for (name,) in found}


def rows(folder: Path, table: str) -> list[tuple[object, ...]]:
    with warehouse(folder) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()


def promoted_version(folder: Path) -> str:
    with warehouse(folder) as connection:
        (sql,) = connection.execute(
            "SELECT sql FROM duckdb_views() WHERE view_name = 'v_latest_training_dataset_v6'"
        ).fetchone()
    (version,) = set(re.findall(r"step_3_3_training_dataset_v6_(\d{8}_\d{4}(?:_\d+)?)", sql))
    return str(version)


def test_tables_have_the_names_of_the_plan(other: Path) -> None:
    version = promoted_version(other)
    dated = {f"snapshot_{kind.format(key)}" for key in (D1, D2, D3) for kind in ("reps_{}_raw", "reps_{}", "firms_{}")}
    views = {"v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages", "v_latest_training_dataset_v6"}
    versioned = {f"step_3_1_staging_join_v6_{version}", f"step_3_3_training_dataset_v6_{version}"}
    ours = {"crm_leads", "crm_dials", "crm_associates", "attempt_ledger", "gate_ledger"}
    expected = {f"LeadScoring.{name}" for name in dated | views | versioned | ours}
    assert tables(other) == expected | {"SavvyGTMData.Lead"}
    assert (other / "home/artifacts" / f"step_3_3_class_imbalance_analysis_v6_{version}.md").is_file()


def test_tables_have_the_columns_of_the_plan(other: Path) -> None:
    version = promoted_version(other)
    with warehouse(other) as connection:
        for table, names in {
            f"snapshot_reps_{D2}": plan_columns.REPS,
            f"snapshot_firms_{D2}": plan_columns.FIRMS,
            "v_discovery_reps_all_vintages": plan_columns.REPS,
            "v_discovery_firms_all_vintages": plan_columns.FIRMS,
            f"step_3_1_staging_join_v6_{version}": plan_columns.STAGING,
        }.items():
            assert set(names) <= set(columns(connection, table)), table
        training = set(plan_columns.TRAINING) - plan_columns.TRAINING_WITHOUT | plan_columns.TRAINING_WITH
        assert set(columns(connection, "v_latest_training_dataset_v6")) == training
        # A table of step 1.5 starts with the plan's columns in the plan's order, but for R15's beside Has_Disclosure.
        made = [name for name in columns(connection, f"snapshot_reps_{D1}") if name in plan_columns.REPS]
        assert made == plan_columns.REPS


@pytest.mark.parametrize("key", [D1, D2, D3])
def test_the_raw_table_is_the_file_as_text(other: Path, key: str) -> None:
    with warehouse(other) as connection:
        raw = columns(connection, f"snapshot_reps_{key}_raw")
        names = [*plan_columns.FEED, "Notes", PERCENT.replace("%", "_")]
        assert sorted(raw) == sorted(names)
        assert set(raw.values()) == {"VARCHAR"}
        mover = f"SELECT Number_OfficeReps, Home_ZipCode, Designations_CFP FROM LeadScoring.snapshot_reps_{key}_raw"
        assert connection.execute(f"{mover} WHERE RepCRD LIKE '1001%'").fetchall() == [("6.0", "2139.0", "Yes")]


def test_no_row_is_lost_on_the_way(other: Path) -> None:
    # 24 firms of 6 and 7 of 5, and the advisors that are the point.
    expected = {D1: 179 + 3, D2: 179 + 5, D3: 179 + 1}
    with warehouse(other) as connection:
        for suffix in ("_raw", ""):
            count = "SELECT COUNT(*) FROM LeadScoring.snapshot_reps_{}{}"
            assert {key: connection.execute(count.format(key, suffix)).fetchone()[0] for key in expected} == expected
        (leads,) = connection.execute("SELECT COUNT(*) FROM SavvyGTMData.Lead").fetchone()
    assert leads == len(LEADS)


def test_training_rows_are_those_computed_by_hand(other: Path) -> None:
    with warehouse(other) as connection:
        found = connection.execute(f"SELECT * FROM {PROMOTED}")
        names = [column[0] for column in found.description]
        by_id = {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}
    assert names[0] == "Id"
    assert set(by_id) == {lead[0] for lead in LEADS} - LEFT_OUT
    for lead, expected in TRAINING_ROWS.items():
        assert {name: by_id[lead][name] for name in expected} == expected, lead


def test_firms_are_aggregated_from_their_rows(other: Path) -> None:
    with warehouse(other) as connection:
        firm = connection.execute(
            "SELECT total_reps, total_records, pct_reps_with_series_7, avg_rep_experience_years, primary_state, "
            f"states_represented, RIAFirmName, snapshot_at::VARCHAR FROM LeadScoring.snapshot_firms_{D2} "
            "WHERE RIAFirmCRD = '601'"
        ).fetchone()
    # Five advisors with 12.5 years in NY, and one with 10 years in MA who alone has Series 7.
    assert firm == (6, 6, 1 / 6, pytest.approx(72.5 / 6, abs=1e-9), "NY", 2, "Firm 601", "2025-07-06")


def test_the_same_command_again_builds_nothing(own: Path) -> None:
    before, version = tables(own), promoted_version(own)
    again = run(own)
    assert again["built"] == []
    assert len(again["recognised"]) >= 16
    assert {gate["verdict"] for gate in again["gates"]} <= {"pass", "not applicable", "warn"}
    assert tables(own) == before
    assert promoted_version(own) == version


@pytest.mark.prove
def test_a_snapshot_that_stands_is_passed_over_but_not_before_everyone_was_told(own: Path) -> None:
    command = ("run", "--data", own / "feed", "--home", own / "home", "--as-of", AS_OF, "--through", "dataset")
    assert leadscore(*command).returncode == 0, "the files of the copy are other files: they are read once"
    told = own / "home" / "artifacts" / D1 / "step_1_5_validation_report.md"
    before = told.read_bytes()
    told.unlink()
    again = leadscore(*command)
    assert again.returncode == 0, again.stderr
    assert f"snapshot {D1} …" in again.stderr, "its report is gone: a run writes it again"
    assert told.read_bytes() == before
    assert f"snapshot {D2}: known, nothing built" in again.stderr

    shutil.rmtree(own / "home" / "dagster")
    again = leadscore(*command)
    assert again.returncode == 0, again.stderr
    assert f"snapshot {D2} …" in again.stderr, "Dagster has forgotten: a run tells it again"
    assert f"snapshot {D2}: known, nothing built" in leadscore(*command).stderr


@pytest.mark.parametrize("threads", ["1", pytest.param("2", marks=pytest.mark.prove)])
def test_a_rebuild_gives_a_new_version_of_the_same_rows(other: Path, own: Path, threads: str) -> None:
    answer = run(own, "--rebuild", by=in_an_own_interpreter, LEADSCORE_THREADS=threads)
    assert answer["recognised"] == []
    old, new = promoted_version(other), promoted_version(own)
    assert new != old
    assert VERSION.fullmatch(new)
    kept = {f"LeadScoring.step_3_3_training_dataset_v6_{version}" for version in (old, new)}
    assert kept <= tables(own)
    # Byte for byte: floats are compared as they are, the means of the firms included.
    for table in (PROMOTED, *(f"LeadScoring.snapshot_firms_{key}" for key in (D1, D2, D3))):
        assert rows(own, table) == rows(other, table)
    assert rows(own, f"LeadScoring.step_3_3_training_dataset_v6_{old}") == rows(other, PROMOTED)
