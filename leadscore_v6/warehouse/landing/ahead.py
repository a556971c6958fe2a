"""Landing the next files while the engine works on this one.

Belongs here: starting landings early and handing each result over once. Does not belong here: what landing is
(`store.py`), or remembering it (the ledger).

Landing is one thread of Python, numpy and system calls; the engine's transform fills the other core. A process that
runs several snapshots one after the other starts all landings here first; a step then takes the result, or lands the
file itself if nobody started it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from leadscore_v6.warehouse.landing.store import Landed, land

_started: dict[tuple[Path, Path], Future[Landed]] = {}


@contextmanager
def landing_ahead(paths: Iterable[Path], store: Path, expected: Sequence[str]) -> Iterator[None]:
    """Land the files in order, in the background, while the block runs; what was not taken is dropped at its end."""
    threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="landing-ahead")
    mine = [(path.absolute(), store) for path in paths]
    for path, into in mine:
        _started[path, into] = threads.submit(land, path, into, expected)
    try:
        yield
    finally:
        threads.shutdown(cancel_futures=True)
        for key in mine:
            _started.pop(key, None)


def land_once(path: Path, store: Path, expected: Sequence[str]) -> Landed:
    """The landing that was started for this file, or one made now. Raises InputError as `land` does."""
    future = _started.pop((path.absolute(), store), None)
    return future.result() if future is not None else land(path, store, expected)
