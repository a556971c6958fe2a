"""Running the plan from one process: the CLI's front to the same assets that the UI and the sensor run.

Belongs here: which runs follow which, their progress, and what a failed one means. Does not belong here: commands and
arguments (cli.py), or a second pipeline: everything is done by Dagster's jobs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from leadscore_v6.definitions import build_defs
from leadscore_v6.errors import GateBlocked, InputError, LeadscoreError
from leadscore_v6.gates.bench import lease, read_ledger, wall_clock
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.status import served_versions, status_lines
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.jobs import LEADS, SNAPSHOT, TRAINING_SET
from leadscore_v6.partitions import register
from leadscore_v6.paths import dagster_template
from leadscore_v6.reports.status import render_overview
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import feed_files

Progress = Callable[[str], None]
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


def dagster_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's storage under the home; made on first use from the template."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    config = settings.dagster_home / "dagster.yaml"
    if not config.exists():
        shutil.copyfile(dagster_template(), config)
    export(settings)
    return dg.DagsterInstance.from_config(str(settings.dagster_home))


def export(settings: Settings) -> dict[str, str]:
    """Set, and return, the variables by which Dagster's processes find this home."""
    variables = {
        "LEADSCORE_HOME": str(settings.home),
        "LEADSCORE_DATA": str(settings.data),
        "DAGSTER_HOME": str(settings.dagster_home),
    }
    os.environ.update(variables)
    return variables


def run_through_dataset(settings: Settings, options: dict[str, Any], progress: Progress) -> Summary:
    """Every feed file of `settings.data`, then views, join, training set, promotion.

    Raises InputError or UsageError when the folder cannot be read as a feed, WarehouseBusy when another process holds
    the warehouse. A step that fails is in the summary; snapshots after it are still judged, the fan-in is not run.
    """
    keys = [feed.key for feed in feed_files(settings.data, wall_clock().date()) if not _withdrawn(settings, feed.path)]
    _require_leads(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    summary = Summary()
    with lease(settings, progress), dagster_instance(settings) as instance:
        register(instance, keys)
        defs = build_defs()
        runner = _Runner(defs, instance, options, summary, progress, len(keys) + 2)
        # The small file first: a mistake in it shows at once, not after every snapshot has been built.
        runner.run(LEADS, None)
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


def overview(ledger: Ledger, settings: Settings) -> str:
    """What a person reads at the end of a run: gates, what is served, what to open."""
    words = Counter(line.verdict for line in status_lines(ledger))
    paths = {}
    training = ledger.latest("step_3_3_training_dataset_v6")
    if training is not None:
        report = STEPS[training.asset].report.format(version=training.version)
        paths["class imbalance"] = str(settings.artifacts / report)
    paths["all reports"] = str(settings.artifacts)
    paths["the warehouse"] = f"{settings.warehouse_file}  (DuckDB)"
    paths["every gate"] = f"leadscore status --home {settings.home}"
    paths["Dagster's UI"] = f"leadscore ui --home {settings.home}"
    return render_overview(words, served_versions(ledger), paths)


@dataclass
class _Runner:
    defs: dg.Definitions
    instance: dg.DagsterInstance
    options: dict[str, Any]
    summary: Summary
    progress: Progress
    total: int
    done: int = 0

    def run(self, job: str, partition: str | None) -> None:
        """One Dagster run in this process."""
        self.done += 1
        self.progress(f"[{self.done}/{self.total}] {job}{f' {partition}' if partition else ''} …")
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            run_config={**_QUIET, "resources": {"options": {"config": self.options}}},
            raise_on_error=False,
        )
        for event in result.all_events:
            if event.is_step_materialization:
                self._materialized(event, partition)
            elif event.is_step_failure:
                self.summary.failures.append(_failure(event))
        if not result.success and not self.summary.failures:
            self.summary.failures.append(Failure(job, f"The run of {job} failed: {_why(result)}", 1, None))

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


def _why(result: dg.ExecuteInProcessResult) -> str:
    failures = [event for event in result.all_events if event.is_failure]
    return "\n".join(str(event.event_specific_data or event.message) for event in failures)


def _withdrawn(settings: Settings, file: Path) -> bool:
    """Whether this very file was withdrawn, and nothing was landed before it that could serve in its place."""
    ledger, _ = read_ledger(settings)
    key = file.stem.removeprefix("RIARepDataFeed_")
    taken_back = [entry for entry in ledger.withdrawn_files if entry["partition"] == key]
    if not taken_back:
        return False
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    withdrawn = {entry.get("digest") for entry in taken_back}
    earlier = [known for known in ledger.landed.get(("snapshot_reps_raw", key), []) if known["digest"] not in withdrawn]
    return digest in withdrawn and not earlier


def _require_leads(settings: Settings) -> None:
    """Say at once that Lead.csv is missing, not after every snapshot has been built."""
    ledger, _ = read_ledger(settings)
    if not (settings.data / "Lead.csv").is_file() and not ledger.landed.get(("crm_leads", None)):
        raise InputError(
            "There is no Lead.csv in the folder of the feed",
            file=str(settings.data / "Lead.csv"),
            remedy="export the CRM's leads there (Id, FA_CRD__c, Stage_Entered_Contacting__c, "
            "Stage_Entered_Call_Scheduled__c).",
        )
