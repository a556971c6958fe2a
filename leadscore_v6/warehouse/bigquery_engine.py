"""The production engine: BigQuery, through Google's own client.

Belongs here: the `Warehouse` protocol on tables, views and jobs of BigQuery. Does not belong here: how a job is
submitted and limited (`bigquery_jobs.py`), who may write (`bigquery_lease.py`), or SQL of a step.

There is no transaction over tables here. What must hold together is written in an order that heals: a publication
replaces one table in one step, the ledger's line follows it, and only then the candidate goes; after a crash in between
the next run publishes the same candidate again. The CRM's dataset is only ever read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from google.cloud import bigquery

from leadscore_v6.errors import InputError, LeadscoreError, WarehouseBusy
from leadscore_v6.locations import Location
from leadscore_v6.warehouse.bigquery_jobs import Jobs, NotThere, told
from leadscore_v6.warehouse.bigquery_rows import write_csv, write_json
from leadscore_v6.warehouse.daily import require_day
from leadscore_v6.warehouse.landing.folder import CRM_TABLES
from leadscore_v6.warehouse.protocol import DAY_COLUMN, FileTable, Layout, Params, TableColumn, table_and_day
from leadscore_v6.warehouse.sql import column_identifier, table_identifier

if TYPE_CHECKING:
    import pandas as pd

# The API's older words for GoogleSQL's types.
_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


class BigQueryWarehouse:
    """The `Warehouse` protocol on BigQuery. `home` is what landed files' names are relative to (R55)."""

    atomic = False

    def __init__(self, jobs: Jobs, datasets: tuple[str, str], home: Path, lease: tuple[str, str] | None = None) -> None:
        """`lease` is the table of the lease and our token in it; without it nothing can be written."""
        self.dataset, self.crm_dataset = datasets
        self.written_datasets: tuple[str, ...] = (self.dataset,)
        self.home = home
        self._jobs = jobs
        self._lease = lease
        self._project = jobs.client.project
        self._leftovers: list[str] | None = None

    def close(self) -> None:
        """Let go of the connections."""
        self._jobs.client.close()  # type: ignore[no-untyped-call]

    # -- reading ---------------------------------------------------------------------------------------------------

    def query(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """Rows of a GoogleSQL query. Raises GateBlocked when it would read more than the limit."""
        return [dict(row.items()) for row in self._jobs.query(sql, params).rows]

    def frame(self, sql: str, params: Params | None = None) -> pd.DataFrame:
        """The same rows as a frame, its columns there also without a row; one of NULLs alone is one of objects."""
        import pandas as pd

        rows: Any = self._jobs.query(sql, params).rows
        frame = pd.DataFrame((row.values() for row in rows), columns=[field.name for field in rows.schema])
        dates = [field.name for field in rows.schema if field.field_type == "DATE"]
        return frame.assign(**{name: pd.to_datetime(frame[name]) for name in dates})

    def count_rows(self, name: str) -> int:
        """Rows of a table or view."""
        (row,) = self.query(f"SELECT COUNT(*) AS records FROM {table_identifier(name)}")
        return int(row["records"])

    def probe(self, name: str) -> int:
        """1 if a first row can be read, 0 if there is none. Read through the table's API: a query would read it all."""
        table_identifier(name)
        with told(f"the first row of {name}"):
            return len(list(self._jobs.client.list_rows(self._full(name), max_results=1, retry=self._jobs.retry)))

    def count_nulls(self, name: str, columns: Sequence[str]) -> dict[str, int]:
        """NULLs per column, in one pass."""
        if not columns:
            return {}
        counts = ", ".join(
            f"COUNT(*) - COUNT({column_identifier(column)}) AS n{number}" for number, column in enumerate(columns)
        )
        (row,) = self.query(f"SELECT {counts} FROM {table_identifier(name)}")
        return {column: int(row[f"n{number}"]) for number, column in enumerate(columns)}

    def exists(self, name: str) -> bool:
        """Whether a table or view of that name is there."""
        return self._table(table_and_day(name)[0]) is not None

    def columns(self, name: str) -> list[TableColumn]:
        """The schema in BigQuery's catalog: what INFORMATION_SCHEMA.COLUMNS shows, without a job each time (R13)."""
        table = self._table(name)
        if table is None:
            return []
        return [
            TableColumn(field.name, _TYPES.get(field.field_type, field.field_type), field.mode != "REQUIRED")
            for field in table.schema
        ]

    def names(self, dataset: str) -> list[str]:
        """All tables and views of a dataset, sorted."""
        column_identifier(dataset)
        try:
            with told(f"the tables of {dataset}"):
                found = self._jobs.client.list_tables(f"{self._project}.{dataset}", retry=self._jobs.retry)
                return sorted(table.table_id for table in found)
        except NotThere:
            return []

    def definition(self, view: str) -> str | None:
        """What a view selects, as the catalogue has it; None if there is no such view."""
        table_identifier(view)
        dataset, name = view.split(".")
        rows = self.query(
            f"SELECT view_definition FROM `{dataset}.INFORMATION_SCHEMA.VIEWS` WHERE table_name = @name", {"name": name}
        )
        return str(rows[0]["view_definition"]) if rows else None

    # -- building --------------------------------------------------------------------------------------------------

    def create_table(
        self, name: str, select: str, params: Params | None = None, layout: Layout | None = None
    ) -> Mapping[str, Any]:
        """`CREATE OR REPLACE TABLE name AS select`, clustered and described; returns its job and bytes."""
        layout = layout or Layout()
        self._make_way(name, layout)
        cluster = f"\nCLUSTER BY {', '.join(map(column_identifier, layout.cluster_by))}" if layout.cluster_by else ""
        # BigQuery does not cluster the result of an ORDER BY; a table has no order there anyway.
        body = f"SELECT * FROM (\n{select}\n)" if cluster else select
        ran = self._jobs.query(f"CREATE OR REPLACE TABLE {table_identifier(name)}{cluster}\nAS\n{body}", params)
        self._describe(name, layout)
        return ran.facts

    def begin_table(
        self, source: str, file: FileTable, select_of: Callable[[str], str], params: Params | None = None
    ) -> None:
        """Nothing: BigQuery does the work, and a job that is not asked for would be billed."""

    def create_view(self, name: str, select: str, layout: Layout | None = None) -> None:
        """`CREATE OR REPLACE VIEW name AS select`, atomic."""
        self._jobs.statement(f"CREATE OR REPLACE VIEW {table_identifier(name)}\nAS\n{select}")
        if layout is not None:
            self._describe(name, layout)

    def expose_file(self, name: str, file: FileTable) -> None:
        """Load a landed file into a table, every column STRING (R1)."""
        table_identifier(name)
        for column in file.columns:
            column_identifier(column)
        self._jobs.load(self.home / file.path, self._full(name), file.columns)

    def write_frame(
        self, name: str, frame: pd.DataFrame, columns: Mapping[str, str], layout: Layout | None = None
    ) -> Mapping[str, Any]:
        """Load the frame's rows, written out as JSON, into a table of these columns, clustered and described."""
        layout = layout or Layout()
        table_identifier(name)
        for column in (*columns, *layout.cluster_by):
            column_identifier(column)
        if frame.empty:
            # A load of no bytes is not an upload everywhere.
            nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column_identifier(name)}" for name, kind in columns.items())
            return self.create_table(name, f"SELECT {nothing} LIMIT 0", None, layout)
        self._make_way(name, layout)
        with TemporaryDirectory() as spool:
            path = Path(spool) / "rows.json"
            write_json(path, frame, columns)
            ran = self._jobs.load_json(path, self._full(name), columns, layout.cluster_by)
        self._describe(name, layout)
        return ran.facts

    def publish(self, candidate: str, name: str) -> None:
        """Copy the candidate over the published name in one step; it is dropped when the block it is in has ended.

        Raises WarehouseBusy when the lease was lost meanwhile.
        """
        table = self._table(candidate)
        if table is None:
            raise LeadscoreError(f"There is no {candidate} to publish as {name}.")
        whole, day = table_and_day(name)
        if day is not None:
            require_day(self, candidate, whole, day)
        self._require_lease()
        layout = _layout_of(table)
        if day is not None:
            self._replace_day(candidate, table, whole, day)
            self._describe(whole, layout)
        elif table.table_type == "VIEW":
            self.create_view(name, str(self.definition(candidate)), layout)
        else:
            served = self._table(name)
            if served is not None and not _is_clustered_by(served, layout.cluster_by):
                self._describe(name, layout)  # copied over a table of another clustering it would be refused
            self._jobs.copy(self._full(candidate), self._full(name))
            self._describe(name, layout)
        if self._leftovers is None:
            self.drop(candidate)
        else:
            self._leftovers.append(candidate)

    def drop(self, name: str) -> None:
        """Remove a table, a view or a day's rows if it is there."""
        name, day = table_and_day(name)
        table = self._table(name)
        if table is not None and day is not None:
            given = [bigquery.ScalarQueryParameter("day", "DATE", day)]
            self._jobs.statement(f"DELETE FROM {table_identifier(name)} WHERE {DAY_COLUMN} = @day", given)
        elif table is not None:
            kind = "VIEW" if table.table_type == "VIEW" else "TABLE"
            self._jobs.statement(f"DROP {kind} IF EXISTS {table_identifier(name)}")

    def ensure_table(self, name: str, columns: Mapping[str, str]) -> None:
        """Create an empty table unless it exists."""
        table_identifier(name)
        fields = [bigquery.SchemaField(column, kind) for column, kind in columns.items()]
        with told(f"making {name}"):
            self._jobs.client.create_table(
                bigquery.Table(self._full(name), schema=fields), exists_ok=True, retry=self._jobs.retry
            )

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows in one statement, while the lease is ours. Raises WarehouseBusy when it is not any more."""
        if not rows:
            return
        columns = list(rows[0])
        quoted = [column_identifier(column) for column in columns]
        kinds = {column.name: column.type for column in self.columns(name)}
        structs = [
            bigquery.StructQueryParameter(
                None, *(bigquery.ScalarQueryParameter(column, kinds[column], row[column]) for column in columns)
            )
            for row in rows
        ]
        lease, token = self._held()
        # The fence: a process that was stopped for longer than its lease writes nothing when it wakes up.
        ran = self._jobs.statement(
            f"INSERT INTO {table_identifier(name)} ({', '.join(quoted)})\n"
            f"SELECT {', '.join(f'added.{column}' for column in quoted)}\n"
            f"FROM UNNEST(@added) AS added CROSS JOIN {table_identifier(lease)} AS lease\n"
            "WHERE lease.token = @token AND lease.expires_at > CURRENT_TIMESTAMP()",
            [
                bigquery.ArrayQueryParameter("added", "STRUCT", structs),
                bigquery.ScalarQueryParameter("token", "STRING", token),
            ],
        )
        if ran.affected != len(rows):
            raise _lost(f"{ran.affected} of {len(rows)} lines were written (job {ran.job.job_id})")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Candidates published inside go when the block has ended well; until then it can be carried out again."""
        if self._leftovers is not None:
            yield
            return
        self._leftovers = []
        try:
            yield
            for candidate in self._leftovers:
                self.drop(candidate)
        finally:
            self._leftovers = None

    def labelled(self, **labels: str) -> AbstractContextManager[None]:
        """Jobs inside carry these labels."""
        return self._jobs.labelled(labels)

    # -- the CRM ---------------------------------------------------------------------------------------------------

    def crm_file(self, table: str, folder: Location, spool: Path, columns: Sequence[str]) -> Location | None:
        """The CRM's table, as of now, written out as a file in `spool`: what is landed and pinned by digest (R49).

        Sorted by all columns, so that the same rows are the same bytes. None: there is no such table. Raises
        InputError: it lacks a column.
        """
        source = f"{self.crm_dataset}.{table}"
        there = {column.name.lower(): column.name for column in self.columns(source)}
        if not there:
            return None
        missing = [column for column in columns if column.lower() not in there]
        if missing:
            raise InputError(
                f"The CRM's table {self._full(source)} lacks {', '.join(missing)}",
                column=missing[0],
                remedy="see that the CRM is synchronised into LEADSCORE_CRM_DATASET; `leadscore doctor` looks.",
            )
        marks = [there[name] for name in ("synthetic_data",) if name in there]
        names = [*columns, *marks]
        texts = ", ".join(f"CAST({column_identifier(name)} AS STRING) AS {column_identifier(name)}" for name in names)
        order = ", ".join(map(column_identifier, names))
        ran = self._jobs.query(f"SELECT {texts} FROM {table_identifier(source)} ORDER BY {order}")
        return write_csv(spool / f"{table}.csv", names, ran.rows)

    def landed_table(self, table: str) -> str:
        """A table of ours: the CRM's dataset is only read."""
        return f"{self.dataset}.{CRM_TABLES[table]}_raw"

    def _replace_day(self, candidate: str, like: Any, table: str, day: dt.date) -> None:
        """One statement, and so atomic: the day's rows go, the candidate's come."""
        made = bigquery.Table(self._full(table), schema=like.schema)
        made.time_partitioning = bigquery.TimePartitioning(field=DAY_COLUMN)
        made.clustering_fields = like.clustering_fields
        with told(f"making {table}"):
            self._jobs.client.create_table(made, exists_ok=True, retry=self._jobs.retry)
        columns = ", ".join(column_identifier(field.name) for field in like.schema)
        self._jobs.statement(
            f"MERGE {table_identifier(table)} AS served USING {table_identifier(candidate)} AS given ON FALSE\n"
            f"WHEN NOT MATCHED BY SOURCE AND served.{DAY_COLUMN} = @day THEN DELETE\n"
            f"WHEN NOT MATCHED BY TARGET THEN INSERT ({columns}) VALUES ({columns})",
            [bigquery.ScalarQueryParameter("day", "DATE", day)],
        )

    # -- parts -----------------------------------------------------------------------------------------------------

    def _full(self, name: str) -> str:
        return f"{self._project}.{name}"

    def _table(self, name: str) -> Any:
        table_identifier(name)
        try:
            with told(f"looking at {name}"):
                return self._jobs.client.get_table(self._full(name), retry=self._jobs.retry)
        except NotThere:
            return None

    def _make_way(self, name: str, layout: Layout) -> None:
        """BigQuery replaces no table by one of another clustering: one that nobody reads yet goes before."""
        table = self._table(name)
        if table is not None and not _is_clustered_by(table, layout.cluster_by):
            self.drop(name)

    def _describe(self, name: str, layout: Layout) -> None:
        table = self._table(name)
        says = {column.lower(): text for column, text in layout.columns.items()}
        table.description = layout.description
        table.labels = {"product": "leadscore"}
        table.schema = [
            bigquery.SchemaField(
                field.name, field.field_type, mode=field.mode, description=says.get(field.name.lower(), "")
            )
            for field in table.schema
        ]
        changed = ["description", "labels", "schema"]
        if not _is_clustered_by(table, layout.cluster_by):
            table.clustering_fields = list(layout.cluster_by) or None
            changed.append("clustering_fields")
        if layout.keep_days is not None and table.created is not None:
            table.expires = table.created + dt.timedelta(days=layout.keep_days)
            changed.append("expires")
        with told(f"describing {name}"):
            self._jobs.client.update_table(table, changed, retry=self._jobs.retry)

    def _held(self) -> tuple[str, str]:
        if self._lease is None:
            raise LeadscoreError("The warehouse was opened for reading; nothing can be written.")
        return self._lease

    def _require_lease(self) -> None:
        lease, token = self._held()
        ran = self._jobs.statement(
            f"SELECT COUNT(*) AS held FROM {table_identifier(lease)} "
            "WHERE token = @token AND expires_at > CURRENT_TIMESTAMP()",
            [bigquery.ScalarQueryParameter("token", "STRING", token)],
        )
        if not next(iter(ran.rows))["held"]:
            raise _lost("nothing was published")


def _layout_of(table: Any) -> Layout:
    """What a table says of itself, to be said of its copy."""
    keep = (table.expires - table.created).days if table.expires and table.created else None
    columns = {field.name: field.description or "" for field in table.schema}
    return Layout(table.description or "", columns, table.clustering_fields or (), keep)


def _is_clustered_by(table: Any, columns: Sequence[str]) -> bool:
    return [name.lower() for name in table.clustering_fields or ()] == [name.lower() for name in columns]


def _lost(what: str) -> WarehouseBusy:
    return WarehouseBusy(
        f"This process has lost the warehouse's lease: it was stopped for too long, and another may have it; {what}.\n"
        "  what to do: run the same command again."
    )
