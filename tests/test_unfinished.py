"""What a killed restore has left beside a home: found, told, and removed by the next command that writes there."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from leadscore_v6 import cli
from leadscore_v6.backup import back_up, restore
from leadscore_v6.doctor import MISSING, OK, machine
from leadscore_v6.settings import Settings
from leadscore_v6.unfinished import left_behind, new_folder
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse

KILLED = """
import os, signal, sys
from pathlib import Path
from leadscore_v6 import backup
backup._held_against = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
backup.restore(Path(sys.argv[1]), Path(sys.argv[2]), print)
"""


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with a warehouse; its backup is `out/b.tar`."""
    found = Settings(home=tmp_path / "home", data=tmp_path / "feed")
    found.home.mkdir()
    warehouse = DuckDBWarehouse(found.warehouse_file, threads=1)
    warehouse.create_table("LeadScoring.scores", "SELECT 1 AS score")
    warehouse.close()
    back_up(found, tmp_path / "out" / "b.tar", quiet)
    return found


@pytest.fixture
def left(settings: Settings, tmp_path: Path) -> Path:
    """Beside the home: all files of a restore that was killed before they became one."""
    killed = [sys.executable, "-c", KILLED, str(tmp_path / "out" / "b.tar"), str(tmp_path / "again")]
    assert subprocess.run(killed, check=False, capture_output=True).returncode == -signal.SIGKILL
    (found,) = tmp_path.glob(".again.restoring.*")
    assert (found / settings.warehouse_file.name).is_file()
    return found


def restore_again(settings: Settings, out: Path) -> list[str]:
    said: list[str] = []
    restore(out / "b.tar", settings.home.with_name("elsewhere"), said.append)
    return said


def back_up_again(settings: Settings, out: Path) -> list[str]:
    said: list[str] = []
    back_up(settings, out / "c.tar", said.append)
    return said


def collect_garbage(settings: Settings, _out: Path) -> list[str]:
    def gc(*more: str) -> list[str]:
        ran = CliRunner().invoke(cli.cli, ["gc", "--home", str(settings.home), *more])
        assert ran.exit_code == 0, ran.output
        return ran.output.splitlines()

    assert [line for line in gc("--dry-run") if line.startswith("left   ")]
    assert left_behind(settings.home.parent)
    return [line for line in gc() if not line.startswith("left   ")]


@pytest.mark.parametrize("again", [restore_again, back_up_again, collect_garbage])
def test_what_a_killed_restore_has_left_is_told_and_removed_and_what_is_being_restored_stays(
    settings: Settings, tmp_path: Path, left: Path, again: Callable[[Settings, Path], list[str]]
) -> None:
    """It holds personal data. Whose it is the kernel says: a lock goes with its process, a number may be another's."""
    found = machine.unfinished(settings)
    assert (found.state, str(left) in found.says) == (MISSING, True)
    others = [tmp_path / ".restoring.1", tmp_path / ".again.restored.1"]
    for path in others:
        path.mkdir()
    with new_folder(tmp_path / ".third.restoring.1"):
        assert left_behind(tmp_path) == [left]
        said = again(settings, tmp_path / "out")
        assert [line for line in said if "killed" in line] == [
            f"Removed {left}, which a backup or a restore that was killed had left there."
        ]
        assert not left.exists()
        assert (tmp_path / ".third.restoring.1").is_dir()
    assert not (tmp_path / ".third.restoring.1").exists()
    assert all(path.is_dir() for path in others)
    assert machine.unfinished(settings).state == OK


def test_a_restore_that_another_one_took_for_left_behind_begins_anew(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, times = fcntl.flock, []  # cleared away between its making and its lock

    def late(file: object, how: int) -> None:
        if how == fcntl.LOCK_SH and not times:
            times.extend(path.rmdir() for path in tmp_path.glob(".again.*"))
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", late)
    restore(tmp_path / "out" / "b.tar", tmp_path / "again", quiet)
    assert times == [None]
    assert (tmp_path / "again" / settings.warehouse_file.name).is_file()
    assert left_behind(tmp_path) == []


def test_on_a_disk_without_locks_nothing_is_taken_for_left_behind(
    tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_given: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert left_behind(tmp_path) == []
    restore(tmp_path / "out" / "b.tar", tmp_path / "again", quiet)
    assert left.is_dir()
