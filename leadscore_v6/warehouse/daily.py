"""Tables of all days, written a day at a time: what a day's candidate must be before it takes its place.

Belongs here: what both engines ask of such a candidate. Does not belong here: how an engine replaces a day's rows.
"""

from __future__ import annotations

from datetime import date

from leadscore_v6.errors import LeadscoreError
from leadscore_v6.warehouse.protocol import DAY_COLUMN, Warehouse
from leadscore_v6.warehouse.sql import column_identifier, table_identifier


def require_day(warehouse: Warehouse, candidate: str, table: str, day: date) -> None:
    """Raise LeadscoreError unless the candidate has rows of `day` alone, and the columns that `table` has if there."""
    day_column = column_identifier(DAY_COLUMN)
    sql = (
        f"SELECT COUNT(*) AS strangers FROM {table_identifier(candidate)} "
        f"WHERE {day_column} IS NULL OR {day_column} != @day"
    )
    (row,) = warehouse.query(sql, {"day": day})
    if row["strangers"]:
        raise LeadscoreError(f"{candidate} has {row['strangers']:,} rows that are not of {day}; nothing was published.")
    there = {(column.name, column.type) for column in warehouse.columns(table)}
    given = {(column.name, column.type) for column in warehouse.columns(candidate)}
    if there and there != given:
        other = ", ".join(sorted(f"{name} {kind}" for name, kind in there ^ given))
        raise LeadscoreError(
            f"{candidate} has other columns than {table} ({other}); nothing was published.\n"
            "  what to do: this version writes another table; rename the old one to keep it, then run again."
        )
