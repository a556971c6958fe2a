"""Cases of the shared SQL as data: `tests/sql/<folder of sql/>/*.yaml`, rows in, rows expected.

Belongs here: reading a case. Does not belong here: running it (`test_cases.py`).

A case says:
    says        what it shows, with the ruling
    text        the file of the folder that it runs (query.sql if not said)
    parameters  by name
    given       rows by template variable; what a row does not mention is what `defaults` say, else NULL, and 0 in
                a whole number that the contract allows no NULL in (flags, counts)
    defaults    values by variable and column
    texts       by variable: `nasty`, the list of nasty_texts.yaml; each becomes a row that has it in every column
    expect      rows that must come out, each by the columns it names; none else may come out
Without `expect` the case is differential only: both engines must agree on every row, name, type and bit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.oracle.catalog import Text, never_null, text

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One case, with every value of its column's type."""

    made: Text
    parameters: dict[str, tuple[str, Any]]
    rows: dict[str, list[tuple[Any, ...]]]
    expect: list[dict[str, Any]] | None


def names() -> list[str]:
    """The cases there are, as `folder/case`."""
    return sorted(f"{file.parent.name}/{file.stem}" for file in HERE.glob("*/*.yaml"))


def load(name: str) -> Case:
    """A case by its name; KeyError on a column, table or parameter that the text does not have."""
    told = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    unknown = set(told) - {"says", "text", "parameters", "given", "defaults", "texts", "expect"}
    if unknown or not told.get("says"):
        raise KeyError(f"{name}: {unknown or 'it must say what it shows'}")
    made = text(name.partition("/")[0], told.get("text", "query.sql"))
    given = {variable: [] for variable in made.columns} | told.get("given", {})
    for variable in told.get("texts", {}):
        given[variable] = [dict.fromkeys(made.columns[variable], each) for each in _nasty_texts()] + given[variable]
    told_defaults = told.get("defaults", {})
    typed = {
        variable: [
            _typed(made.columns[variable], {**zeros(made, variable), **told_defaults.get(variable, {}), **record})
            for record in records
        ]
        for variable, records in given.items()
    }
    parameters = {name: _value(made.parameters[name], value) for name, value in told.get("parameters", {}).items()}
    return Case(made, made.bound(parameters), made.rows(typed), told.get("expect"))


def zeros(made: Text, variable: str) -> dict[str, int]:
    """0 in each whole number of the table that its contract allows no NULL in."""
    columns, required = made.columns[variable], never_null(made.contracts[variable])
    return {name: 0 for name, kind in columns.items() if kind == "INT64" and name in required}


def _nasty_texts() -> list[str]:
    texts: list[str] = yaml.safe_load((HERE / "nasty_texts.yaml").read_text())
    return texts


def _typed(columns: Mapping[str, str], record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(columns[name], value) for name, value in record.items()}


def _value(kind: str, value: Any) -> Any:
    """A YAML value as a value of `kind`: instants are written as text with their offset, texts in quotes."""
    if value is None:
        return None
    if kind.startswith("ARRAY<"):
        return [_value(kind[6:-1], each) for each in value]
    if kind == "TIMESTAMP":
        instant = dt.datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError(f"{value}: an instant has an offset")
        return instant
    if kind == "FLOAT64":
        return float(value)
    wanted = {"STRING": str, "INT64": int, "DATE": dt.date, "BOOL": bool}[kind]
    if type(value) is not wanted:
        raise ValueError(f"{value!r} is no {kind}")
    return value


def comparable(kind: str, value: Any) -> Any:
    """An expected value and a found one of the same kind compare by `==`."""
    return _value(kind, value) if kind != "TIMESTAMP" or isinstance(value, str) else value
