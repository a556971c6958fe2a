"""A home as one file, and back: backup under the lease, restore only of what is whole, both by digests.

Belongs here: which files of a home are backed up, writing the archive, and reading it back. Does not belong here: the
lease (warehouse/lease.py), what a killed process leaves (unfinished.py), commands (cli_production.py). A home on
BigQuery has its tables there: the project's own snapshots are its backup.

The archive is a plain tar, so that it can be read without this program. Its last member is the list of all files with
their SHA-256: an archive that was cut off has none, and is refused before anything of it is believed.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from leadscore_v6.errors import InputError, LeadscoreError, UsageError, ran_out_of_space
from leadscore_v6.gates.bench import lease, require_home
from leadscore_v6.locations import make_folder, writing
from leadscore_v6.settings import Settings
from leadscore_v6.unfinished import archive_of, clear_away, folder_of, new_file, new_folder
from leadscore_v6.warehouse.lease import HOLDER_FILE, LOCK_FILE

FORMAT = 1
LIST = "leadscore-backup.json"
# No part of a home: who holds the warehouse, what its engine has spilled, the list of a backup unpacked by hand.
_LEFT_OUT = {LOCK_FILE, HOLDER_FILE, "tmp", LIST}
_CHUNK = 1 << 20
# What a disk without hard links says of one: FAT, and some network shares.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """One file: path in the home, bytes, SHA-256, permissions, when it was changed (a landed file is known by it)."""

    path: str
    size: int
    sha256: str
    mode: int
    mtime_ns: int


@dataclass(frozen=True)
class Backup:
    """What an archive holds. `folders` are there for those that are empty."""

    entries: tuple[Entry, ...]
    folders: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)

    def __str__(self) -> str:
        """As a command prints it."""
        return f"{len(self.entries):,} files, {self.size:,} bytes"


def back_up(settings: Settings, file: Path, progress: Progress) -> Backup:
    """Write the whole home into `file`, which only its owner may read, while nobody can write to its warehouse.

    It is written beside `file` and gets its name when it is whole; what a killed backup has left there is deleted, and
    what a killed restore has left beside the home.
    Raises UsageError: no embedded warehouse, `file` is there already or inside the home, no space; WarehouseBusy;
    InputError when a file changes meanwhile or is no plain file.
    """
    if settings.engine != "duckdb":
        raise UsageError("backup is for an embedded home; on BigQuery the tables are the project's to back up.")
    require_home(settings)
    file = file.absolute()
    if file.exists():
        raise UsageError(f"{file} is there already; a backup never replaces another one. Name a new file.")
    if file.is_relative_to(settings.home):
        raise UsageError(f"{file} lies in the home that it is to back up; name a file elsewhere.")
    temporary = archive_of(file)
    with lease(settings, progress), _space(file.parent):
        try:
            with writing(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                for folder in {file.parent, settings.home.absolute().parent}:
                    clear_away(folder, progress)
                archive = new_file(temporary)
            with archive as sink:
                made = _write(settings.home, sink, progress)
                sink.flush()
                os.fsync(sink.fileno())
                _name(temporary, file)
        finally:
            with suppress(NotADirectoryError):  # its folder is a file: that is said already
                temporary.unlink(missing_ok=True)
    return made


def _name(whole: Path, file: Path) -> None:
    """Give a backup its name. A link replaces nothing, as a rename would: of two at once one is refused."""
    try:
        try:
            os.link(whole, file)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # Killed between the two lines it leaves an empty file, which `restore` refuses.
            new_file(file).close()
            whole.replace(file)
    except FileExistsError:
        raise UsageError(f"{file} has come meanwhile; a backup never replaces another one. Name a new file.") from None


def restore(file: Path, home: Path, progress: Progress) -> Backup:
    """Make the home of an archive at `home`, which may not be there yet (or is an empty folder).

    It appears whole or not at all: every file is written beside it and held against its digest first. What a killed
    restore has left there is deleted. Raises UsageError: no such archive, a home is there, no space; InputError: the
    archive is cut off, altered, not ours.
    """
    if not file.is_file():
        raise UsageError(f"There is no backup {file}.")
    home = home.absolute()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(f"{home} is there already; a restore never writes over a home. Name another with --home.")
    make_folder(home.parent)
    clear_away(home.parent, progress)
    beside = folder_of(home)
    with _space(home.parent), new_folder(beside):
        restored = _read(file, beside, progress)
        _take_the_place(beside, home)
    return restored


def _take_the_place(beside: Path, home: Path) -> None:
    try:
        beside.rename(home)  # an empty folder is replaced
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise UsageError(f"{home} has come meanwhile; a restore never writes over a home. Name another one.") from None


# --- writing --------------------------------------------------------------------------------------------------------


def _write(home: Path, sink: IO[bytes], progress: Progress) -> Backup:
    entries, folders = [], []
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in _members(home):
            name = path.relative_to(home).as_posix()
            if name.partition("/")[0] in _LEFT_OUT:
                continue
            if path.is_dir() and not path.is_symlink():
                folders.append(name)
                continue
            progress(f"  {name}")
            with _still(path) as content:
                entries.append(_add(archive, name, path, content))
        told = {"format": FORMAT, "files": [asdict(entry) for entry in entries], "folders": folders}
        text = json.dumps(told, indent=1).encode()
        archive.addfile(_header(LIST, len(text)), io.BytesIO(text))
    return Backup(tuple(entries), tuple(folders))


def _members(folder: Path) -> Iterator[Path]:
    """Files and folders below a home, sorted, each folder before what is in it."""
    for path in sorted(folder.iterdir()):
        # What SQLite has beside a .db belongs to the process that has it open; the copy has it in itself.
        if path.name.endswith((".db-wal", ".db-shm", ".db-journal")):
            continue
        # What is just being written beside its place (an alert, the lease's holder) is no file of the home yet.
        if path.name.startswith(".") and path.name.endswith(".tmp"):
            continue
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise InputError(
                "A home holds plain files and folders; this is none",
                file=str(path),
                remedy="put the file itself there, or move it out of the home.",
            )
        yield path
        if path.is_dir():
            yield from _members(path)


@contextmanager
def _still(path: Path) -> Iterator[IO[bytes]]:
    """A file's content as of one moment. Dagster's own storage is written without the lease: SQLite copies it whole."""
    if path.suffix == ".db":
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            try:
                with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
                    source.backup(target)
            except sqlite3.DatabaseError as error:
                remedy = "move the file out of the home, or end what is writing to it; then back up again."
                raise InputError(f"SQLite cannot copy it: {error}", file=str(path), remedy=remedy) from None
            with copy.open("rb") as content:
                yield content
        return
    changed = InputError(
        "A file of the home was written while it was backed up",
        file=str(path),
        remedy="let the file be delivered, then back up again.",
    )
    try:
        before = path.stat()
        with path.open("rb") as content:
            yield content
        after = path.stat()
    except FileNotFoundError:
        raise changed from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise changed


class _Hashing:
    """A stream that is hashed while tarfile reads it."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content, self.digest = content, hashlib.sha256()

    def read(self, size: int) -> bytes:
        block = self._content.read(size)
        self.digest.update(block)
        return block


def _add(archive: tarfile.TarFile, name: str, path: Path, content: IO[bytes]) -> Entry:
    size, stat = os.fstat(content.fileno()).st_size, path.stat()
    hashing: Any = _Hashing(content)
    archive.addfile(_header(name, size), hashing)
    return Entry(name, size, hashing.digest.hexdigest(), stat.st_mode & 0o777, stat.st_mtime_ns)


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o600
    return header


# --- reading --------------------------------------------------------------------------------------------------------


def _read(file: Path, folder: Path, progress: Progress) -> Backup:
    found: dict[str, tuple[int, str]] = {}
    listed: bytes | None = None
    try:
        with tarfile.open(file, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or listed is not None:
                    raise _no_backup(file, "holds something that no backup does")
                if member.name == LIST:
                    listed = content.read()
                    continue
                progress(f"  {member.name}")
                found[member.name] = _extract(content, _inside(folder, file, member.name))
    except (tarfile.TarError, EOFError) as error:
        raise _no_backup(file, f"cannot be read as an archive ({error})") from None
    if listed is None:
        raise _no_backup(file, "has no list of its files: it was cut off, or is none of ours")
    return _held_against(file, folder, found, listed)


def _inside(folder: Path, file: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
        raise _no_backup(file, "names a file outside of its home")
    return folder.joinpath(*parts)


def _extract(content: IO[bytes], path: Path) -> tuple[int, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with new_file(path) as target:
        while block := content.read(_CHUNK):
            digest.update(block)
            target.write(block)
            size += len(block)
    return size, digest.hexdigest()


def _held_against(file: Path, folder: Path, found: dict[str, tuple[int, str]], listed: bytes) -> Backup:
    try:
        told = json.loads(listed)
        if told["format"] != FORMAT:
            raise _no_backup(file, f"has format {told['format']}, and this version reads {FORMAT}")
        backup = Backup(tuple(Entry(**entry) for entry in told["files"]), tuple(map(str, told["folders"])))
    except (ValueError, KeyError, TypeError):
        raise _no_backup(file, "has a list of files that cannot be read") from None
    if strange := sorted({entry.path for entry in backup.entries} ^ set(found)):
        raise _no_backup(file, f"lacks, or adds, {strange[0]}")
    for entry in backup.entries:
        if found[entry.path] != (entry.size, entry.sha256):
            raise _no_backup(file, f"was altered: {entry.path} has not the SHA-256 that it was backed up with")
    for name in backup.folders:
        _inside(folder, file, name).mkdir(parents=True, exist_ok=True)
    for entry in backup.entries:
        path = _inside(folder, file, entry.path)
        path.chmod(entry.mode)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
    return backup


def _no_backup(file: Path, what: str) -> InputError:
    return InputError(f"The backup {what}; nothing was restored", file=str(file), remedy="use another backup.")


@contextmanager
def _space(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, LeadscoreError) or not ran_out_of_space(error):
            raise
        raise UsageError(f"No space left on the disk of {folder}; nothing was left there.") from None
