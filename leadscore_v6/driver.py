"""Running the plan from one process: the CLI's front to the same assets that the UI and the sensor run.

Belongs here: which runs follow which, their progress, and what a failed one means. Does not belong here: commands and
arguments (cli.py), or a second pipeline: everything is done by Dagster's jobs.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events import JobFailureData

from leadscore_v6.assets.intake import file_mark, withdrawal_of
from leadscore_v6.assets.snapshots import begin_typing
from leadscore_v6.contracts import contract
from leadscore_v6.definitions import build_defs
from leadscore_v6.errors import (
    DiskFull,
    GateBlocked,
    InputError,
    LeadscoreError,
    WarehouseBusy,
    ran_out_of_space,
    says_full,
)
from leadscore_v6.gates.bench import open_bench, wall_clock
from leadscore_v6.gates.ledger import Ledger, Place
from leadscore_v6.gates.status import served_versions, status_lines
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.instance import dagster_instance, end_killed_runs, quick_storage, run_tags
from leadscore_v6.jobs import LEADS, SNAPSHOT, TRAINING_SET
from leadscore_v6.partitions import register
from leadscore_v6.reports.status import render_overview
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import FeedFile, feed_files, landing_ahead
from leadscore_v6.warehouse.landing.leads import FILE_NAME as LEADS_FILE

Progress = Callable[[str], None]
# Bytes; less than SQLite needs for one commit.
_NOTHING_LEFT = 1 << 20
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


def run_through_dataset(settings: Settings, options: dict[str, Any], progress: Progress) -> Summary:
    """Every feed file of `settings.data`, then views, join, training set, promotion.

    Raises InputError or UsageError when the folder cannot be read as a feed, WarehouseBusy when another process holds
    the warehouse. A step that fails is in the summary. Leads that fail end it; of the snapshots all are judged, and the
    fan-in is run if none failed.
    """
    feeds = feed_files(settings.data, wall_clock().date())
    _require_leads(settings)
    with _told_when_full(settings):
        return _run_all(settings, options, progress, feeds)


def _run_all(settings: Settings, options: dict[str, Any], progress: Progress, feeds: list[FeedFile]) -> Summary:
    summary = Summary()
    # Open from here to the end, so that the runs share what the engine has read, and it is written back once. Another
    # program may have the file open: said here once, with progress, and not by each run.
    with ExitStack() as held:
        bench = held.enter_context(open_bench(settings, "leadscore run", progress))
        used = list(_in_use(bench.ledger, feeds, settings, progress))
        fresh, keys = [feed for feed in used if not _landed(bench.ledger, feed)], [feed.key for feed in used]
        begin = partial(begin_typing, bench.warehouse, settings)
        held.enter_context(landing_ahead(fresh, settings.store, contract("feed").names, begin))
        held.enter_context(quick_storage())
        instance = held.enter_context(dagster_instance(settings))
        end_killed_runs(instance)
        register(instance, keys)
        defs = build_defs()
        runner = _Runner(settings, defs, instance, options, summary, progress, len(keys) + 2)
        # The small file first: a mistake in it shows at once, not after every snapshot has been built.
        runner.run(LEADS, None)
        if summary.failures:
            return summary
        for key in keys:
            runner.run(SNAPSHOT, key)
        if not summary.failures:
            runner.run(TRAINING_SET, None)
    return summary


def raise_for(summary: Summary) -> None:
    """Raise the summary's failures as one error with the exit code of the gravest: 1, then 2, then 3."""
    if not summary.failures:
        return
    text = "\n".join(
        failure.message + (f"\n  report: {failure.report}" if failure.report else "") for failure in summary.failures
    )
    codes = {failure.exit_code for failure in summary.failures}
    if 1 in codes:
        raise LeadscoreError(text)
    if 2 in codes:
        raise InputError(text)
    raise GateBlocked(text)


def overview(ledger: Ledger, settings: Settings, command: str) -> str:
    """What a person reads at the end of a run: gates, what is served, what to open; `command` is how we were called."""
    words = Counter(line.verdict for line in status_lines(ledger))
    paths = {}
    training = ledger.latest("step_3_3_training_dataset_v6")
    if training is not None:
        report = STEPS[training.asset].report.format(version=training.version)
        paths["class imbalance"] = str(settings.artifacts / report)
    paths["all reports"] = str(settings.artifacts)
    paths["the warehouse"] = f"{settings.warehouse_file}  (DuckDB)"
    paths["every gate"] = f"{command} status --home {settings.home}"
    paths["Dagster's UI"] = f"{command} ui --home {settings.home}"
    return render_overview(words, served_versions(ledger), paths)


@dataclass
class _Runner:
    settings: Settings
    defs: dg.Definitions
    instance: dg.DagsterInstance
    options: dict[str, Any]
    summary: Summary
    progress: Progress
    total: int
    done: int = 0

    def run(self, job: str, partition: str | None) -> None:
        """One Dagster run in this process. Raises what kept it from starting or ending; failed steps are collected."""
        self.done += 1
        self.progress(f"[{self.done}/{self.total}] {job}{f' {partition}' if partition else ''} …")
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
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

    def _materialized(self, event: dg.DagsterEvent, partition: str | None) -> None:
        metadata = event.step_materialization_data.materialization.metadata
        name = f"{event.step_key}{f'[{partition}]' if partition else ''}"
        rows = metadata.get("dagster/row_count")
        recognised = bool(metadata["recognised"].value)
        (self.summary.recognised if recognised else self.summary.built).append(name)
        count = f"{rows.value:,} rows" if rows is not None else "gates hold"
        self.progress(f"  {event.step_key}: {count}{' (known, nothing built)' if recognised else ''}")


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
        if cause.cls_name == WarehouseBusy.__name__:
            return WarehouseBusy(cause.message.partition(": ")[2].rstrip())
        cause = cause.cause or cause.context
    return LeadscoreError(f"The run of {job} failed:\n{error.to_string()}")


def _in_use(ledger: Ledger, feeds: list[FeedFile], settings: Settings, progress: Progress) -> Iterator[FeedFile]:
    """The snapshots that there is something to build from; files that were withdrawn are named."""
    inputs: list[tuple[Place, Path, FeedFile | None]] = [(("crm_leads", None), settings.data / LEADS_FILE, None)]
    inputs += [(("snapshot_reps_raw", feed.key), feed.path, feed) for feed in feeds]
    for place, file, feed in inputs:
        taken_back, earlier = withdrawal_of(ledger, place, file), ledger.usable(place)
        if taken_back is not None:
            instead = f"; the one landed on {earlier[-1]['at']:%Y-%m-%d %H:%M} serves" if earlier else ""
            progress(
                f"{file.name} is left out: it was withdrawn on {taken_back.at:%Y-%m-%d %H:%M}{instead}. "
                f"To use it after all: leadscore withdraw --undo {file.name}"
            )
        if feed is not None and (taken_back is None or earlier):
            yield feed


def _landed(ledger: Ledger, feed: FeedFile) -> bool:
    """Whether this very file is known; the step that it belongs to will not read it again."""
    mark = file_mark(feed.path)
    return any(known["fingerprint"] == mark for known in ledger.landed.get(("snapshot_reps_raw", feed.key), []))


def _require_leads(settings: Settings) -> None:
    """Say at once that Lead.csv is missing, not after every snapshot has been built."""
    if not (settings.data / LEADS_FILE).is_file():
        raise InputError(
            "There is no Lead.csv in the folder of the feed",
            file=str(settings.data / LEADS_FILE),
            remedy="export the CRM's leads there (Id, FA_CRD__c, Stage_Entered_Contacting__c, "
            "Stage_Entered_Call_Scheduled__c).",
        )


@contextmanager
def _told_when_full(settings: Settings) -> Iterator[None]:
    """Dagster's storage is the first to notice a full disk, and would tell it by a stack trace."""
    try:
        yield
    except Exception as error:
        # For want of space SQLite may also say "disk I/O error", as for a broken disk.
        is_full = "disk I/O error" in str(error) and shutil.disk_usage(settings.home).free < _NOTHING_LEFT
        if isinstance(error, LeadscoreError) or not (is_full or ran_out_of_space(error)):
            raise
        raise DiskFull(settings.home) from None
