"""The product run in this process, and ways to make its gates fail: changed files, changed candidates, changed tables.

Belongs here: what the tests of gates share. Does not belong here: which gate fails by what (test_gates_hold.py).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import duckdb
import pytest
import yaml
from _pytest.mark import ParameterSet

from leadscore_v6.assets import snapshots
from leadscore_v6.definitions import build_defs
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.jobs import (
    CLASS_BALANCE,
    DRIFT,
    FINAL,
    INTERIM,
    LEADS,
    MODEL,
    PERFORMANCE,
    PRODUCTION_DAY,
    SERVING,
    SHADOW,
    SHADOW_DAY,
    SNAPSHOT,
    TRAINING_SET,
)
from leadscore_v6.jobs import PLAN as TEST_PLAN
from leadscore_v6.jobs import WEEK as TEST_WEEK
from leadscore_v6.partitions import days, register, snapshot_dates
from leadscore_v6.resources import WarehouseResource
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.protocol import FileTable, Warehouse
from tests.e2e.process import REPOSITORY

# As the file has them: what the cases are held against.
GATES = {gate["name"]: gate for gate in yaml.safe_load((REPOSITORY / "config/gates.yaml").read_text())["gates"]}
PROMOTED = "v_latest_training_dataset_v6"
# Jobs by group, and of groups with several jobs by asset.
JOBS = {"leads": LEADS, "model": MODEL}
JOBS |= {"serving_advisors_v6": SERVING, "shadow_scores_v6": SHADOW_DAY, "shadow_scoring": SHADOW}
JOBS |= {"ab_test_power_analysis_v6": TEST_PLAN, "ab_test_interim_analysis_v6": INTERIM, "experiment": TEST_WEEK}
JOBS |= {"ab_test_final_analysis_v6": FINAL}
JOBS |= {"production_scores_v6": PRODUCTION_DAY, "class_balance_v6": CLASS_BALANCE}
JOBS |= {"feature_drift_v6": DRIFT, "model_performance_v6": PERFORMANCE}
# Edges of Dagster's graph by which a result is used as it is: what fails before the parent does not stop the child.
PINNED = {
    ("backtest", "shadow_scores_v6"),
    *((parent, "shadow_scoring") for parent in ("shadow_scores_v6", "serving_advisors_v6", "backtest")),
    *((parent, name) for name, step in STEPS.items() if step.group == "experiment" for parent in step.pinned),
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
REBUILD = {"rebuild": True}
Row = dict[str, str]


# --- a table changed between its building and its audit (R59) -----------------------------------------------------


class Saboteur:
    """A warehouse that puts `select` in the place of one candidate as soon as it was built; else the honest one.

    `select` is GoogleSQL; `{honest}` in it is the candidate as the product built it.
    """

    def __init__(self, honest: Warehouse, table: str, select: str) -> None:
        self._honest = honest
        self._table = table
        self._select = select

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    def create_table(self, name: str, *given: Any, **more: Any) -> Mapping[str, Any]:
        facts = self._honest.create_table(name, *given, **more)
        self._spoil(name)
        return facts

    def create_view(self, name: str, *given: Any, **more: Any) -> None:
        self._honest.create_view(name, *given, **more)
        self._spoil(name)

    def write_frame(self, name: str, *given: Any, **more: Any) -> Mapping[str, Any]:
        facts = self._honest.write_frame(name, *given, **more)
        self._spoil(name)
        return facts

    def expose_file(self, name: str, file: FileTable) -> None:
        self._honest.expose_file(name, file)
        self._spoil(name)

    def _spoil(self, name: str) -> None:
        dataset, table = name.split(".")
        if re.match(rf"candidate__{self._table}(_\d{{8}}(_\d{{4}}(_\d+)?)?)?__", table):
            honest = f"{dataset}.honest__{table}"
            self._honest.publish(name, honest)
            self._honest.create_view(name, self._select.format(honest=f"`{honest}`"))


class SabotagedWarehouse(WarehouseResource):
    """The warehouse resource of a run with a saboteur in it."""

    table: str
    select: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[WarehouseResource]:
        with super().yield_for_execution(context) as resource:
            resource.bench.warehouse = Saboteur(resource.bench.warehouse, self.table, self.select)
            yield resource


# --- the product --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stop:
    """A step that failed: what it says, the exit code that the CLI makes of it, and its report."""

    message: str
    exit_code: int
    report: Path | None


@dataclass
class Ran:
    """How one or more Dagster runs ended."""

    materialized: list[str] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    checks: dict[str, dg.AssetCheckEvaluation] = field(default_factory=dict)

    @property
    def failed_checks(self) -> set[str]:
        """Checks that stop a run."""
        stopping = dg.AssetCheckSeverity.ERROR
        return {name for name, check in self.checks.items() if not check.passed and check.severity is stopping}

    def add(self, event: dg.DagsterEvent) -> None:
        """Take one event of a run into account."""
        if event.is_step_materialization:
            self.materialized.append(event.step_key)
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self.checks[event.event_specific_data.check_name] = event.event_specific_data
        elif event.is_step_failure:
            told = event.step_failure_data.user_failure_data
            assert told is not None, event.step_failure_data.error_display_string
            report = told.metadata.get("report_path")
            code = int(told.metadata["exit_code"].value)
            self.stops.append(Stop(told.description, code, Path(report.value) if report else None))


@cache
def _specs() -> dict[str, dg.AssetSpec]:
    """What Dagster shows of each asset."""
    return {spec.key.to_user_string(): spec for spec in build_defs().resolve_all_asset_specs()}


class Product:
    """The plan's assets on one home, run in this process as the UI, the sensor and the CLI run them."""

    def __init__(self, settings: Settings, keys: list[str], options: Mapping[str, Any]) -> None:
        """The environment must name the same home and data, since a run's resources read them there."""
        self.settings = settings
        self.options = options
        self.instance = dg.DagsterInstance.ephemeral()
        register(self.instance, snapshot_dates, keys)
        register(self.instance, days, keys)

    def materialize(
        self,
        assets: list[str],
        key: str | None,
        options: Mapping[str, Any] | None = None,
        warehouse: WarehouseResource | None = None,
    ) -> Ran:
        """One Dagster run of some assets of one job; `key` is the partition of partitioned ones."""
        job = self.job(assets[0])
        given = {"options": {"config": {**self.options, **(options or {})}}}
        defs = build_defs(warehouse=warehouse or WarehouseResource())
        result = defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=key if job in (SNAPSHOT, SHADOW_DAY) else None,
            asset_selection=[dg.AssetKey(asset) for asset in assets],
            run_config={**QUIET, "resources": given},
            raise_on_error=False,
        )
        ran = Ran()
        for event in result.all_events:
            ran.add(event)
        assert result.success == (not ran.stops)
        return ran

    def run_from(
        self,
        asset: str,
        key: str,
        options: Mapping[str, Any],
        warehouse: WarehouseResource | None = None,
        until: str = PROMOTED,
    ) -> Ran:
        """`asset` and what follows on the way to `until`, job by job; nothing after a job that failed.

        The model is left out, and what scores by it: a world that small cannot train one (test_model_gates.py).
        `options` are those of the first job; the jobs after it recognise what is the same.
        """
        together = Ran()
        following = [name for name in (asset, *self.after(asset)) if name == until or until in self.after(name)]
        partitioned = [name for name in following if self.is_partitioned(name)]
        fan_in = [name for name in following if self.job(name) == TRAINING_SET]
        for assets in ([name for name in following if self.job(name) == LEADS], partitioned, fan_in):
            if assets and not together.stops:
                ran = self.materialize(assets, key, options, warehouse)
                options = {}
                together.materialized += ran.materialized
                together.stops += ran.stops
                together.checks |= ran.checks
        return together

    def job(self, asset: str) -> str:
        """The job that an asset belongs to."""
        if self.is_partitioned(asset):
            return SNAPSHOT
        return JOBS.get(asset) or JOBS.get(_specs()[asset].group_name or "", TRAINING_SET)

    def is_partitioned(self, asset: str) -> bool:
        """Whether there is one of it per snapshot date."""
        return _specs()[asset].partitions_def == snapshot_dates

    def is_daily(self, asset: str) -> bool:
        """Whether there is one of it per day."""
        return _specs()[asset].partitions_def is not None and not self.is_partitioned(asset)

    def after(self, asset: str) -> list[str]:
        """Every asset that is made from it, nearest first, by the graph that Dagster shows."""
        found, waiting = [], [asset]
        while waiting:
            parent = waiting.pop(0)
            children = [
                name
                for name, spec in _specs().items()
                if any(dep.asset_key == dg.AssetKey(parent) for dep in spec.deps) and (parent, name) not in PINNED
            ]
            new = [name for name in children if name not in found]
            found += new
            waiting += new
        return found

    @property
    def ledger(self) -> Ledger:
        """The ledger as it is now."""
        return read_ledger(self.settings)[0]

    def served(self) -> tuple[str, Any]:
        """What the promoted view serves: the version's name, and all rows."""
        serving = self.ledger.serving(f"{self.settings.dataset}.{PROMOTED}")
        assert serving is not None
        return serving.facts["promoted_version"], self.rows(f"{self.settings.dataset}.{PROMOTED}")

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        """All rows of a published table or view, in an order of their own."""
        with self.open_by_hand(read_only=True) as connection:
            return connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()

    @contextmanager
    def open_by_hand(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse as a person opens it, past the product."""
        with duckdb.connect(str(self.settings.warehouse_file), read_only=read_only) as connection:
            connection.execute(f"SET TimeZone = 'UTC'; SET file_search_path = '{self.settings.home}'")
            yield connection


# --- which are made to fail when ----------------------------------------------------------------------------------


def one_of_each_asset(cases: Sequence[Any], always: Collection[str] = ()) -> list[ParameterSet]:
    """Cases by their gate: the first of each asset in `make test`, which is short of time, the others in `make prove`.

    Every gate of an asset stops it by the same code; what is proven of each is that its figure is judged at all.
    Gates in `always` are made to fail in `make test` too.
    """
    count: dict[str, int] = {}
    seen: set[str] = set()
    found = []
    for case in cases:
        asset, count[case.gate] = GATES[case.gate]["asset"], count.get(case.gate, 0) + 1
        name = case.gate if count[case.gate] == 1 else f"{case.gate}-{count[case.gate]}"
        later = asset in seen and case.gate not in always
        found.append(pytest.param(case, id=name, marks=[pytest.mark.prove] if later else []))
        seen.add(asset)
    return found


def require_each_is_made_to_fail(params: Sequence[ParameterSet], gates: set[str]) -> None:
    """Every one of `gates` has a case in `make test` or `make prove`, and of each asset's one is in `make test`.

    A case under another mark (skip, xfail) would be none.
    """
    assert {param.values[0].gate for param in params} == gates
    assert {mark.name for param in params for mark in param.marks} <= {"prove"}
    assert {GATES[param.values[0].gate]["asset"] for param in params if not param.marks} == {
        GATES[gate]["asset"] for gate in gates
    }


# --- what makes a gate fail ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sabotage:
    """One candidate is changed right after it was built; `{honest}` in `select` (GoogleSQL) is what was built."""

    table: str
    select: str

    @contextmanager
    def done_to(self, product: Product) -> Iterator[WarehouseResource]:
        """The resource of the spoiled run; nothing to mend afterwards."""
        yield SabotagedWarehouse(table=self.table, select=self.select)


@dataclass(frozen=True)
class Edited:
    """An input file is changed; `change` gets its records. Mended: the file as it was."""

    file: str
    change: Callable[[list[Row]], object]

    @contextmanager
    def done_to(self, product: Product) -> Iterator[WarehouseResource]:
        """The file stays changed inside the block."""
        path = product.settings.data / self.file
        good = path.read_bytes()
        edit(path, self.change)
        try:
            yield WarehouseResource()
        finally:
            path.write_bytes(good)


@dataclass(frozen=True)
class ByHand:
    """Published tables are changed past the product, in DuckDB's SQL."""

    statements: str

    @contextmanager
    def done_to(self, product: Product) -> Iterator[WarehouseResource]:
        """Nobody changes it back: what mends it is building it again."""
        with product.open_by_hand(read_only=False) as connection:
            connection.execute(self.statements)
        yield WarehouseResource()


@dataclass(frozen=True)
class Misnamed:
    """The landing takes a file for one of another name. Mended: the file is delivered anew."""

    file: str
    taken_for: str

    @contextmanager
    def done_to(self, product: Product) -> Iterator[WarehouseResource]:
        """Only the landing is wrong; what it lands is right."""
        path, land = product.settings.data / self.file, snapshots.land_once
        with mock.patch.object(snapshots, "land_once", lambda *given: replace(land(*given), file_name=self.taken_for)):
            yield WarehouseResource()
        path.write_bytes(path.read_bytes())


Spoil = Sabotage | Edited | ByHand | Misnamed


def edit(path: Path, change: Callable[[list[Row]], object]) -> None:
    """Change the records of a CSV file in place; every value is text."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        records = list(reader)
    change(records)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, reader.fieldnames or [])
        writer.writeheader()
        writer.writerows(records)
