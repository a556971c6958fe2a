"""Does a table keep its contract? The schema gate of plan step 1.7 (R13).

Belongs here: comparing two lists of columns. Does not belong here: asking an engine for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from leadscore_v6.contracts.contract import Contract

# The plan allows "compatible type variations": BigQuery's legacy names and aliases of one and the same type.
_ALIASES = {
    "INT": "INT64",
    "SMALLINT": "INT64",
    "INTEGER": "INT64",
    "BIGINT": "INT64",
    "TINYINT": "INT64",
    "BYTEINT": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}


class ActualColumn(Protocol):
    """One line of INFORMATION_SCHEMA.COLUMNS, its type in GoogleSQL's words."""

    @property
    def name(self) -> str:
        """The column's name as the engine stores it."""

    @property
    def type(self) -> str:
        """GoogleSQL type."""

    @property
    def nullable(self) -> bool:
        """False if the engine enforces NOT NULL."""


@dataclass(frozen=True)
class Violation:
    """One way in which a table breaks its contract; `kind` is missing, doubled, type or nulls."""

    kind: str
    column: str
    expected: str
    got: str

    def __str__(self) -> str:
        """A line for a report."""
        return f"{self.column}: {self.kind}, expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class Comparison:
    """What `compare` found. Extra columns are allowed, and listed; the counts are the contract's and the table's."""

    violations: tuple[Violation, ...]
    extras: tuple[str, ...]
    expected_columns: int
    actual_columns: int


def compare(
    contract: Contract, actual: Sequence[ActualColumn], null_counts: Mapping[str, int] | None = None
) -> Comparison:
    """Names, types, nullability, column count, names doubled by case (R13).

    Names match whatever their case, as in both engines. A table made by a SELECT carries no NOT NULL, so nullability is
    judged on `null_counts` (NULLs per column, by contract name): in it, every column that the contract calls not
    nullable must be there, with 0. Without `null_counts` nullability is not judged.
    """
    found: dict[str, list[ActualColumn]] = {}
    for column in actual:
        found.setdefault(column.name.lower(), []).append(column)
    violations = [
        Violation("doubled", same[0].name, "one column", ", ".join(column.name for column in same))
        for same in found.values()
        if len(same) > 1
    ]
    for wanted in contract.columns:
        same = found.get(wanted.name.lower(), [])
        if not same:
            violations.append(Violation("missing", wanted.name, wanted.bq_type, "no such column"))
            continue
        violations += [
            Violation("type", wanted.name, wanted.bq_type, column.type)
            for column in same
            if canonical_type(column.type) != canonical_type(wanted.bq_type)
        ]
        if null_counts is not None and not wanted.nullable:
            nulls = null_counts.get(wanted.name)
            if nulls != 0:
                got = "NULLs not counted" if nulls is None else f"{nulls} NULLs"
                violations.append(Violation("nulls", wanted.name, "no NULL", got))
    names = {name.lower() for name in contract.names}
    extras = tuple(column.name for column in actual if column.name.lower() not in names)
    return Comparison(tuple(violations), extras, len(contract.columns), len(actual))


def canonical_type(type_name: str) -> str:
    """One name per GoogleSQL type: `integer` and `INT64` are one, `NUMERIC(38, 9)` is `NUMERIC`."""
    bare = re.sub(r"\(.*\)$", "", type_name.strip()).strip().upper()
    return _ALIASES.get(bare, bare)
