"""What tables of a home would weigh in BigQuery: `python docs/bigquery_bytes.py [HOME] [--rows ROWS]`.

Belongs here: BigQuery's published sizes of data types, applied to the rows of a DuckDB home. docs/deploy-bigquery.md
says what the figures were for the plan's volume. Does not belong here: prices, and what a query reads.

A query is billed for the logical bytes of the columns that it names, over all rows of the tables (or partitions) that
it reads; storage for the logical bytes of everything. A NULL weighs nothing, a STRING two bytes and its UTF-8.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from leadscore_v6.contracts import contract
from leadscore_v6.warehouse.landing.header import legal_name

# https://cloud.google.com/bigquery/pricing, "Data size calculation".
FIXED = {"BIGINT": 8, "DOUBLE": 8, "DATE": 8, "TIMESTAMP WITH TIME ZONE": 8, "BOOLEAN": 1, "DECIMAL(38,9)": 16}


@dataclass(frozen=True)
class Weight:
    """A table: rows, columns, logical bytes."""

    table: str
    rows: int
    columns: int
    size: int

    @property
    def per_row(self) -> float:
        """Logical bytes of an average row."""
        return self.size / self.rows if self.rows else 0.0


def weigh(
    connection: duckdb.DuckDBPyConnection, dataset: str, table: str, only: frozenset[str] | None = None
) -> Weight:
    """The weight of one table or view, by BigQuery's sizes; of the columns in `only` (lower case), if given.

    Raises KeyError for a type that the plan does not use.
    """
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
        [dataset, table],
    ).fetchall()
    columns = [(name, kind) for name, kind in columns if only is None or name.lower() in only]
    sums = ", ".join(f"COALESCE(SUM({_bytes(name, kind)}), 0)" for name, kind in columns)
    rows, *sizes = connection.execute(f'SELECT COUNT(*), {sums} FROM "{dataset}"."{table}"').fetchone() or (0,)
    return Weight(table, rows, len(columns), int(sum(sizes)))


def _bytes(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == "VARCHAR":
        return f"2 + strlen({quoted})"
    return f"CASE WHEN {quoted} IS NOT NULL THEN {FIXED[kind]} END"


def main(arguments: list[str]) -> None:
    """Print a line per table; with --rows also what that many rows would weigh."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", nargs="?", type=Path, default=Path(".leadscore"))
    parser.add_argument("--dataset", default="LeadScoring")
    parser.add_argument("--rows", type=int, help="weigh as if each table had so many rows")
    asked = parser.parse_args(arguments)
    read = frozenset(legal_name(name).lower() for name in contract("feed").names)
    with duckdb.connect(str(asked.home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{asked.home}'")
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1", [asked.dataset]
        ).fetchall()
        print(f"{'table':<48} {'rows':>10} {'columns':>8} {'bytes/row':>10} {'GB':>9}")
        for (name,) in names:
            _tell(name, weigh(connection, asked.dataset, name), asked.rows)
            if name.endswith("_raw"):
                _tell("  the columns that are read", weigh(connection, asked.dataset, name, read), asked.rows)


def _tell(name: str, weight: Weight, wanted: int | None) -> None:
    rows = wanted or weight.rows
    size = weight.per_row * rows / 1e9
    print(f"{name:<48} {rows:>10,} {weight.columns:>8} {weight.per_row:>10,.0f} {size:>9,.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
