"""Landing the next files while the engine works on this one.

Belongs here: starting landings early and handing each result over once. Does not belong here: what landing is
(`store.py`), or remembering it (the ledger).

Landing is one thread of Python, numpy and system calls; the engine's transform fills the other core. A process that
runs several snapshots one after the other starts all landings here first; a step then takes the result, or lands the
file itself if nobody started it, or if the file is another one by then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from leadscore_v6.locations import Location
from leadscore_v6.warehouse.landing.folder import FeedFile, file_mark
from leadscore_v6.warehouse.landing.store import Landed, land

# Seconds. numpy lets go of the interpreter's lock some ten thousand times a file, and each time has to wait this long
# for it while the main thread computes; with Python's default a file lands three times as slowly.
_SWITCH_INTERVAL = 0.0002


@dataclass
class _Early:
    """A landing that was started; `mark` is what its file looked like when it began to be read."""

    mark: str | None = None
    landed: Future[Landed] = field(default_factory=Future)


_started: dict[tuple[str, Path], _Early] = {}


@contextmanager
def landing_ahead(
    feeds: Iterable[FeedFile], store: Path, expected: Sequence[str], then: Callable[[FeedFile, Landed], None]
) -> Iterator[None]:
    """Land the files in order, in the background, while the block runs; what was not taken is dropped at its end.

    `then` is told of each that has landed, and should only set something going.
    """
    threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="landing-ahead")
    mine = {(str(feed.path.absolute()), store): feed for feed in feeds}

    over = Event()

    def land_and_tell(feed: FeedFile, early: _Early) -> Landed:
        early.mark = _mark(feed.path)
        landed = land(feed.path, store, expected)
        if not over.is_set():
            then(feed, landed)
        return landed

    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    for key, feed in mine.items():
        early = _started[key] = _Early()
        early.landed = threads.submit(land_and_tell, feed, early)
    try:
        yield
    finally:
        over.set()
        sys.setswitchinterval(before)
        threads.shutdown(cancel_futures=True)
        for key in mine:
            _started.pop(key, None)


def land_once(path: Location, store: Path, expected: Sequence[str]) -> Landed:
    """The landing that was started for this file, or one made now. Raises InputError as `land` does.

    One that was started before the file became what it is now says nothing about it, be it well or not.
    """
    early = _started.pop((str(path.absolute()), store), None)
    if early is not None:
        wait([early.landed])
        if early.mark is not None and early.mark == _mark(path):
            return early.landed.result()
    return land(path, store, expected)


def _mark(path: Location) -> str | None:
    with suppress(FileNotFoundError):
        return file_mark(path)
    return None
