"""Dagster's runs in one process, and what became of them. Loading this loads Dagster.

Belongs here: running a job, its progress, and what a failed step or run means to a person. Does not belong here: which
runs follow which (driver.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.events import JobFailureData

from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.assets.carry_out import report_name
from leadscore_v6.definitions import build_defs
from leadscore_v6.errors import DiskFull, LeadscoreError, says_full
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.instance import dagster_instance, end_killed_runs, quick_storage, run_tags
from leadscore_v6.jobs import (
    CLASS_BALANCE,
    DRIFT,
    FINAL,
    INTERIM,
    LEADS,
    MODEL,
    PERFORMANCE,
    PLAN,
    PRODUCTION_DAY,
    SERVING,
    SHADOW,
    SHADOW_DAY,
    SNAPSHOT,
    TRAINING_SET,
    WEEK,
)
from leadscore_v6.partitions import days, register, snapshot_dates
from leadscore_v6.settings import Settings

__all__ = [
    "CLASS_BALANCE",
    "DRIFT",
    "FINAL",
    "INTERIM",
    "LEADS",
    "MODEL",
    "PERFORMANCE",
    "PLAN",
    "PRODUCTION_DAY",
    "SERVING",
    "SHADOW",
    "SHADOW_DAY",
    "SNAPSHOT",
    "TRAINING_SET",
    "WEEK",
    "Failure",
    "Runner",
    "Summary",
    "open_runner",
]

# A failed step says what is wrong in one message; Dagster's own stack traces would bury it.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Failure:
    """Why a run stopped: the message for a person, the exit code, and where its report is."""

    step: str
    message: str
    exit_code: int
    report: str | None


@dataclass
class Summary:
    """What the runs did, asset by asset."""

    built: list[str] = field(default_factory=list)
    recognised: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass
class Runner:
    """Runs Dagster's jobs one after the other in this process, and keeps what became of them."""

    settings: Settings
    defs: dg.Definitions
    instance: dg.DagsterInstance
    options: dict[str, Any]
    progress: Callable[[str], None]
    total: int
    done: int = 0
    summary: Summary = field(default_factory=Summary)

    def run(self, job: str, partition: str | None, only: str | None = None) -> None:
        """One Dagster run in this process: all assets of the job, or one of them.

        Raises what kept it from starting or ending; failed steps are collected.
        """
        self.done += 1
        self.progress(f"[{self.done}/{self.total}] {job}{f' {partition}' if partition else ''} …")
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=None if only is None else [dg.AssetKey(only)],
            tags=run_tags(),
            run_config={**_QUIET, "resources": {"options": {"config": self.options}}},
            raise_on_error=False,
        )
        failed = []
        for event in result.all_events:
            if event.is_step_materialization:
                self._materialized(event, partition)
            elif event.is_step_failure:
                failed.append(_failure(event))
        if not result.success and not failed:
            raise _run_error(job, result, self.settings)
        self.summary.failures.extend(failed)

    def passes_over(self, job: str, partition: str, standing: Sequence[Attempt]) -> bool:
        """Whether a run of the job would tell nobody anything new; then it counts as done, all recognised.

        `standing`: what serves of each of its steps. Dagster must have been told of it, and its report be there: a
        process that was killed between publishing and telling leaves that to the next run.
        """
        if not standing or not all(map(self._is_told, standing)):
            return False
        self.done += 1
        self.progress(f"[{self.done}/{self.total}] {job} {partition}: known, nothing built")
        self.summary.recognised += [f"{attempt.asset}[{partition}]" for attempt in standing]
        return True

    def _is_told(self, attempt: Attempt) -> bool:
        wanted = dg.AssetRecordsFilter(dg.AssetKey(attempt.asset), asset_partitions=[str(attempt.partition)])
        told = self.instance.fetch_materializations(wanted, limit=1).records
        event = told[0].asset_materialization if told else None
        if event is None or (event.tags or {}).get(DATA_VERSION_TAG) != attempt.content_key:
            return False
        return ArtifactStore(self.settings.artifacts).exists(report_name(attempt))

    def run_days(self, job: str, keys: list[str], only: str) -> None:
        """One asset of the job of each day, in order; none after one that failed."""
        register(self.instance, days, keys)
        self.total += len(keys)
        for key in keys:
            if not self.summary.failures:
                self.run(job, key, only)

    def _materialized(self, event: dg.DagsterEvent, partition: str | None) -> None:
        metadata = event.step_materialization_data.materialization.metadata
        name = f"{event.step_key}{f'[{partition}]' if partition else ''}"
        rows = metadata.get("dagster/row_count")
        recognised = bool(metadata["recognised"].value)
        (self.summary.recognised if recognised else self.summary.built).append(name)
        count = f"{rows.value:,} rows" if rows is not None else "gates hold"
        self.progress(f"  {event.step_key}: {count}{' (known, nothing built)' if recognised else ''}")


@contextmanager
def open_runner(
    settings: Settings, options: dict[str, Any], progress: Callable[[str], None], keys: list[str], others: int
) -> Iterator[Runner]:
    """Dagster's storage under the home, opened for the holder of the warehouse's lease.

    `keys` are its snapshots; `others` how many runs there will be besides one for each of them.
    """
    with quick_storage(), dagster_instance(settings) as instance:
        end_killed_runs(instance)
        register(instance, snapshot_dates, keys)
        yield Runner(settings, build_defs(), instance, options, progress, len(keys) + others)


def _failure(event: dg.DagsterEvent) -> Failure:
    data = event.step_failure_data
    told = data.user_failure_data
    if told is not None and told.metadata and "exit_code" in told.metadata:
        report = told.metadata.get("report_path")
        return Failure(
            event.step_key or "",
            told.description or "",
            int(str(told.metadata["exit_code"].value)),
            str(report.value) if report else None,
        )
    return Failure(event.step_key or "", f"{event.step_key} failed:\n{data.error_display_string}", 1, None)


def _run_error(job: str, result: dg.ExecuteInProcessResult, settings: Settings) -> LeadscoreError:
    """Why a run failed outside of its steps: the warehouse could not be had, or Dagster could not write."""
    events = [event.event_specific_data for event in result.all_events if event.is_failure]
    error = next((data.error for data in events if isinstance(data, JobFailureData) and data.error), None)
    if error is None:
        return LeadscoreError(f"The run of {job} failed.")
    if says_full(error.to_string()):
        return DiskFull(settings.home)
    cause: Any = error
    while cause is not None:
        if cause.cls_name in _exit_codes():
            told = LeadscoreError(cause.message.partition(": ")[2].rstrip())
            told.exit_code = _exit_codes()[cause.cls_name]
            return told
        cause = cause.cause or cause.context
    return LeadscoreError(f"The run of {job} failed:\n{error.to_string()}")


@lru_cache(maxsize=1)
def _exit_codes() -> dict[str, int]:
    """The exit code of every error for a person, by the name of its class: all that Dagster keeps of one."""
    found: dict[str, int] = {}
    waiting: list[type[LeadscoreError]] = [LeadscoreError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind.exit_code
        waiting += kind.__subclasses__()
    return found
