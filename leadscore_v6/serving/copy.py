"""The serving copy: the newest features of every advisor in one local SQLite file, keyed by CRD (R43).

Belongs here: writing that file from a frame, opening it, and the look-up of one advisor. Does not belong here: what
is in it (sql/serving_advisors_v6). SQLite by key takes a tenth of the time that a table of the warehouse takes, and
its file is the same on both engines. Whole numbers, decimals and texts come back as they went in, bit by bit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from leadscore_v6.artifacts.manifest import verify
from leadscore_v6.errors import InputError

FILE = "advisors.sqlite"
KEY = "FA_CRD__c"
# The key of the row that a lead gets whose advisor no snapshot knows (R25).
UNMATCHED = "unmatched"
_SQLITE = {"STRING": "TEXT", "INT64": "INTEGER", "FLOAT64": "REAL", "DATE": "TEXT"}
# Rows turned into Python's values at a time: at the plan's scale all of them would take gigabytes.
_CHUNK = 20_000


class NotACopy(InputError):
    """Rows, or a file, that are no serving copy."""


@dataclass(frozen=True)
class Known:
    """What the copy has of one advisor: values by column; days as `YYYY-MM-DD`. `matched`: a snapshot knows them."""

    features: Mapping[str, Any]
    matched: bool


def write_copy(folder: Path, frame: pd.DataFrame, columns: Mapping[str, str]) -> Path:
    """Write the file: `columns` (name -> GoogleSQL type) of `frame`, in the order of its rows; returns its path.

    The same frame gives the same bytes. Raises NotACopy, and leaves no file, when an advisor is there twice.
    """
    path = folder / FILE
    names = ", ".join(
        f'"{name}" {_SQLITE[kind]}{" PRIMARY KEY" if name == KEY else ""}' for name, kind in columns.items()
    )
    places = ", ".join("?" * len(columns))
    with closing(sqlite3.connect(path)) as connection, connection:
        # No journal: a file that a crash cuts short is never sealed.
        connection.execute("PRAGMA journal_mode = OFF")
        # Rows in the index itself: one descent per look-up, not two.
        connection.execute(f"CREATE TABLE advisors ({names}) WITHOUT ROWID")
        try:
            for first in range(0, len(frame), _CHUNK):
                part = frame.iloc[first : first + _CHUNK]
                values = [_plain(part[name], kind) for name, kind in columns.items()]
                connection.executemany(f"INSERT INTO advisors VALUES ({places})", zip(*values, strict=True))  # noqa: S608
        except sqlite3.IntegrityError as error:
            path.unlink()
            raise NotACopy(f"The serving copy cannot be written: {error}", file=FILE, column=KEY) from None
    return path


def open_copy(folder: Path, digest: str) -> ServingCopy:
    """The copy of a published folder, verified first. Raises InputError when a file is missing, cut off or altered."""
    verify(folder, digest)
    return ServingCopy(folder / FILE)


class ServingCopy:
    """Look-ups in one file, which nobody changes while it is open. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises NotACopy when the file is not such a copy, or lacks the row for unmatched leads."""
        # Immutable: no lock is taken and no journal looked for.
        uri = f"file:{_escaped(path)}?mode=ro&immutable=1"
        try:
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._names = tuple(row[1] for row in self._connection.execute("PRAGMA table_info(advisors)"))
            unmatched = self._row(UNMATCHED)
        except sqlite3.Error as error:
            raise NotACopy(f"The serving copy cannot be read: {error}", file=str(path)) from None
        if unmatched is None:
            raise NotACopy(f"The serving copy has no row {UNMATCHED!r}", file=str(path))
        self._unmatched = Known(unmatched, matched=False)

    def look_up(self, crd: str) -> Known:
        """What is known of the advisor with that canonical CRD; the unmatched row if no snapshot knows them."""
        found = self._row(crd)
        return self._unmatched if found is None or crd == UNMATCHED else Known(found, matched=True)

    def __len__(self) -> int:
        """Rows, the unmatched one among them."""
        return int(self._connection.execute("SELECT COUNT(*) FROM advisors").fetchone()[0])

    def __enter__(self) -> Self:
        """Itself, to be closed at the end."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._connection.close()

    def _row(self, crd: str) -> dict[str, Any] | None:
        row = self._connection.execute(_LOOK_UP, (crd,)).fetchone()
        return None if row is None else dict(zip(self._names, row, strict=True))


_LOOK_UP = f"SELECT * FROM advisors WHERE {KEY} = ?"  # noqa: S608 - a name of ours


def _escaped(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))


def _plain(column: pd.Series[Any], kind: str) -> list[Any]:
    """The values as SQLite takes them, NULL as None. A frame has whole numbers with a NULL among them as decimals."""
    known = column.notna().to_numpy()
    values: list[Any]
    if kind == "DATE":
        values = [str(value)[:10] for value in column]
    elif kind == "INT64":
        values = [int(value) if there else 0 for value, there in zip(column, known, strict=True)]
    elif kind == "FLOAT64":
        values = [float(value) if there else 0.0 for value, there in zip(column, known, strict=True)]
    else:
        values = column.tolist()
    return [value if there else None for value, there in zip(values, known, strict=True)]
