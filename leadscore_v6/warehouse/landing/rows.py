"""Records read one by one, to name the rows of a file that something was found wrong with.

Belongs here: what runs after a failure, or on small files; it is Python's csv module, so it is slow.
Does not belong here: what every feed goes through (`records.py`). No value of a field gets into a message (R57).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from leadscore_v6.errors import InputError

# The csv module's own limit is 128 KiB a field; notes may be longer, and what is too long is refused elsewhere.
csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Place:
    """Where a record is: its number, from 1, the header not counted; and the line of the file on which it starts."""

    record: int
    line: int


@dataclass(frozen=True)
class Ragged:
    """A record that has not as many fields as the header."""

    place: Place
    fields: int
    columns: int


def read_rows(path: Path) -> Iterator[tuple[Place, list[str]]]:
    """The records of a CSV file with their places, the header first as record 0; blank lines are passed over.

    For landed files: what `RecordReader` refuses is not refused here again.
    """
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        reader = csv.reader(file)
        number, line = 0, 1
        for row in reader:
            if row:
                yield Place(number, line), row
                number += 1
            line = reader.line_num + 1


def parse_record(text: str) -> list[str]:
    """The fields of the first record in `text`, none if it starts with a blank line."""
    return next(csv.reader(io.StringIO(text, newline="")), [])


def first_ragged_record(path: Path, columns: int) -> Ragged | None:
    """The first record with more or fewer fields than `columns`, or None."""
    for place, row in read_rows(path):
        if len(row) != columns:
            return Ragged(place, len(row), columns)
    return None


def locate(path: Path, column: str, predicate: Callable[[str], bool], limit: int = 5) -> list[Place]:
    """Places of the first `limit` records whose field in `column` (as the file spells it, any case) is what is sought.

    Raises InputError if there is no such column.
    """
    rows = read_rows(path)
    _, header = next(rows)
    names = [name.strip().lower() for name in header]
    if column.strip().lower() not in names:
        raise InputError("There is no such column.", file=str(path), column=column)
    index = names.index(column.strip().lower())
    places: list[Place] = []
    for place, row in rows:
        if index < len(row) and predicate(row[index]):
            places.append(place)
            if len(places) == limit:
                break
    return places
