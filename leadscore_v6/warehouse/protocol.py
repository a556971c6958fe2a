"""What every engine can do: the one small protocol between the steps and a warehouse.

Belongs here: the protocol and the values that cross it. Does not belong here: SQL of a step (sql/), or anything
that only one engine knows. All SQL that passes through is GoogleSQL; an engine translates it if it must.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from leadscore_v6.errors import UsageError
from leadscore_v6.locations import Location

if TYPE_CHECKING:
    import pandas as pd

Params = Mapping[str, Any]
# What a daily table's rows are of. A name like `Dataset.table$20251105`, BigQuery's own, is that day's rows of it.
DAY_COLUMN = "score_date"


@dataclass(frozen=True)
class TableColumn:
    """One line of INFORMATION_SCHEMA.COLUMNS, its type in GoogleSQL's words."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class FileTable:
    """A landed CSV file as a table: its path relative to the home (R55), and its columns in file order, all STRING."""

    path: str
    columns: Sequence[str]


@dataclass(frozen=True)
class Layout:
    """What a table's catalogue page says of it, and how an engine that can lays it out.

    columns: a text by column. cluster_by: columns whose equal values lie together. keep_days: the engine removes the
    table that long after it was made; None: never.
    """

    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    cluster_by: Sequence[str] = ()
    keep_days: int | None = None


def table_and_day(name: str) -> tuple[str, date | None]:
    """`Dataset.table$YYYYMMDD` as table and day; without a day it is the whole table. Raises UsageError on no date."""
    table, dollar, key = name.partition("$")
    if not dollar:
        return table, None
    with suppress(ValueError):
        if len(key) == len("YYYYMMDD"):
            return table, datetime.strptime(key, "%Y%m%d").replace(tzinfo=UTC).date()
    raise UsageError(f"{name!r} names no day of a table: $YYYYMMDD is wanted.")


class Warehouse(Protocol):
    """Tables by full name (`Dataset.table`); every name that reaches SQL has passed the renderer's strict form.

    written_datasets: where it has tables of its own. atomic: whether all that a `transaction` writes becomes visible
    together; where it does not, `gates/mending.py` heals.
    """

    dataset: str
    crm_dataset: str
    written_datasets: tuple[str, ...]
    atomic: bool

    def query(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """Rows of a GoogleSQL query."""

    def frame(self, sql: str, params: Params | None = None) -> pd.DataFrame:
        """The same rows as a frame. INT64 without NULL is int64, with NULL float64; STRING object; DATE datetime64."""

    def create_table(
        self, name: str, select: str, params: Params | None = None, layout: Layout | None = None
    ) -> Mapping[str, Any]:
        """`CREATE OR REPLACE TABLE name AS select`. Only for names that nobody reads yet.

        Returns what the ledger should remember of how it was done (job, bytes), if there is anything.
        """

    def begin_table(
        self, source: str, file: FileTable, select_of: Callable[[str], str], params: Params | None = None
    ) -> None:
        """Begin beside the run what `create_table` will be asked for when `source` is that file's table.

        `select_of` gives the select for a name of the file's table. An engine that gains nothing by it does nothing.
        """

    def create_view(self, name: str, select: str, layout: Layout | None = None) -> None:
        """`CREATE OR REPLACE VIEW name AS select`, atomic."""

    def expose_file(self, name: str, file: FileTable) -> None:
        """Make a landed file readable as table `name` with all columns STRING (R1)."""

    def write_frame(
        self, name: str, frame: pd.DataFrame, columns: Mapping[str, str], layout: Layout | None = None
    ) -> Mapping[str, Any]:
        """Make or replace a table from a frame that has `columns` (name -> GoogleSQL type), all of them nullable.

        Only for names that nobody reads yet. Returns what `create_table` returns.
        """

    def publish(self, candidate: str, name: str) -> None:
        """Give an audited candidate its public name, atomically, in place of what was there.

        A day's candidate takes the place of that day's rows; the table is made if there is none. Raises LeadscoreError
        when the candidate has rows of another day, or other columns than the table.
        """

    def drop(self, name: str) -> None:
        """Remove a table, a view, or a day's rows; nothing happens if it is not there."""

    def count_rows(self, name: str) -> int:
        """Rows of a table or view; a raw table is read from end to end. Raises InputError at a ragged record."""

    def probe(self, name: str) -> int:
        """1 if a first row can be read, 0 if there is none."""

    def count_nulls(self, name: str, columns: Sequence[str]) -> dict[str, int]:
        """NULLs per column, in one pass."""

    def exists(self, name: str) -> bool:
        """Whether a table or view of that name is there; of a day: the table that it is in."""

    def columns(self, name: str) -> list[TableColumn]:
        """INFORMATION_SCHEMA of one table, in order; empty if it is not there."""

    def definition(self, view: str) -> str | None:
        """What a view selects, as the catalogue has it; None if there is no such view."""

    def names(self, dataset: str) -> list[str]:
        """All tables and views of a dataset, sorted."""

    def ensure_table(self, name: str, columns: Mapping[str, str]) -> None:
        """Create an empty table with GoogleSQL column types unless it exists."""

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows; all or none."""

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written inside becomes visible together, where the engine can do that (`atomic`)."""

    def labelled(self, **labels: str) -> AbstractContextManager[None]:
        """What is done inside is marked with these labels (asset, run, version), where the engine keeps accounts."""

    def crm_file(self, table: str, folder: Location, spool: Path, columns: Sequence[str]) -> Location | None:
        """What is to be landed of a table of the CRM: its file in `folder`, or the table written out in `spool` (R49).

        The file may not be there. None: the CRM has no such table. Raises InputError when it lacks one of `columns`.
        """

    def landed_table(self, table: str) -> str:
        """Full name under which a landed table of the CRM can be read, every column STRING."""
