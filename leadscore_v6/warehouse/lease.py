"""One writer at a time on an embedded warehouse (R44).

Belongs here: the lock, who holds it, waiting for it. Does not belong here: what is done while it is held.

The lock is the kernel's (flock on `warehouse.lock`): it goes with the process, however that ends, so nothing has to be
cleaned up after a crash. `warehouse.holder.json` beside it only tells people who holds the lock; it decides nothing,
and one that a killed process left behind is ignored.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from leadscore_v6.errors import WarehouseBusy
from leadscore_v6.locations import make_folder, writing

LOCK_FILE = "warehouse.lock"
HOLDER_FILE = "warehouse.holder.json"
_POLL_SECONDS = 0.05
# A reader that looks whether the lock is held holds it shared for some microseconds. A writer that may not wait tries
# again for this long, so that a look is never mistaken for a holder.
_LOOK_SECONDS = 0.3
_PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Holder:
    """The process that holds the warehouse. `since` and `heartbeat` are ISO 8601 UTC; what is not known is None."""

    pid: int | None = None
    host: str | None = None
    command: str | None = None
    since: str | None = None
    heartbeat: str | None = None

    def __str__(self) -> str:
        """As a message names it."""
        if self.pid is None:
            return "a process that is just starting"
        return f"process {self.pid} on {self.host} ({self.command}), since {self.since}, last seen {self.heartbeat}"


class Lease:
    """The right to write to the warehouse of one home, as a context manager.

    Several leases of one home in one process are one lease: it is let go when the last of them is (the resources of a
    run each take it). Safe to use from several threads. `wait_seconds` is how long to wait for another process;
    `progress` meanwhile gets a line naming the holder, every few seconds. `command` is what other processes are told
    that this one does; by default it is this process's own command line.

    Entering raises WarehouseBusy, naming the holder, when the wait is over.
    """

    def __init__(
        self,
        home: Path,
        wait_seconds: float = 60.0,
        progress: Callable[[str], None] | None = None,
        command: str | None = None,
        heartbeat_seconds: float = 5.0,
    ) -> None:
        """Nothing is locked until the lease is entered."""
        self._home = home
        self._wait_seconds = wait_seconds
        self._progress = progress
        self._command = command or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        self._heartbeat_seconds = heartbeat_seconds
        self._entered: list[_HomeLock] = []

    def __enter__(self) -> Self:
        """Take the warehouse, or wait for it. Raises WarehouseBusy."""
        lock = _locks.of(self._home)
        with lock.guard:
            if lock.count == 0:
                self._wait_for(lock)
                lock.tell(self._command, self._heartbeat_seconds)
            lock.count += 1
        self._entered.append(lock)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go, if no other lease of this process still holds it."""
        lock = self._entered.pop()
        with lock.guard:
            lock.count -= 1
            if lock.count == 0:
                lock.release()

    def _wait_for(self, lock: _HomeLock) -> None:
        started, told = time.monotonic(), -_PROGRESS_SECONDS
        while not lock.try_lock():
            waited = time.monotonic() - started
            if waited >= max(self._wait_seconds, _LOOK_SECONDS):
                raise WarehouseBusy(
                    f"The warehouse in {self._home} is held by {_read_holder(self._home)}; waited {waited:.0f} s.\n"
                    "  what to do: run again when that process has ended, or wait longer (LEADSCORE_LEASE_WAIT_SECONDS)"
                )
            if self._progress and waited >= told + _PROGRESS_SECONDS:
                told = waited
                left = max(self._wait_seconds - waited, 0)
                self._progress(f"waiting for {_read_holder(self._home)}, {left:.0f} s more")
            time.sleep(_POLL_SECONDS)


def holder(home: Path) -> Holder | None:
    """Who holds the warehouse of `home` now, or None. Never waits, and never keeps a writer from it."""
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # Shared, so that two readers that look at once do not take each other for a holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(home)
    finally:
        os.close(descriptor)
    return None


class _HomeLock:
    """The state of one home's lock in this process; `guard` protects it."""

    def __init__(self, home: Path) -> None:
        self.guard = threading.Lock()
        self.count = 0
        self._home = home
        self._descriptor: int | None = None
        self._stop = threading.Event()
        self._heart: threading.Thread | None = None

    def try_lock(self) -> bool:
        make_folder(self._home)
        with writing(self._home):
            descriptor = os.open(self._home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def tell(self, command: str, heartbeat_seconds: float) -> None:
        now = _now()
        me = Holder(os.getpid(), socket.gethostname(), command, now, now)
        _write_holder(self._home, me)
        self._stop = threading.Event()
        self._heart = threading.Thread(
            target=_beat, args=(self._home, me, self._stop, heartbeat_seconds), name="warehouse-lease", daemon=True
        )
        self._heart.start()

    def release(self) -> None:
        self._stop.set()
        if self._heart is not None:
            self._heart.join()
        # First the name, then the lock: the other way round it could be the next holder's name that goes.
        with suppress(OSError):
            (self._home / HOLDER_FILE).unlink()
        self.drop()

    def drop(self) -> None:
        """Close the lock file. In a forked child this leaves the parent's lock as it is."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _Locks:
    """The locks of this process, by home."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._by_home: dict[Path, _HomeLock] = {}

    def of(self, home: Path) -> _HomeLock:
        with self._guard:
            return self._by_home.setdefault(home.resolve(), _HomeLock(home.resolve()))

    def forget(self) -> None:
        """Start anew in a forked child: with the parent's lock file open it would keep the lock after the parent."""
        for lock in self._by_home.values():
            lock.drop()
        self._guard = threading.Lock()
        self._by_home = {}


_locks = _Locks()
os.register_at_fork(after_in_child=_locks.forget)


def _beat(home: Path, me: Holder, stop: threading.Event, every_seconds: float) -> None:
    while not stop.wait(every_seconds):
        _write_holder(home, Holder(me.pid, me.host, me.command, me.since, _now()))


def _write_holder(home: Path, me: Holder) -> None:
    temporary = home / f".{HOLDER_FILE}.tmp"  # only the holder writes, so one name does
    # A full disk must not end a run because its name cannot be shown: the lock is held all the same.
    with suppress(OSError):
        temporary.write_text(json.dumps(asdict(me)), encoding="utf-8")
        temporary.replace(home / HOLDER_FILE)


def _read_holder(home: Path) -> Holder:
    try:
        content = json.loads((home / HOLDER_FILE).read_text(encoding="utf-8"))
        found = Holder(**content)
    except (OSError, ValueError, TypeError):
        return Holder()
    # The lock is held, but the file may still be that of a killed process: the new one writes its own in a moment.
    if found.host == socket.gethostname() and found.pid is not None and not _alive(found.pid):
        return Holder()
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _now() -> str:
    """The wall clock, for people to read; nothing is decided by it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251
