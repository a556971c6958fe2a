"""The first line of a CSV file: what its columns are called, and what they are called in a table.

Belongs here: column names. Does not belong here: records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing.rows import parse_record

BOM = b"\xef\xbb\xbf"
# A column of this name marks a feed that the sample maker wrote; reports made from it say so.
SYNTHETIC_COLUMN = "Synthetic_Data"
_MAX_NAME = 300
# BigQuery keeps these beginnings of a column name for itself.
_RESERVED = (
    "_table_",
    "_file_",
    "_partition",
    "_row_timestamp",
    "__root__",
    "_colidentifier",
)
_OTHER_KINDS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "a zip archive or a workbook",
    b"\x1f\x8b": "compressed by gzip",
}
_OTHER_DELIMITERS = {";": "semicolon", "\t": "tab", "|": "vertical bar"}


@dataclass(frozen=True)
class Column:
    """A column as the file calls it, and as a table does (R1)."""

    original: str
    name: str


@dataclass(frozen=True)
class Header:
    """The columns in file order, and whether the file starts with a byte order mark."""

    columns: tuple[Column, ...]
    bom: bool

    @property
    def synthetic(self) -> bool:
        """Whether the file says that it is synthetic."""
        return any(column.name.lower() == SYNTHETIC_COLUMN.lower() for column in self.columns)


def read_header(start: bytes, expected: Sequence[str], file: str) -> Header:
    """The header of a file from its first bytes (the whole first record must be among them).

    Every name in `expected` must be there, whatever its case. Raises InputError: no content, not UTF-8, another
    delimiter, a column without a name or there twice (also by case), two names that become one legal name, columns
    that are missing.
    """
    bom = start.startswith(BOM)
    originals = _first_record(start.removeprefix(BOM), file)
    if len(originals) == 1:
        _refuse_other_delimiter(originals[0], file)
    _refuse_unnamed_and_doubled(originals, file)
    columns = tuple(Column(original, legal_name(original)) for original in originals)
    _refuse_collisions(columns, file)
    present = {column.name.lower() for column in columns}
    missing = [name for name in expected if legal_name(name).lower() not in present]
    if missing:
        shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        raise InputError(
            f"The file lacks {'column' if len(missing) == 1 else 'columns'} {shown}.",
            file=file,
            column=missing[0],
            row=1,
            remedy="export it with all columns of the format, spelled like this",
        )
    return Header(columns, bom)


def legal_name(original: str) -> str:
    """A name that BigQuery takes for a column: letters, digits and underscores, at most 300, no digit first (R1).

    Outer blanks go; every other forbidden character becomes one underscore.
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", original.strip())[:_MAX_NAME]
    if not name or name[0].isdigit():
        name = f"_{name}"[:_MAX_NAME]
    if name.lower().startswith(_RESERVED):
        name = f"c{name}"[:_MAX_NAME]
    return name


def _first_record(start: bytes, file: str) -> list[str]:
    if not start.strip():
        raise InputError("The file is empty.", file=file, remedy="export it again")
    for beginning, what in _OTHER_KINDS.items():
        if start.startswith(beginning):
            raise InputError(f"The file is {what}, not CSV text.", file=file, row=1, remedy="save it as CSV in UTF-8")
    if b"\0" in start[: start.find(b"\n") + 1 or None]:
        raise InputError("The header holds a NUL byte (UTF-16?).", file=file, row=1, remedy="save it as UTF-8")
    # A character cut at the end of these bytes is no fault of the header.
    text = start.decode("utf-8", errors="replace")
    record = parse_record(text)
    if not record:
        raise InputError("The first line is blank: the header must stand there.", file=file, row=1)
    return record


def _refuse_other_delimiter(line: str, file: str) -> None:
    found = max(_OTHER_DELIMITERS, key=line.count)
    if line.count(found):
        raise InputError(
            f"The columns are separated by {_OTHER_DELIMITERS[found]}, not by comma.",
            file=file,
            row=1,
            remedy="export it with commas",
        )


def _refuse_unnamed_and_doubled(originals: Sequence[str], file: str) -> None:
    seen: dict[str, tuple[int, str]] = {}
    for number, original in enumerate(originals, start=1):
        key = original.strip().lower()
        if not key:
            raise InputError(
                f"Column {number} of the header has no name.", file=file, row=1, remedy="name or remove it"
            )
        if key in seen:
            first, spelled = seen[key]
            raise InputError(
                f"The header has a column twice: {spelled} (column {first}) and {original} (column {number}).",
                file=file,
                column=original,
                row=1,
                remedy="export it with each column once; case does not tell columns apart",
            )
        seen[key] = (number, original)


def _refuse_collisions(columns: Sequence[Column], file: str) -> None:
    seen: dict[str, Column] = {}
    for column in columns:
        other = seen.setdefault(column.name.lower(), column)
        if other is not column:
            raise InputError(
                f"The columns {other.original} and {column.original} both become {column.name} in a table.",
                file=file,
                column=column.original,
                row=1,
                remedy="rename one of them in the file",
            )
