"""A home into one file and back: the same home, or none; nothing is ever written over."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6 import backup
from leadscore_v6.backup import LIST, Entry, back_up, restore
from leadscore_v6.errors import InputError, UsageError, WarehouseBusy
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with a warehouse, a landed file, an artifact, Dagster's storage, an empty folder."""
    home = tmp_path / "home"
    (home / "landing" / "by_sha256").mkdir(parents=True)
    (home / "outbox").mkdir()
    (home / "dagster").mkdir()
    (home / "tmp").mkdir()
    (home / "tmp" / "spilled").write_text("by the engine")
    (home / "warehouse.holder.json").write_text("{}")
    warehouse = DuckDBWarehouse(home / "warehouse.duckdb", threads=1)
    warehouse.create_table("LeadScoring.scores", "SELECT 1 AS score")
    warehouse.close()
    landed = home / "landing" / "by_sha256" / "abc.csv"
    landed.write_bytes(b"RepCRD\n1\n")
    landed.chmod(0o440)
    os.utime(landed, ns=(1_700_000_000_123_456_789, 1_700_000_000_123_456_789))
    with closing(sqlite3.connect(home / "dagster" / "runs.db")) as storage, storage:
        storage.execute("CREATE TABLE runs AS SELECT 'one' AS run")
    return Settings(home=home, data=home / "landing")


def content(home: Path) -> dict[str, tuple[str, int, int]]:
    """Digest, permissions and time of change by path; folders too."""
    ours = (p for p in sorted(home.rglob("*")) if p.relative_to(home).parts[0] != "tmp")
    found = {}
    for path in ours:
        name = path.relative_to(home).as_posix()
        if name.startswith("warehouse.") and name != "warehouse.duckdb":
            continue
        data = path.read_bytes() if path.is_file() else b"folder"
        stat = path.stat()
        found[name] = (
            hashlib.sha256(data).hexdigest(),
            *((stat.st_mode, stat.st_mtime_ns) if path.is_file() else (0, 0)),
        )
    return found


def test_the_restored_home_is_the_one_that_was_backed_up(settings: Settings, tmp_path: Path) -> None:
    before = content(settings.home)
    made = back_up(settings, tmp_path / "b.tar", quiet)
    restored = restore(tmp_path / "b.tar", tmp_path / "elsewhere" / "home", quiet)
    assert made == restored
    assert content(tmp_path / "elsewhere" / "home") == before
    assert "landing/by_sha256/abc.csv" in before
    assert before["outbox"] == content(tmp_path / "elsewhere" / "home")["outbox"]
    # It is a home: its ledger can be read, and its warehouse opened.
    read_ledger(Settings(home=tmp_path / "elsewhere" / "home", data=tmp_path))
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["home"]


def test_what_is_of_the_moment_is_left_out(settings: Settings, tmp_path: Path) -> None:
    made = back_up(settings, tmp_path / "b.tar", quiet)
    names = {entry.path for entry in made.entries}
    assert names == {"dagster/runs.db", "landing/by_sha256/abc.csv", "warehouse.duckdb"}


def test_dagsters_storage_is_copied_whole_while_it_is_written(settings: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(settings.home / "dagster" / "runs.db")) as storage:
        storage.execute("PRAGMA journal_mode = WAL")
        with storage:
            storage.execute("INSERT INTO runs VALUES ('two')")
        assert (settings.home / "dagster" / "runs.db-wal").stat().st_size > 0
        back_up(settings, tmp_path / "b.tar", quiet)
    restore(tmp_path / "b.tar", tmp_path / "again", quiet)
    with closing(sqlite3.connect(tmp_path / "again" / "dagster" / "runs.db")) as storage:
        assert storage.execute("SELECT run FROM runs").fetchall() == [("one",), ("two",)]


def test_it_waits_for_a_writer_and_says_who_it_is(settings: Settings, tmp_path: Path) -> None:
    holding = """
import sys, time
from pathlib import Path
from leadscore_v6.warehouse.lease import Lease
with Lease(Path(sys.argv[1]), command="a long run"):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(settings.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        writer.stdout.readline()
        impatient = Settings(home=settings.home, data=settings.data, lease_wait_seconds=0.1)
        with pytest.raises(WarehouseBusy, match="a long run"):
            back_up(impatient, tmp_path / "b.tar", quiet)
        writer.stdin.close()
    assert list(tmp_path.glob("*b.tar*")) == []


@pytest.mark.parametrize("where", ["there.tar", "home/b.tar", "there.tar/b.tar"])
def test_nothing_is_written_over_and_nothing_into_the_home_itself(
    settings: Settings, tmp_path: Path, where: str
) -> None:
    (tmp_path / "there.tar").write_text("another backup")
    with pytest.raises(UsageError, match=r"is there already|lies in the home|/b\.tar cannot be .* is no folder"):
        back_up(settings, tmp_path / where, quiet)
    assert (tmp_path / "there.tar").read_text() == "another backup"


def test_a_home_is_never_restored_over(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "b.tar", quiet)
    before = content(settings.home)
    with pytest.raises(UsageError, match="never writes over a home"):
        restore(tmp_path / "b.tar", settings.home, quiet)
    assert content(settings.home) == before
    with pytest.raises(UsageError, match="There is no backup"):
        restore(tmp_path / "c.tar", tmp_path / "again", quiet)


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2 // 512 * 512])


def alter(archive: Path) -> None:
    data = archive.read_bytes()
    assert data.count(b"RepCRD\n1\n") == 1
    archive.write_bytes(data.replace(b"RepCRD\n1\n", b"RepCRD\n2\n"))


def alter_the_list(archive: Path) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data.replace(b'"path": "warehouse.duckdb"', b'"path": "warehouse.duckdX"'))


def no_archive(archive: Path) -> None:
    archive.write_text("RepCRD\n")


def outside(archive: Path) -> None:
    with tarfile.open(archive, "w") as tar:
        header = tarfile.TarInfo("../outside.txt")
        header.size = 1
        tar.addfile(header, io.BytesIO(b"x"))


def a_link(archive: Path) -> None:
    with tarfile.open(archive, "w") as tar:
        header = tarfile.TarInfo("warehouse.duckdb")
        header.type, header.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        tar.addfile(header)


def another_format(archive: Path) -> None:
    with tarfile.open(archive, "w") as tar:
        text = b'{"format": 2, "files": [], "folders": []}'
        header = tarfile.TarInfo(LIST)
        header.size = len(text)
        tar.addfile(header, io.BytesIO(text))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, r"has no list of its files|cannot be read as an archive"),
        (alter, r"was altered: landing/by_sha256/abc.csv"),
        (alter_the_list, r"lacks, or adds, warehouse.duckd"),
        (no_archive, r"cannot be read as an archive"),
        (outside, r"names a file outside of its home"),
        (a_link, r"holds something that no backup does"),
        (another_format, r"has format 2"),
    ],
)
def test_a_damaged_backup_makes_no_home(
    settings: Settings, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    back_up(settings, tmp_path / "b.tar", quiet)
    damage(tmp_path / "b.tar")
    with pytest.raises(InputError, match=says):
        restore(tmp_path / "b.tar", tmp_path / "x" / "again", quiet)
    assert list((tmp_path / "x").iterdir()) == []
    assert not (tmp_path / "outside.txt").exists()


def test_a_file_that_changes_meanwhile_is_no_backup(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, add = settings.home / "landing" / "feed.csv", backup._add
    inbox.write_text("RepCRD\n")

    def delivering(archive: tarfile.TarFile, name: str, *given: Any) -> Entry:
        entry = add(archive, name, *given)
        if name.endswith("feed.csv"):
            inbox.write_text("RepCRD\n1\n")
        return entry

    monkeypatch.setattr(backup, "_add", delivering)
    with pytest.raises(InputError, match=r"written while it was backed up \(file .*feed.csv"):
        back_up(settings, tmp_path / "b.tar", quiet)
    assert list(tmp_path.glob("*b.tar*")) == []


def test_only_its_owner_may_read_a_backup_or_what_is_being_restored(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds personal data (R57)."""
    umask = os.umask(0)
    try:
        back_up(settings, tmp_path / "b.tar", quiet)
        assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
        seen = set()
        honest = backup._held_against

        def looking(file: Path, folder: Path, *given: Any) -> Any:
            seen.update(path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file())
            return honest(file, folder, *given)

        monkeypatch.setattr(backup, "_held_against", looking)
        restore(tmp_path / "b.tar", tmp_path / "again", quiet)
    finally:
        os.umask(umask)
    assert seen == {0o600}


def test_of_two_backups_into_one_file_one_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = backup._write

    def while_another_ends(*given: Any) -> Any:
        made = write(*given)
        (tmp_path / "b.tar").write_text("of another home")
        return made

    monkeypatch.setattr(backup, "_write", while_another_ends)
    with pytest.raises(UsageError, match="has come meanwhile"):
        back_up(settings, tmp_path / "b.tar", quiet)
    assert (tmp_path / "b.tar").read_text() == "of another home"
    assert list(tmp_path.glob(".*b.tar*")) == []


def test_a_disk_without_hard_links_takes_a_backup_too_and_replaces_none(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(_whole: Path, file: Path) -> None:
        if file.name == "late.tar":
            file.write_text("of another home")
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    back_up(settings, tmp_path / "b.tar", quiet)
    restore(tmp_path / "b.tar", tmp_path / "again", quiet)
    with pytest.raises(UsageError, match="has come meanwhile"):
        back_up(settings, tmp_path / "late.tar", quiet)
    assert (tmp_path / "late.tar").read_text() == "of another home"


KILLED = """
import os, signal, sys
from pathlib import Path
from leadscore_v6.backup import back_up
from leadscore_v6.settings import Settings
honest = os.link
def link(*given):
    if sys.argv[3] == "after":
        honest(*given)
    os.kill(os.getpid(), signal.SIGKILL)
os.link = link
back_up(Settings(home=Path(sys.argv[1]), data=Path(sys.argv[1])), Path(sys.argv[2]), print)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_backup_is_whole_or_has_no_name_and_the_next_clears_it_away(
    settings: Settings, tmp_path: Path, moment: str
) -> None:
    """Killed just before, or after, the archive gets its name."""
    out = tmp_path / "out"
    killed = [sys.executable, "-c", KILLED, str(settings.home), str(out / "b.tar"), moment]
    assert subprocess.run(killed, check=False, capture_output=True).returncode == -signal.SIGKILL
    left = {path.name for path in out.iterdir()}
    if moment == "before":
        assert not (out / "b.tar").exists()
    else:
        restore(out / "b.tar", tmp_path / "again", quiet)
    # It holds personal data: it goes, and what another process is still writing stays.
    (out / ".c.tar.1.backup.tmp").touch()
    with (out / ".c.tar.1.backup.tmp").open("rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_SH)
        back_up(settings, out / "next.tar", quiet)
    found = {path.name for path in out.iterdir()}
    assert left - found == {name for name in left if name.startswith(".")} != set()
    assert ".c.tar.1.backup.tmp" in found


def test_a_backup_that_another_one_took_for_left_behind_begins_anew(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, times = fcntl.flock, []  # cleared away between its making and its lock

    def late(file: object, how: int) -> None:
        if how == fcntl.LOCK_SH and not times:
            times.extend(path.unlink() for path in tmp_path.glob(".b.tar.*"))
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", late)
    made = back_up(settings, tmp_path / "b.tar", quiet)
    assert (times, restore(tmp_path / "b.tar", tmp_path / "again", quiet)) == ([None], made)


def test_of_two_restores_into_one_home_one_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(settings, tmp_path / "b.tar", quiet)
    read = backup._read

    def while_another_ends(*given: Any) -> Any:
        made = read(*given)
        (tmp_path / "again").mkdir()
        (tmp_path / "again" / "warehouse.duckdb").touch()
        return made

    monkeypatch.setattr(backup, "_read", while_another_ends)
    with pytest.raises(UsageError, match="has come meanwhile"):
        restore(tmp_path / "b.tar", tmp_path / "again", quiet)
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["warehouse.duckdb"]


def test_a_file_that_is_gone_meanwhile_is_no_backup_and_one_that_is_not_whole_is_no_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.home / "outbox" / ".alert.json.17.tmp").write_text("{")
    made = back_up(settings, tmp_path / "a.tar", quiet)
    assert not [entry.path for entry in made.entries if "alert" in entry.path]
    inbox = settings.home / "landing" / "feed.csv"
    inbox.write_text("RepCRD\n")
    honest = backup._members

    def taken_away(folder: Path) -> Any:
        for path in honest(folder):
            if path == inbox:
                inbox.unlink(missing_ok=True)
            yield path

    monkeypatch.setattr(backup, "_members", taken_away)
    with pytest.raises(InputError, match=r"written while it was backed up \(file .*feed.csv"):
        back_up(settings, tmp_path / "b.tar", quiet)


def test_a_link_is_not_followed(settings: Settings, tmp_path: Path) -> None:
    (settings.home / "artifacts").symlink_to(tmp_path)
    with pytest.raises(InputError, match="plain files and folders"):
        back_up(settings, tmp_path / "b.tar", quiet)
    assert list(tmp_path.glob("*b.tar*")) == []


def test_a_full_disk_leaves_nothing(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="No space left"):
        back_up(settings, tmp_path / "out" / "b.tar", quiet)
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_home_there_is_nothing_to_back_up(settings: Settings, tmp_path: Path) -> None:
    shutil.rmtree(settings.home)
    with pytest.raises(UsageError, match="There is no warehouse"):
        back_up(settings, tmp_path / "b.tar", quiet)
    with pytest.raises(UsageError, match="BigQuery"):
        back_up(Settings(home=settings.home, data=settings.data, engine="bigquery"), tmp_path / "b.tar", quiet)
