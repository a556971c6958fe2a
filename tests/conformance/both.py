"""One world, gone through on both engines side by side: the same command on each, then the same rows asked of each.

Belongs here: the two homes, how BigQuery's begins, what is asked of both. Does not belong here: which commands, and
what must be equal (the tests).

The world is that of the model's tests (tests/e2e/model_world.py). Phase 1 is not gone through anew on BigQuery: that
its tables are DuckDB's row for row `test_phase1.py` proves, and eight snapshots of it take the emulator minutes. They
are carried over with their ledger; from the model on each engine makes its own.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from google.cloud import bigquery

from leadscore_v6.contracts import contract
from leadscore_v6.gates.decisions import PROMOTED
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.sample_world import PlayRequest, play
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.bigquery_client import connect, settle
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.warehouse.sql import render
from tests.conformance.conftest import bring_crm, variables
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore

WEEKLY_LEADS = 1_000
QUEUE_FILE = "ab_test_queue_v6.csv"
_LEDGER = ("attempt_ledger", "gate_ledger")
Gates = dict[tuple[str, str | None, str], tuple[Any, str]]
Rows = tuple[list[tuple[str, str]], Counter[tuple[Any, ...]]]


@dataclass(frozen=True)
class Side:
    """One engine's home."""

    settings: Settings

    def do(self, *arguments: object) -> str:
        """A command that must succeed; what it prints."""
        done = leadscore(*arguments, "--home", self.settings.home, **variables(self.settings))
        assert done.returncode == 0, f"{self.settings.engine}: {done.stderr}"
        return done.stdout

    def gates(self) -> Gates:
        """Figure and verdict by step, partition and gate."""
        lines = json.loads(self.do("status", "--json"))
        return {(line["asset"], line["partition"], line["gate"]): (line["figure"], line["verdict"]) for line in lines}

    def rows(self, table: str, without: Iterable[str] = ()) -> Rows:
        """Columns (name in lower case, type) and rows of a published table; `without`: columns left out."""
        with open_warehouse(self.settings, read_only=True) as warehouse:
            columns = [column for column in warehouse.columns(f"LeadScoring.{table}") if column.name not in without]
            asked = ", ".join(f"`{column.name}` AS `{column.name}`" for column in columns)
            found = warehouse.query(f"SELECT {asked} FROM `LeadScoring.{table}`")
        return [(column.name.lower(), column.type) for column in columns], Counter(tuple(row.values()) for row in found)

    @property
    def folder(self) -> Path:
        """Where its reports are."""
        return Path(str(self.settings.artifacts))

    def artifact(self, name: str) -> str:
        """A file among its reports."""
        return (self.folder / name).read_text(encoding="utf-8")


class Both:
    """The world, and a home of each engine. The world lies where DuckDB's home looks for it."""

    def __init__(self, modelled: Modelled, embedded: Settings, cloud: Settings) -> None:
        self.feed = Path(str(embedded.data))
        self.embedded, self.cloud = Side(embedded), Side(cloud)
        shutil.copytree(modelled.home, embedded.home, ignore=shutil.ignore_patterns("dagster"))
        shutil.copytree(modelled.feed, self.feed)
        shutil.copytree(modelled.truth.parent, self.feed.with_name(f"{self.feed.name}.truth"))
        # Of the leads BigQuery has the CRM's table, and no file.
        Path(str(cloud.data)).mkdir(parents=True)
        carry_over(embedded, cloud)
        bring_crm(cloud, self.feed)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both of them."""
        return self.embedded, self.cloud

    def do(self, *arguments: object) -> tuple[str, str]:
        """The same command on each."""
        one, other = (side.do(*arguments) for side in self.sides)
        return one, other

    def land(self, *arguments: object) -> tuple[str, str]:
        """The same command on each, with what the CRM knows now."""
        one, other = (side.do(*arguments, "--data", side.settings.data) for side in self.sides)
        return one, other

    def let_pass(self, weeks: int, *, by_queue: bool = False, drifts: tuple[str, ...] = ()) -> None:
        """Weeks of the world; in the first of them the queue that DuckDB's home has published is dialled, if any is."""
        queue = self.embedded.folder / QUEUE_FILE if by_queue else None
        play(self.feed, PlayRequest(weeks=weeks, queue=queue, weekly_leads=WEEKLY_LEADS, drifts=drifts))
        bring_crm(self.cloud.settings, self.feed)


def carry_over(embedded: Settings, cloud: Settings) -> None:
    """All that Phase 1 has published in a DuckDB home, and its lines of the ledger, into an empty BigQuery dataset.

    Of the raw tables the columns alone: their rows were read when the snapshots were made, and are not read again.
    """
    jobs = connect(cloud)
    settle(jobs, cloud, create=True)
    later = [name for name, step in STEPS.items() if step.group in ("model", "shadow", "experiment", "production")]
    with open_warehouse(embedded, read_only=True) as warehouse:
        there = warehouse.names("LeadScoring")
        columns = {name: warehouse.columns(f"LeadScoring.{name}") for name in there}
    fields = {name: [bigquery.SchemaField(one.name, one.type) for one in columns[name]] for name in there}
    raw = [name for name in there if name.endswith("_raw")]
    for name in raw:
        jobs.client.create_table(bigquery.Table(f"{cloud.project}.LeadScoring.{name}", schema=fields[name]))
    names = [name for name in there if name not in raw]
    with duckdb.connect(str(embedded.warehouse_file), read_only=True) as source, TemporaryDirectory() as spool:
        source.execute("SET TimeZone = 'UTC'")
        for name in (name for name in names if not name.startswith("v_")):
            rows = f"SELECT * FROM LeadScoring.{name}"
            kept = f"{rows} WHERE asset NOT IN (SELECT unnest($later))" if name in _LEDGER else rows
            file = Path(spool) / f"{name}.parquet"
            source.execute(f"COPY ({kept}) TO '{file}'", {"later": later} if name in _LEDGER else None)
            config = bigquery.LoadJobConfig(source_format=bigquery.SourceFormat.PARQUET, schema=fields[name])
            jobs._load(file, f"{cloud.project}.LeadScoring.{name}", config)
    for kind in ("reps", "firms"):
        shards = [f"LeadScoring.{name}" for name in names if name.startswith(f"snapshot_{kind}_")]
        view = f"v_discovery_{kind}_all_vintages"
        lists = {"snapshots": shards, "contract_columns": contract(kind).names}
        jobs.statement(f"CREATE VIEW `LeadScoring.{view}` AS\n{render(f'{view}/query.sql', {}, lists)}")
    (training,) = (name for name in names if name.startswith("step_3_3_"))
    jobs.statement(f"CREATE VIEW `LeadScoring.{PROMOTED}` AS\nSELECT * FROM `LeadScoring.{training}`")
