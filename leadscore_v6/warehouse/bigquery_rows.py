"""Rows written to files: a frame for a load job, and the CRM's rows as the extract that is landed.

Belongs here: how a value is spelled so that it reads back as it was. Does not belong here: jobs (`bigquery_jobs.py`).
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def write_json(path: Path, frame: pd.DataFrame, columns: Mapping[str, str]) -> None:
    """One record a line, NULL where the frame has nothing. Decimals are written so that they read back bit by bit."""
    known = {name: frame[name].notna().tolist() for name in columns}
    values = {name: frame[name].tolist() for name in columns}
    with path.open("w", encoding="utf-8") as file:
        for row in range(len(frame)):
            record = {
                name: _JSON.get(kind, lambda value: value)(values[name][row]) if known[name][row] else None
                for name, kind in columns.items()
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


# A frame has whole numbers with a NULL among them as decimals, and days as instants. Times without a zone are UTC.
_JSON: dict[str, Callable[[Any], Any]] = {
    "INT64": int,
    "FLOAT64": float,
    "BOOL": bool,
    "DATE": lambda value: str(value)[:10],
    "TIMESTAMP": lambda value: value.isoformat() + ("" if value.tzinfo else "+00:00"),
}


def write_csv(path: Path, names: Sequence[str], rows: Any) -> Path:
    """Write the rows whole; a file that says the same already stays as it is, and is not read again (assets/intake)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(tuple(row.values()) for row in rows)
    content = text.getvalue().encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != content:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(content)
        temporary.replace(path)
    return path
