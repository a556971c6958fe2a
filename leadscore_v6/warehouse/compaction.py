"""Compacting the embedded warehouse: DuckDB reuses the space of dropped tables, but never gives it back (R56)."""

from __future__ import annotations

import os
from pathlib import Path


def compact_file(file: Path) -> None:
    """Write a DuckDB file anew without unused space, and swap it in whole. Nobody else may have it open."""
    import duckdb

    smaller = file.with_suffix(f".{os.getpid()}.compact")
    try:
        with duckdb.connect() as connection:
            # Views on landed files are bound while they are copied; their file names are relative to the home (R55).
            connection.execute(f"SET file_search_path = {_quoted(file.parent)}")
            connection.execute(f"ATTACH {_quoted(file)} AS old (READ_ONLY)")
            connection.execute(f"ATTACH {_quoted(smaller)} AS new")
            connection.execute("COPY FROM DATABASE old TO new")
        smaller.replace(file)
    finally:
        smaller.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
