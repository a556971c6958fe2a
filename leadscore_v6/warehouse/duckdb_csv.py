"""How DuckDB reads a landed CSV file, and what its complaints about one mean to a person.

Belongs here: the one reading of a landed file, and literals for statements that take no parameters. Does not belong
here: landing a file (landing/), or running a statement (duckdb_engine.py).
"""

from __future__ import annotations

import re

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.protocol import FileTable

_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_COLUMNS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def csv_error(error: Exception) -> InputError | None:
    """What a failed read of a CSV file means, or None if it is something else.

    DuckDB's message quotes the whole record; only its line and column counts may be told (R57).
    """
    text = str(error)
    line = _CSV_LINE.search(text)
    if line is None:
        return None
    counts = _CSV_COLUMNS.search(text)
    what = (
        f"A record has {counts.group(2)} fields where the header has {counts.group(1)}"
        if counts
        else "A quoted field is not closed as CSV wants it"
        if "quote" in text
        else "A record cannot be read as CSV"
    )
    return InputError(
        what,
        row=int(line.group(1)),
        remedy="have the file delivered again, or mend this line; then run the same command again.",
    )


def reading(file: FileTable) -> str:
    """A select of all columns of a landed file, each a VARCHAR; an empty field is NULL (R1, R36)."""
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in file.columns)
    return (
        f"SELECT * FROM read_csv({literal(file.path)}, "
        "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        # A record may be long (471 columns, free text), never unbounded.
        "allow_quoted_nulls = true, strict_mode = true, null_padding = false, max_line_size = 4194304, "
        f"columns = {{{columns}}})"
    )


def literal(value: object) -> str:
    """A value as DuckDB's SQL spells it, for SET and table functions."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
