"""A home that was run, backed up and restored is the same home: files, tables, gates (issue 6, done when 4)."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.e2e.conftest import AS_OF
from tests.e2e.process import leadscore

# Who holds the warehouse, and what SQLite has beside its files, is of the moment.
OF_THE_MOMENT = ("warehouse.lock", "warehouse.holder.json")


def files(home: Path) -> dict[str, tuple[str, int, int]]:
    """SHA-256, permissions and time of change by path."""
    found = {}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if path.is_file() and name not in OF_THE_MOMENT and not name.endswith(("-wal", "-shm", "-journal")):
            stat = path.stat()
            found[name] = (hashlib.sha256(path.read_bytes()).hexdigest(), stat.st_mode, stat.st_mtime_ns)
    return found


def tables(home: Path) -> dict[str, pd.DataFrame]:
    """Every table and view of the warehouse, whole, by name. Raw views name their files relative to the home (R55)."""
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as warehouse:
        warehouse.execute(f"SET file_search_path = '{home}'")
        listed = warehouse.execute(
            "SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL"
        ).fetchall()
        return {
            f"{schema}.{name}": warehouse.execute(f'SELECT * FROM "{schema}"."{name}" ORDER BY ALL').df()
            for schema, name in listed
        }


@pytest.mark.prove
def test_backed_up_and_restored_it_is_the_same_home(home: Path, feed: Path, tmp_path: Path) -> None:
    archive, again = tmp_path / "home.tar", tmp_path / "elsewhere" / "home"
    before = files(home)
    done = leadscore("backup", archive, "--home", home)
    assert done.returncode == 0, done.stderr
    done = leadscore("restore", archive, "--home", again)
    assert done.returncode == 0, done.stderr
    # SQLite copies its own files whole, not byte by byte: what is in them is held against each other below.
    of_sqlite = {name for name in before if name.endswith(".db")}
    restored = files(again)
    assert {name: what for name, what in restored.items() if name not in of_sqlite} == {
        name: what for name, what in before.items() if name not in of_sqlite
    }
    assert of_sqlite <= set(restored)
    # As if the first one were lost, with its machine.
    shutil.move(home, tmp_path / "lost")
    known = tables(tmp_path / "lost")
    found = tables(again)
    assert set(found) == set(known)
    assert {"LeadScoring.v_latest_training_dataset_v6", "LeadScoring.attempt_ledger"} <= set(found)
    for name, rows in known.items():
        assert len(rows) or name.endswith(("crm_dials", "crm_associates"))
        pd.testing.assert_frame_equal(found[name], rows, check_exact=True)
    status = [leadscore("status", "--json", "--home", one).stdout for one in (tmp_path / "lost", again)]
    assert status[0].replace(str(tmp_path / "lost"), str(again)) == status[1]
    # It goes on from there: everything is known, nothing is built.
    run = leadscore("run", "--data", feed, "--home", again, "--as-of", AS_OF)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("(known, nothing built)") >= 10
