"""The refresh sensor: after a join over new files the model, its shadow days and the decision (plan 6.2, R49, R53).

Belongs here: which run is due, seen from the runs that there were. Does not belong here: seeing files (sensors.py), or
the jobs themselves: definitions.py hands them in. It remembers nothing: what a person runs by hand counts like its own.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import dagster as dg

from leadscore_v6.assets.shadow.data import scoring_settings
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.partitions import days, last_days
from leadscore_v6.sensors import GOING, TICK_SECONDS
from leadscore_v6.settings import Settings, from_environment

_PARTITION_TAG = "dagster/partition"
_LOST = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


class Chain(NamedTuple):
    """The jobs of a refresh. Dagster exports no name for what `define_asset_job` returns."""

    training_set: Any
    leads: Any
    model: Any
    serving: Any
    shadow_day: Any
    shadow: Any
    decision: Any


class Due(NamedTuple):
    """A run that must have been since a moment; `after`: the run that calls for it."""

    job: Any
    key: str | None
    since: datetime
    after: str


def refresh_sensor(jobs: Chain) -> dg.SensorDefinition:
    """The sensor for these jobs. It is off until someone turns it on: its last run may change which model serves."""

    @dg.sensor(
        name="refresh_sensor",
        jobs=list(jobs),
        minimum_interval_seconds=TICK_SECONDS,
        description=(
            "After each training set over new files: the model, the serving copy, seven shadow days and the decision "
            "about it, one after the other (R53). After a new Lead.csv alone: its shadow days (R49). A run that fails "
            "is not repeated; run it again when it is mended."
        ),
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        instance = context.instance
        going = instance.get_runs(dg.RunsFilter(statuses=GOING), limit=3)
        if going:
            return dg.SkipReason(f"Waits for runs to end: {', '.join(run.job_name for run in going)}.")
        joined = _last(instance, jobs.training_set, None)
        if joined is None or joined.dagster_run.status is not dg.DagsterRunStatus.SUCCESS:
            return dg.SkipReason("No training set was joined, or the last one failed.")
        try:
            asked, lost = _next(instance, jobs, joined, from_environment())
        except UsageError as unknown:  # the newest Lead.csv was refused: its days are not known, and no run is due
            return dg.SkipReason(str(unknown))
        known = set(instance.get_dynamic_partitions(str(days.name)))
        missing = sorted({due.key for due in asked if due.key} - known)
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(f"{due.job.name}:{due.key}:{due.after}", job_name=due.job.name, partition_key=due.key)
                for due in asked
            ],
            dynamic_partitions_requests=[days.build_add_request(missing)] if missing else [],
            skip_reason=None if asked else lost or "Nothing is new.",
        )

    return sensor


def _next(
    instance: dg.DagsterInstance, jobs: Chain, joined: dg.RunRecord, settings: Settings
) -> tuple[list[Due], str | None]:
    """What to ask for now, and what failed. The decision is due when the chain before it has ended, however."""
    failed: list[Due] = []
    for stage in _stages(instance, jobs, joined, settings):
        found = [(due, _last(instance, due.job, due)) for due in stage]
        missing = [due for due, run in found if run is None]
        if missing:
            return missing, None
        failed = [due for due, run in found if run is not None and run.dagster_run.status in _LOST]
        if failed:
            break
    decision = Due(jobs.decision, None, *_settled(instance, jobs, joined))
    run = _last(instance, jobs.decision, decision)
    if run is not None and run.dagster_run.status in _LOST:
        failed.append(decision)
    names = ", ".join(f"{due.job.name}{f' {due.key}' if due.key else ''}" for due in failed)
    lost = f"Failed: {names}. Run it again when it is mended; what follows waits for it." if failed else None
    return ([decision] if run is None else []), lost


def _stages(
    instance: dg.DagsterInstance, jobs: Chain, joined: dg.RunRecord, settings: Settings
) -> Iterator[list[Due]]:
    """Runs that may be asked for together, in order. Days are known when leads are landed, so not before."""
    after_join = (joined.create_timestamp, joined.dagster_run.run_id)
    yield [Due(jobs.model, None, *after_join)]
    yield [Due(jobs.serving, None, *after_join)]
    landed, trained = _last(instance, jobs.leads, None), _last(instance, jobs.model, None)
    newest = max(
        (run.create_timestamp, run.dagster_run.run_id)
        for run in (joined, landed, trained)
        if run is not None and run.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    )
    yield [Due(jobs.shadow_day, key, *newest) for key in _days_of_extract(settings)]
    yield [Due(jobs.shadow, None, *newest)]


def _settled(instance: dg.DagsterInstance, jobs: Chain, joined: dg.RunRecord) -> tuple[datetime, str]:
    """Since when, and by which run, there is something to decide: the model, then its first whole shadow.

    A chain that broke is decided about once, and again when it was mended. The shadow days of a later extract are the
    same model's: they are no new decision.
    """
    trained = _last(instance, jobs.model, Due(jobs.model, None, joined.create_timestamp, joined.dagster_run.run_id))
    begun = trained or joined
    whole = dg.RunsFilter(
        job_name=jobs.shadow.name, statuses=[dg.DagsterRunStatus.SUCCESS], created_after=begun.create_timestamp
    )
    run = next(iter(instance.get_run_records(whole, limit=1, ascending=True)), begun)
    return run.create_timestamp, run.dagster_run.run_id


def _last(instance: dg.DagsterInstance, job: Any, due: Due | None) -> dg.RunRecord | None:
    """The newest run of a job: any, or of that key since that moment."""
    tags: Mapping[str, str] = {_PARTITION_TAG: due.key} if due is not None and due.key else {}
    wanted = dg.RunsFilter(job_name=job.name, tags=dict(tags), created_after=due.since if due is not None else None)
    found = instance.get_run_records(wanted, limit=1)
    return found[0] if found else None


def _days_of_extract(settings: Settings) -> list[str]:
    return last_days(extract_day(read_ledger(settings)[0]), scoring_settings().shadow.days)
