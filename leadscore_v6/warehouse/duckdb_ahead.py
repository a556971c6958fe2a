"""Tables that DuckDB makes before a step asks for them.

Belongs here: what was begun, and handing it over. Does not belong here: which tables are worth it (assets/), making one
(`duckdb_engine.py`), or landing ahead (`landing/ahead.py`), which this follows.

A step takes a second of one core for Dagster and for its reports, in which the engine would have nothing to do, and the
transform of a landed file depends on nothing but the file. So a process that runs several snapshots begins the next
one's transform early. What was begun is taken only for what it is: the same select with the same parameters, on a table
that reads the same landed file in the same way. Otherwise the table is built when it is asked for, as ever. Nobody
reads a table under the name that it has until then; what a killed process left under such a name goes when the
warehouse is next opened for writing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

PREFIX = "ahead__"


@dataclass(frozen=True)
class Begun:
    """A table that is being made as `table` from `file_table`, which `source` must equal when the table is wanted."""

    table: str
    file_table: str
    source: str
    made: Future[None]


class TablesAhead:
    """What this process has begun in one warehouse file, whichever of its connections began it."""

    def __init__(self) -> None:
        """Nothing is begun."""
        self._begun: dict[str, Begun] = {}
        self._handed_over: set[Begun] = set()
        self._lock = Lock()

    def note(self, key: str, begun: Begun) -> None:
        """Remember a table that was begun."""
        with self._lock:
            self._begun[key] = begun

    @contextmanager
    def taken(self, key: str) -> Iterator[Begun | None]:
        """What was begun under that key, once it is made, for the block to take over; nobody else gets it.

        None if nothing was begun, or if its making failed: what failed early may go well now, or fails again where a
        person is told.
        """
        with self._lock:
            begun = self._begun.pop(key, None)
            self._handed_over |= {begun} if begun else set()
        try:
            if begun is not None:
                wait([begun.made])
            well = begun is not None and not begun.made.cancelled() and begun.made.exception() is None
            yield begun if well else None
        finally:
            with self._lock:
                self._handed_over -= {begun}

    def names(self) -> set[str]:
        """Full names that are in use."""
        with self._lock:
            kept = (*self._begun.values(), *self._handed_over)
            return {name for begun in kept for name in (begun.table, begun.file_table)}

    def forget(self) -> None:
        """Leave what nobody has taken to the next sweep."""
        with self._lock:
            self._begun.clear()


def key_of(select: str, params: Mapping[str, Any] | None) -> str:
    """What a table is asked for by: 12 hex digits of the select's text and its parameters."""
    given = json.dumps({name: repr(value) for name, value in (params or {}).items()}, sort_keys=True)
    return hashlib.sha256(f"{select}\n{given}".encode()).hexdigest()[:12]


_by_file: dict[Path, TablesAhead] = {}


def tables_ahead(file: Path) -> TablesAhead:
    """The tables begun in one warehouse file by this process."""
    return _by_file.setdefault(file.resolve(), TablesAhead())
