"""What the tables of a warehouse look like beside their contracts; the same for both engines (R13)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from leadscore_v6.contracts import Contract, compare, contract
from leadscore_v6.doctor.finding import Finding, missing, ok
from leadscore_v6.warehouse.protocol import TableColumn

# How many of the columns that are wrong are named.
_SHOWN = 5


class Tables(Protocol):
    """Names and columns of tables: an open warehouse, or BigQuery's answers about one."""

    def names(self, dataset: str) -> list[str]:
        """All tables and views of a dataset, sorted."""

    def columns(self, name: str) -> list[TableColumn]:
        """Columns of a table `Dataset.table`, in order."""


def newest_snapshot(tables: Tables, dataset: str) -> Iterator[Finding]:
    """Rep and firm table of the newest snapshot, beside their contracts."""
    names = tables.names(dataset)
    for kind in ("reps", "firms"):
        found = [name for name in names if re.fullmatch(rf"snapshot_{kind}_[0-9]{{8}}", name)]
        check = f"newest {kind}"
        if found:
            name = f"{dataset}.{found[-1]}"
            remedy = "build it again: leadscore run --rebuild; if the contract changed, that is a change for review"
            yield beside_contract(check, name, tables.columns(name), contract(kind), remedy)
        else:
            yield ok(check, f"no snapshot_{kind}_YYYYMMDD in {dataset} yet; the first run makes it")


def lead_table(tables: Tables, name: str) -> Finding:
    """The CRM's table: does it have what the plan reads from it? Whatever the types: it is read as text (R1, R49)."""
    columns = [TableColumn(column.name, "STRING", column.nullable) for column in tables.columns(name)]
    remedy = f"let the CRM's sync write these columns to {name}"
    return beside_contract("Lead table", name, columns, contract("lead"), remedy)


def beside_contract(check: str, name: str, columns: Sequence[TableColumn], wanted: Contract, remedy: str) -> Finding:
    """Names, types and columns doubled by case; NULLs are a gate's business."""
    comparison = compare(wanted, columns)
    if not comparison.violations:
        extras = f", {len(comparison.extras)} more" if comparison.extras else ""
        return ok(check, f"{name}: the {comparison.expected_columns} columns of the contract{extras}")
    said = "; ".join(map(str, comparison.violations[:_SHOWN]))
    more = len(comparison.violations) - _SHOWN
    return missing(check, f"{name}: {said}" + (f"; and {more} more" if more > 0 else ""), remedy)
