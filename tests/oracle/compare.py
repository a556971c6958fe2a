"""Runs one GoogleSQL statement on both engines, on the same rows, and says where they differ.

Belongs here: DuckDB's side (tables, types, parameters) and the comparison. The comparison is exact: NULL is not NaN,
-0.0 is not 0.0, a float must have the same bits, a column the same name and type. Rows are compared in order when the
statement ends in ORDER BY, as a bag otherwise. Does not belong here: the rows.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from typing import Any

import duckdb
import pytest

from leadscore_v6.warehouse.sql import to_duckdb
from tests.oracle.reference import OracleError, Output, Table, reference

Given = Mapping[str, Sequence[Sequence[Any]]]
Parameters = Mapping[str, tuple[str, Any]]

_TO_DUCKDB = {
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "STRING": "VARCHAR",
    "BOOL": "BOOLEAN",
    "NUMERIC": "DECIMAL(38,9)",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
}
_FROM_DUCKDB = {name: kind for kind, name in _TO_DUCKDB.items()}


def duckdb_type(kind: str) -> str:
    """DuckDB's spelling of a GoogleSQL type."""
    return f"{duckdb_type(kind[6:-1])}[]" if kind.startswith("ARRAY<") else _TO_DUCKDB[kind]


def _google_type(name: str) -> str:
    if name.endswith("[]"):
        return f"ARRAY<{_google_type(name[:-2])}>"
    return _FROM_DUCKDB.get(name, name)


@lru_cache(maxsize=1)
def _duckdb() -> duckdb.DuckDBPyConnection:
    """DuckDB of this test process; starting one takes 20 ms, attaching an empty database to it 2 ms."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@contextmanager
def warehouse(tables: Mapping[str, Table], rows: Given) -> Iterator[duckdb.DuckDBPyConnection]:
    """An embedded warehouse that holds these tables (`dataset.table`, or a bare name) and nothing else."""
    connection = _duckdb()
    connection.execute("ATTACH ':memory:' AS warehouse; USE warehouse")
    try:
        for name, table in tables.items():
            identifier = ".".join(f'"{part}"' for part in name.split("."))
            if "." in name:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier.rpartition('.')[0]}")
            columns = ", ".join(f'"{column}" {duckdb_type(kind)}' for column, kind in table.columns.items())
            connection.execute(f"CREATE TABLE {identifier} ({columns})")
            if rows.get(name):
                # Column by column: row by row takes DuckDB a millisecond each
                values = [list(column) for column in zip(*rows[name], strict=True)]
                parts = ", ".join(f"unnest(?::{duckdb_type(kind)}[])" for kind in table.columns.values())
                connection.execute(f"INSERT INTO {identifier} SELECT {parts}", values)
        yield connection
    finally:
        connection.execute("USE memory; DETACH warehouse")


def run_duckdb(sql: str, tables: Mapping[str, Table], rows: Given, parameters: Parameters | None = None) -> Output:
    """The statement, translated, on DuckDB."""
    with warehouse(tables, rows) as connection:
        bound = {name: value for name, (_, value) in (parameters or {}).items()}
        cursor = connection.execute(to_duckdb(sql), bound)
        names = tuple(column[0] for column in cursor.description)
        kinds = tuple(_google_type(str(column[1])) for column in cursor.description)
        return Output(names, kinds, [tuple(row) for row in cursor.fetchall()])


def _exactly(value: Any) -> Any:
    """A value that is equal only to the same value: floats by their bits, instants in UTC, numbers by kind."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else ("float", struct.pack(">d", value))
    if isinstance(value, Decimal):
        return ("decimal", value.normalize() if value else Decimal(0))
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, dt.datetime):
        return ("timestamp", value.astimezone(dt.UTC))
    if isinstance(value, list):
        return tuple(_exactly(each) for each in value)
    return value


def differences(reference_output: Output, duckdb_output: Output, *, ordered: bool) -> list[str]:
    """What differs, in words, at most ten lines; empty when the two agree in names, types and every value."""
    if reference_output.columns != duckdb_output.columns:
        return [f"columns: reference {reference_output.columns}, DuckDB {duckdb_output.columns}"]
    found = [
        f"type of {name}: reference {one}, DuckDB {other}"
        for name, one, other in zip(reference_output.columns, reference_output.types, duckdb_output.types, strict=True)
        if one != other
    ]
    one_side = [tuple(_exactly(value) for value in row) for row in reference_output.rows]
    other_side = [tuple(_exactly(value) for value in row) for row in duckdb_output.rows]
    if not ordered:
        only_one, only_other = Counter(one_side) - Counter(other_side), Counter(other_side) - Counter(one_side)
        one_side, other_side = sorted(only_one.elements(), key=repr), sorted(only_other.elements(), key=repr)
    if len(one_side) != len(other_side):
        found.append(f"rows: reference {len(reference_output.rows)}, DuckDB {len(duckdb_output.rows)}")
    for number, (one, other) in enumerate(zip(one_side, other_side, strict=False)):
        found.extend(
            f"row {number}, {name}: reference {left!r}, DuckDB {right!r}, in {str(one)[:200]}"
            for name, left, right in zip(reference_output.columns, one, other, strict=True)
            if left != right
        )
    return found[:10]


def agree(sql: str, tables: Mapping[str, Table], rows: Given, parameters: Parameters | None = None) -> Output:
    """The reference's rows, after asserting that DuckDB gives the same ones; what a differential test calls."""
    expected = reference().evaluate(sql, tables, rows, parameters)
    found = run_duckdb(sql, tables, rows, parameters)
    last_line = re.sub(r"--[^\n]*", "", sql).rpartition(")")[2]
    told = differences(expected, found, ordered="ORDER BY" in last_line.upper())
    assert not told, "the engines differ:\n" + "\n".join(told)
    return expected


def agree_on(expression: str, kind: str, values: Sequence[Any]) -> list[Any]:
    """The reference's answers to an expression of `x`, a column of type `kind`, after asserting that DuckDB agrees."""
    rows = {"t": list(enumerate(values))}
    output = agree(f"SELECT i, {expression} AS answer FROM t", {"t": Table({"i": "INT64", "x": kind})}, rows)
    return [answer for _, answer in sorted(output.rows, key=lambda row: row[0])]


def agree_to_fail(sql: str, tables: Mapping[str, Table], rows: Given, parameters: Parameters | None = None) -> None:
    """Asserts that both engines answer with an error, and that DuckDB's comes from running the translated text."""
    with pytest.raises(OracleError):
        reference().evaluate(sql, tables, rows, parameters)
    with pytest.raises(duckdb.Error):
        run_duckdb(sql, tables, rows, parameters)
