"""Every bad input of the issue's list, end to end: what the command says, and that nothing else changed.

What is spoiled and what it must get is in bad_inputs.py; the command is run in this process, as its console script
runs it, and at the end as a user runs it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from leadscore_v6 import cli
from tests.e2e import bad_inputs
from tests.e2e.bad_inputs import DAYS, FEED, FOLDERS, GATED, KEY, LEADS, PERSON, UNREADABLE, BadInput, plant
from tests.e2e.conftest import AS_OF

NEWEST = "RIARepDataFeed_20240331.csv"
LEDGERS = ("attempt_ledger", "gate_ledger")


@dataclass(frozen=True)
class Ran:
    """What a person sees of a run."""

    code: int
    stdout: str
    stderr: str


Run = Callable[..., Ran]


@pytest.fixture
def quarter(world: Path, tmp_path: Path) -> Path:
    """A folder with the leads and one new quarter, as it arrives."""
    folder = tmp_path / "quarter"
    folder.mkdir()
    shutil.copy(world / "Lead.csv", folder)
    shutil.copy(world / NEWEST, folder / FEED)
    plant(folder / FEED)
    return folder


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`leadscore run` on `home`, in this process, by its console script's own function."""
    for name in list(os.environ):
        if name.startswith(("LEADSCORE_", "DAGSTER_")):
            monkeypatch.delenv(name)
    # The run tells Dagster's processes where the home is; that is taken back after the test.
    for name in ("LEADSCORE_HOME", "LEADSCORE_DATA", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEADSCORE_THREADS", "1")
    monkeypatch.setenv("LEADSCORE_LEASE_WAIT_SECONDS", "0")

    def leadscore(folder: Path, *options: str) -> Ran:
        command = ["leadscore", "run", "--data", str(folder), "--home", str(home), "--as-of", AS_OF, *options]
        monkeypatch.setattr(sys, "argv", command)
        capfd.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capfd.readouterr())

    return leadscore


def contents(home: Path) -> dict[str, object]:
    """Rows and a digest of every table and view but the ledgers and kept candidates, and what the promoted view is."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{home}'")
        names = connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        digest = 'SELECT COUNT(*), SUM(hash(t)::HUGEINT) FROM "{}"."{}" AS t'
        found: dict[str, object] = {
            f"{schema}.{name}": connection.execute(digest.format(schema, name)).fetchone()
            for schema, name in names
            if name not in LEDGERS and not name.startswith("candidate__")
        }
        found["views"] = connection.execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
    return {key: value for key, value in found.items() if key != "views"} | {
        f"view {name}": sql
        for name, sql in found["views"]  # type: ignore[attr-defined]
        if not name.startswith("candidate__")
    }


def candidates(home: Path) -> list[str]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
    return [name for (name,) in rows if name.startswith("candidate__")]


def half_written(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.suffix == ".tmp" or ".tmp." in path.name]


def told_of_a_person(home: Path) -> list[str]:
    """Where the person turned up outside of the raw, rep and staging tables and the landed files."""
    found = []
    for path in home.rglob("*"):
        if not path.is_file() or path.is_relative_to(home / "landing") or path.name.startswith("warehouse."):
            continue
        if path.suffix == ".db":
            with sqlite3.connect(path) as storage:
                content = "\n".join(storage.iterdump())
        else:
            content = path.read_bytes().decode("utf-8", errors="replace")
        if PERSON in content.lower():
            found.append(str(path))
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        for ledger in LEDGERS:
            rows = connection.execute(f"SELECT * FROM LeadScoring.{ledger}").fetchall()
            found += [ledger for row in rows if PERSON in str(row).lower()]
    return found


@pytest.fixture(scope="module")
def before(finished_home: Path) -> dict[str, object]:
    return contents(finished_home)


@pytest.mark.parametrize("case", [*FOLDERS, *UNREADABLE, *LEADS, *GATED, *DAYS], ids=lambda case: case.name)
def test_bad_input(case: BadInput, quarter: Path, home: Path, run: Run, before: dict[str, object]) -> None:
    case.spoil(quarter)
    row = (quarter / case.file).read_bytes().count(b"\n") + 1 if case.row == -1 else case.row

    ran = run(quarter, *case.options)

    assert ran.code == case.code, ran.stderr
    # The message: what, where, and what to do; no stack trace, no person.
    for words in (*case.says, case.file, f"row {row}" if row else "", case.gate or ""):
        assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Stack Trace" not in ran.stderr
    assert PERSON not in (ran.stdout + ran.stderr).lower()
    assert told_of_a_person(home) == []
    # The rest: untouched. A file that could be read stays landed, and its candidate is kept (R38).
    after = contents(home)
    new = {name for name in after if KEY in name}
    assert {name: what for name, what in after.items() if name not in new and "vintages" not in name} == {
        name: what for name, what in before.items() if "vintages" not in name
    }
    assert half_written(home) == []
    if case.code == 2 and case not in DAYS:
        assert candidates(home) == []
        assert new == set()
        assert after == before
    if case.code == 3:
        assert f"snapshot_reps_{KEY}" not in {name.split(".")[-1] for name in after}
