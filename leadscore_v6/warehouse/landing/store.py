"""The store of landed files: each is kept under the SHA-256 of its content, and never changed.

Belongs here: the one pass over a file that lands it. Does not belong here: what a table makes of it.

The file is read once: the same bytes go to the digest, to the copy and to the reader that counts records. Digest and
copy run in threads of their own (hashlib and file writes let go of the interpreter's lock). A landed file is a copy, or
a reflink where the file system has them; never a link whose content can change (R55).

An object of a bucket is landed by the same pass, while it is downloaded; it is transferred once.

The copy is not forced to the disk: that would cost more than all the rest, and the original is still there. What a
power cut leaves of a copy is shorter than the file, and is landed again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

from leadscore_v6.errors import InputError
from leadscore_v6.locations import Location, generation, is_local, open_object, reaching
from leadscore_v6.warehouse.landing.header import Column, Header, read_header
from leadscore_v6.warehouse.landing.records import RecordReader
from leadscore_v6.warehouse.landing.rows import first_ragged_record, parse_record

_PIECE_BYTES = 1 << 21
_WRITE_BYTES = 1 << 18
_FICLONE = 0x40049409  # Linux: _IOW(0x94, 9, int)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_serial = itertools.count()
# Size in bytes; what else changes with the content: the modification time in ns, or the generation of an object.
_Identity: TypeAlias = tuple[int, int | str]


@dataclass(frozen=True)
class Landed:
    """A landed file: `path` is in the store, `size` in bytes, `records` without the header, `newline` LF or CRLF."""

    digest: str
    path: Path
    size: int
    records: int
    columns: tuple[Column, ...]
    bom: bool
    newline: str
    synthetic: bool
    file_name: str

    @property
    def header(self) -> tuple[str, ...]:
        """The columns as the file spells them, in file order."""
        return tuple(column.original for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in a table, in file order."""
        return tuple(column.name for column in self.columns)


def land(path: Location, store: Path, expected: Sequence[str]) -> Landed:
    """Check `path` and keep it as `store/<sha256>.csv`; content that the store has is not written again.

    Raises InputError, with nothing left behind: the file cannot be read, is empty, is no clean CSV (`RecordReader`),
    lacks a column of `expected` or breaks another rule for headers (`read_header`), stops within its last record,
    changes meanwhile, or does not fit on the disk. A file with a header only lands, with 0 records: a gate stops it.
    """
    with _named_errors(path, store), reaching(path), _opened(path) as (source, before):
        start = source.read(_PIECE_BYTES)
        header = read_header(start, expected, str(path))
        store.mkdir(parents=True, exist_ok=True)
        _sweep(store)
        # Reading twice is cheaper than writing for nothing, and a file of the same size is most often the same file.
        # Not so out of a bucket: there, reading is what takes the time.
        if is_local(path) and any(entry.stat().st_size == before[0] for entry in store.glob("*.csv")):
            facts = _read(source, header, path)
            _refuse_changed(source, before, path, facts)
            if _is_kept(store, facts):
                return facts.landed(store)
        facts = _copy(source, header, path, store, before)
        return facts.landed(store)


def verify(stored: Path, digest: str, file_name: str) -> None:
    """Raise InputError if a stored file is gone or its content is no longer the one that landed as `file_name`."""
    found = _digest(stored)
    if found != digest:
        raise InputError(
            "A landed file is gone." if found is None else "A landed file has changed since it was landed.",
            file=str(stored),
            remedy=f"remove it, put {file_name} into the folder of the feed, and run again: it is landed anew.",
        )


def _digest(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class _Facts:
    """What one pass found out."""

    digest: str
    size: int
    records: int
    newline: str
    header: Header
    file_name: str

    def landed(self, store: Path) -> Landed:
        return Landed(
            digest=self.digest,
            path=store / f"{self.digest}.csv",
            size=self.size,
            records=self.records,
            columns=self.header.columns,
            bom=self.header.bom,
            newline=self.newline,
            synthetic=self.header.synthetic,
            file_name=self.file_name,
        )


def _copy(source: BinaryIO, header: Header, path: Location, store: Path, before: _Identity) -> _Facts:
    temporary = store / f".landing-{os.getpid()}-{next(_serial)}.tmp"
    try:
        with temporary.open("xb+", buffering=0) as copy:
            if _reflinked(source, copy):
                facts = _read(copy, header, path)
            else:
                _refuse_full_disk(before[0], path, store)
                facts = _read(source, header, path, copy)
        _refuse_changed(source, before, path, facts)
        if not _is_kept(store, facts):
            temporary.chmod(0o444)
            temporary.replace(store / f"{facts.digest}.csv")
    finally:
        temporary.unlink(missing_ok=True)
    return facts


def _read(source: BinaryIO, header: Header, path: Location, copy: BinaryIO | None = None) -> _Facts:
    """The one pass. Digest and copy of a piece go on while the next piece is read and counted."""
    source.seek(0)
    digest = hashlib.sha256()
    reader = RecordReader(str(path))
    size = 0
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="landing") as threads:
        running: list[Future[Any]] = []
        while piece := source.read(_PIECE_BYTES):
            for done in running:
                done.result()
            running = [threads.submit(digest.update, piece)]
            if copy is not None:
                running.append(threads.submit(_write_all, copy, piece))
            reader.feed(piece)
            size += len(piece)
        for done in running:
            done.result()
    reader.finish()
    if not reader.ends_with_line_end:
        _refuse_truncated(source, reader, header, path)
    if reader.commas != reader.records * (len(header.columns) - 1):
        # Named as the file, read where reading again costs nothing.
        _refuse_ragged(header, path, path if isinstance(path, Path) else Path(cast(BinaryIO, copy).name))
    newline = "\r\n" if reader.crlf else "\n"
    return _Facts(digest.hexdigest(), size, reader.records - 1, newline, header, path.name)


def _write_all(copy: BinaryIO, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        # Measured: larger writes cost the file system four times the CPU.
        rest = rest[copy.write(rest[:_WRITE_BYTES]) :]


def _refuse_truncated(source: BinaryIO, reader: RecordReader, header: Header, path: Location) -> None:
    source.seek(reader.last_record_at)
    fields = len(parse_record(source.read().decode("utf-8")))
    if fields != len(header.columns):
        raise InputError(
            f"The last record is cut off: {fields} of {len(header.columns)} fields (line {reader.last_record_line}).",
            file=str(path),
            row=reader.last_record_line,
            remedy="fetch the file again; the transfer or the export did not end",
        )


def _refuse_ragged(header: Header, path: Location, content: Path) -> None:
    """Name the first record whose fields are too few or too many; the totals have said that there is one."""
    ragged = first_ragged_record(content, len(header.columns))
    if ragged is not None:
        raise InputError(
            f"A record has {ragged.fields} fields where the header has {ragged.columns} (line {ragged.place.line}).",
            file=str(path),
            row=ragged.place.line,
            remedy="have the file delivered again, or mend this line; a field with a comma must be in quotes",
        )


def _reflinked(source: BinaryIO, copy: BinaryIO) -> bool:
    try:
        fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True


@contextmanager
def _opened(path: Location) -> Iterator[tuple[BinaryIO, _Identity]]:
    """The file, and its identity at that moment; an object's is asked for first, so that no upload comes in between."""
    if isinstance(path, Path):
        with path.open("rb", buffering=0) as file:
            yield file, _identity(file, path)
    else:
        before = int(path.stat().st_size), generation(path)
        with open_object(path) as file:
            yield file, before


def _identity(file: BinaryIO, path: Location) -> _Identity:
    if not isinstance(path, Path):
        return int(path.stat().st_size), generation(path)
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _is_kept(store: Path, facts: _Facts) -> bool:
    # Not by its size alone: a damaged one is written anew.
    return _digest(store / f"{facts.digest}.csv") == facts.digest


def _refuse_changed(source: BinaryIO, before: _Identity, path: Location, facts: _Facts) -> None:
    if _identity(source, path) != before or facts.size != before[0]:
        raise InputError(
            "The file changed while it was read.", file=str(path), remedy="land it when it is written completely"
        )


def _refuse_full_disk(size: int, path: Location, store: Path) -> None:
    status = os.statvfs(store)
    free = status.f_bavail * status.f_frsize
    if free < size:
        raise _no_space(path, store, f"{size:,} bytes are needed, {free:,} are free")


def _no_space(path: Location, store: Path, figures: str) -> InputError:
    return InputError(
        f"No space to land the file in {store}: {figures}.",
        file=str(path),
        remedy="free some space (leadscore gc --dry-run shows what can go), or move the home to a larger disk",
    )


def _sweep(store: Path) -> None:
    """Remove what killed landings left behind."""
    for path in store.glob(".landing-*.tmp"):
        pid = path.name.split("-")[1]
        if pid.isdigit() and int(pid) != os.getpid() and not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                path.unlink()


@contextmanager
def _named_errors(path: Location, store: Path) -> Iterator[None]:
    """What the system refuses, as an error that says what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError("This file does not exist.", file=str(path)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _NO_SPACE:
            raise _no_space(path, store, reason.lower()) from error
        raise InputError(f"The file cannot be landed in {store}: {reason}.", file=str(path)) from error
