"""The embedded engine: one DuckDB file in the home, the landed CSV files read in place.

Belongs here: what only DuckDB knows (settings, CSV reader options, renaming). Does not belong here: SQL of a step,
or translation rules (`sql.py`). One process writes at a time; that is the lease's business (`lease.py`), not this
module's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from copy import copy
from datetime import date
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from leadscore_v6.errors import DiskFull, LeadscoreError, UsageError, WarehouseBusy, says_full
from leadscore_v6.locations import Location
from leadscore_v6.warehouse.daily import require_day
from leadscore_v6.warehouse.duckdb_ahead import PREFIX, Begun, key_of, tables_ahead
from leadscore_v6.warehouse.duckdb_csv import csv_error, literal, reading
from leadscore_v6.warehouse.lease import holder
from leadscore_v6.warehouse.protocol import (
    DAY_COLUMN,
    FileTable,
    Layout,
    Params,
    TableColumn,
    table_and_day,
)
from leadscore_v6.warehouse.sql import duckdb_text

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# DuckDB's words for GoogleSQL's types, both ways; anything else is not used by the plan's tables.
GOOGLE_TYPES = {
    "VARCHAR": "STRING",
    "BIGINT": "INT64",
    "INTEGER": "INT64",
    "DOUBLE": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DATE": "DATE",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "DECIMAL(38,9)": "NUMERIC",
}
_DUCKDB_TYPES = {google: duck for duck, google in GOOGLE_TYPES.items() if duck != "INTEGER"}
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)")


class DuckDBWarehouse:
    """The `Warehouse` protocol on DuckDB. `home` is what raw views' file names are relative to (R55)."""

    atomic = True

    def __init__(
        self,
        file: Path,
        datasets: tuple[str, str] = ("LeadScoring", "SavvyGTMData"),
        threads: int | None = None,
        memory_limit: str = "3GB",
        *,
        read_only: bool = False,
    ) -> None:
        """Open (and create) the warehouse. Raises WarehouseBusy when another process has the file open."""
        self.dataset, self.crm_dataset = datasets
        self.written_datasets: tuple[str, ...] = datasets
        self.home = file.parent
        self._connection = _connect(file, read_only=read_only)
        # UTC: DATE(timestamp) is the UTC day (R37). Division by zero is an error in GoogleSQL.
        self._settings: dict[str, Any] = {
            "TimeZone": "UTC",
            "file_search_path": str(self.home),
            "memory_limit": memory_limit,
            "temp_directory": str(self.home / "tmp"),
            "ieee_floating_point_ops": False,
            "enable_progress_bar": False,
            # A table has no order in GoogleSQL, and keeping the file's costs a tenth of the transform. What a query
            # orders by is kept all the same.
            "preserve_insertion_order": False,
            # Two small row groups merged into one at a checkpoint cost as much as writing them; `gc` compacts.
            "max_vacuum_tasks": 0,
        }
        if threads:
            self._settings["threads"] = threads
        self._set()
        self._ahead = tables_ahead(file)
        self._thread: ThreadPoolExecutor | None = None
        self._beside: list[DuckDBWarehouse] = []
        self._starting = Lock()
        if not read_only:
            for dataset in datasets:
                self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset}"')
            self._sweep()

    def __copy__(self) -> Self:
        """The same warehouse by a connection of its own, for another thread."""
        beside = object.__new__(type(self))
        vars(beside).update(vars(self), _connection=self._connection.cursor(), _thread=None, _in_transaction=False)
        beside._set()
        return beside

    def close(self) -> None:
        """Release the file. What was begun and never asked for goes."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            for beside in self._beside:
                beside.interrupt()
            self._thread.shutdown()
            self._thread = None
            self._ahead.forget()
            self._sweep()
        self._connection.close()

    def interrupt(self) -> None:
        """End what this connection is doing, if it is doing anything."""
        import duckdb

        with suppress(duckdb.ConnectionException):  # it is closed already
            self._connection.interrupt()

    def query(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """Rows of a GoogleSQL query."""
        result = self._run(duckdb_text(sql), params)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def frame(self, sql: str, params: Params | None = None) -> pd.DataFrame:
        """Rows of a GoogleSQL query as a frame, in the order that the query asks for."""
        frame: pd.DataFrame = self._run(duckdb_text(sql), params).df()
        return frame

    def create_table(
        self, name: str, select: str, params: Params | None = None, layout: Layout | None = None
    ) -> Mapping[str, Any]:
        """`CREATE OR REPLACE TABLE name AS select`. A layout is for engines that bill and cluster."""
        with self._ahead.taken(key_of(select, params)) as begun:
            if begun is not None and self.definition(begun.file_table) == self.definition(begun.source) is not None:
                self.publish(begun.table, name)
                return {}
        self._run(f"CREATE OR REPLACE TABLE {_quoted(name)} AS {duckdb_text(select)}", params)
        return {}

    def begin_table(
        self, source: str, file: FileTable, select_of: Callable[[str], str], params: Params | None = None
    ) -> None:
        """Make the table beside the run, on the file itself; see `duckdb_ahead.py`."""
        key = key_of(select_of(source), params)
        table = f"{self.dataset}.{PREFIX}{key}"
        file_table = f"{table}_file"
        beside = copy(self)

        def make() -> None:
            with closing(beside):
                beside.expose_file(file_table, file)
                beside.create_table(table, select_of(file_table), params)

        with self._starting:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tables-ahead")
            self._beside.append(beside)
            self._ahead.note(key, Begun(table, file_table, source, self._thread.submit(make)))

    def create_view(self, name: str, select: str, layout: Layout | None = None) -> None:
        """`CREATE OR REPLACE VIEW name AS select`."""
        self._run(f"CREATE OR REPLACE VIEW {_quoted(name)} AS {duckdb_text(select)}")

    def expose_file(self, name: str, file: FileTable) -> None:
        """A view on the landed file: every column a VARCHAR, an empty field (quoted or not) NULL (R1, R36)."""
        self._run(f"CREATE OR REPLACE VIEW {_quoted(name)} AS {reading(file)}")

    def write_frame(
        self, name: str, frame: pd.DataFrame, columns: Mapping[str, str], layout: Layout | None = None
    ) -> Mapping[str, Any]:
        """Make or replace a table from a frame, column by column of the type that is asked for."""
        given = ", ".join(
            f"CAST({_column(column)} AS {_DUCKDB_TYPES[kind]}) AS {_column(column)}" for column, kind in columns.items()
        )
        self._connection.register("frame_given", frame[list(columns)])
        try:
            self._run(f"CREATE OR REPLACE TABLE {_quoted(name)} AS SELECT {given} FROM frame_given")
        finally:
            self._connection.unregister("frame_given")
        return {}

    def publish(self, candidate: str, name: str) -> None:
        """Rename the candidate over the published name in one transaction; both are in one dataset."""
        whole, day = table_and_day(name)
        if day is not None:
            self._publish_day(candidate, whole, day)
            return
        schema, table = _split(name)
        if _split(candidate)[0] != schema:
            raise LeadscoreError(f"{candidate} cannot become {name}: they are in different datasets.")
        kind = self._kind(candidate)
        if kind is None:
            raise LeadscoreError(f"There is no {candidate} to publish as {name}.")
        with self.transaction():
            self.drop(name)
            self._run(f'ALTER {kind} {_quoted(candidate)} RENAME TO "{table}"')

    def _publish_day(self, candidate: str, table: str, day: date) -> None:
        """The candidate's rows in place of the day's, in one transaction."""
        if not self.exists(candidate):
            raise LeadscoreError(f"There is no {candidate} to publish in {table}.")
        require_day(self, candidate, table, day)
        with self.transaction():
            self._run(f"CREATE TABLE IF NOT EXISTS {_quoted(table)} AS SELECT * FROM {_quoted(candidate)} LIMIT 0")
            self.drop(f"{table}${day:%Y%m%d}")
            self._run(f"INSERT INTO {_quoted(table)} BY NAME SELECT * FROM {_quoted(candidate)}")
            self.drop(candidate)

    def drop(self, name: str) -> None:
        """Remove a table, a view or a day's rows if it is there."""
        name, day = table_and_day(name)
        kind = self._kind(name)
        if kind is not None and day is not None:
            self._run(f"DELETE FROM {_quoted(name)} WHERE {DAY_COLUMN} = $day", {"day": day})
        elif kind is not None:
            self._run(f"DROP {kind} {_quoted(name)}")

    def count_rows(self, name: str) -> int:
        """Rows of a table or view. Raises InputError at a ragged record of a landed file."""
        return int(self._row(f"SELECT count(*) FROM {_quoted(name)}")[0])

    def probe(self, name: str) -> int:
        """1 if a first row can be read, 0 if there is none."""
        return len(self._run(f"SELECT 1 FROM {_quoted(name)} LIMIT 1").fetchall())

    def count_nulls(self, name: str, columns: Sequence[str]) -> dict[str, int]:
        """NULLs per column, in one pass."""
        if not columns:
            return {}
        counts = ", ".join(f"count(*) - count({_column(column)})" for column in columns)
        return dict(zip(columns, self._row(f"SELECT {counts} FROM {_quoted(name)}"), strict=True))

    def exists(self, name: str) -> bool:
        """Whether a table or view of that name is there."""
        return self._kind(table_and_day(name)[0]) is not None

    def columns(self, name: str) -> list[TableColumn]:
        """The catalog's columns of one table, types in GoogleSQL's words; a type that has none is given as it is.

        As INFORMATION_SCHEMA has them (a test holds the two together), without going through all tables for one.
        """
        if not self.exists(name):
            return []
        rows = self._run('SELECT name, type, NOT "notnull" FROM pragma_table_info($name)', {"name": _quoted(name)})
        return [TableColumn(column, GOOGLE_TYPES.get(kind, kind), null) for column, kind, null in rows.fetchall()]

    def names(self, dataset: str) -> list[str]:
        """All tables and views of a dataset, sorted."""
        rows = self._run(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = $schema ORDER BY 1",
            {"schema": dataset},
        ).fetchall()
        return [row[0] for row in rows]

    def ensure_table(self, name: str, columns: Mapping[str, str]) -> None:
        """Create an empty table unless it exists."""
        body = ", ".join(f'"{column}" {_DUCKDB_TYPES[kind]}' for column, kind in columns.items())
        self._run(f"CREATE TABLE IF NOT EXISTS {_quoted(name)} ({body})")

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows, all with the same columns, in one statement."""
        if not rows:
            return
        columns = ", ".join(f'"{column}"' for column in rows[0])
        values = ", ".join(
            "(" + ", ".join(f"${column}_{number}" for column in row) + ")" for number, row in enumerate(rows)
        )
        given = {f"{column}_{number}": value for number, row in enumerate(rows) for column, value in row.items()}
        self._run(f"INSERT INTO {_quoted(name)} ({columns}) VALUES {values}", given)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All inside or nothing; an inner transaction is part of the outer one."""
        if self._in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        self._in_transaction = True
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        else:
            self._connection.execute("COMMIT")
        finally:
            self._in_transaction = False

    _in_transaction = False

    def labelled(self, **labels: str) -> AbstractContextManager[None]:
        """There is nothing to mark: all is one process's work."""
        return nullcontext()

    def crm_file(self, table: str, folder: Location, spool: Path, columns: Sequence[str]) -> Location | None:
        """The folder's file of that name, whether or not it is there."""
        return folder / f"{table}.csv"

    def landed_table(self, table: str) -> str:
        """In the CRM's dataset, as in production; the landed file is what is there."""
        return f"{self.crm_dataset}.{table}"

    def _set(self) -> None:
        for name, value in self._settings.items():
            self._connection.execute(f"SET {name} = {literal(value)}")

    def _sweep(self) -> None:
        """Drop what was begun and belongs to nobody: a killed process left it, or no step asked for it."""
        there = {f"{self.dataset}.{name}" for name in self.names(self.dataset) if name.startswith(PREFIX)}
        for name in there - self._ahead.names():
            self.drop(name)

    def definition(self, view: str) -> str | None:
        """What a view selects, as the catalog has it; None if there is no such view."""
        schema, name = _split(view)
        row = self._row(
            "SELECT sql FROM duckdb_views() WHERE schema_name = $schema AND view_name = $view",
            {"schema": schema, "view": name},
        )
        return None if row is None else str(row[0]).partition(" AS ")[2]

    def _kind(self, name: str) -> str | None:
        schema, table = _split(name)
        row = self._row(
            "SELECT table_type FROM information_schema.tables WHERE table_schema = $schema AND table_name = $table",
            {"schema": schema, "table": table},
        )
        return None if row is None else "VIEW" if row[0] == "VIEW" else "TABLE"

    def _row(self, sql: str, params: Params | None = None) -> Any:
        """The one row of a query, or None. Read to its end: DuckDB registers no frame while a result is unfinished."""
        rows = self._run(sql, params).fetchall()
        return rows[0] if rows else None

    def _run(self, sql: str, params: Params | None = None) -> Any:
        import duckdb

        try:
            return self._connection.execute(sql, dict(params) if params else None)
        except duckdb.InvalidInputException as error:
            raise csv_error(error) or error from None
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise (DiskFull(self.home) if says_full(str(error)) else error) from None


def _connect(file: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        return duckdb.connect(str(file), read_only=read_only)
    except duckdb.IOException as error:
        if "not a valid DuckDB database file" in str(error):
            raise UsageError(f"{file} is not a DuckDB database, or is damaged.") from error
        if "lock" not in str(error):
            raise
        writer = holder(file.parent)
        if writer is not None and writer.pid != os.getpid():
            raise WarehouseBusy(f"{file.name} is held by {writer}. Wait until it has ended.") from None
        other = re.search(r"\(PID \d+\)", str(error))
        raise WarehouseBusy(
            f"{file.name} is open in another process {other.group(0) if other else ''}".rstrip()
            + ". Close it there, or wait until it has ended."
        ) from None


def _split(name: str) -> tuple[str, str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise UsageError(f"{name!r} is not a table name of the form Dataset.table.")
    return match.group(1), match.group(2)


def _quoted(name: str) -> str:
    schema, table = _split(name)
    return f'"{schema}"."{table}"'


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
