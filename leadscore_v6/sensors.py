"""The landing sensor: a new or corrected file becomes a partition and a run; when all have ended, one run joins them.

Belongs here: seeing files and asking for runs. Does not belong here: reading or judging a file: a run does that, and
refuses loudly, where a sensor would only skip. Nor the jobs themselves: definitions.py hands them in.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, NamedTuple

import dagster as dg

from leadscore_v6.errors import InputError
from leadscore_v6.gates.bench import wall_clock
from leadscore_v6.locations import Location, is_local, reaching, sha256
from leadscore_v6.partitions import snapshot_dates
from leadscore_v6.settings import from_environment
from leadscore_v6.warehouse.landing import CRM_FILES, files_in, fingerprint, parse_feed_name
from leadscore_v6.warehouse.landing.folder import PREFIX
from leadscore_v6.warehouse.landing.leads import FILE_NAME as LEADS_FILE

# A file that looks the same at two ticks in a row is complete: this is how long it must not have changed.
TICK_SECONDS = 30
# What a run was asked for: the file, or "training_set", with the digest of its content and the number of the request.
ASKED_TAG = "leadscore/asked"
GOING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class Jobs(NamedTuple):
    """The jobs that the sensor asks for. Dagster exports no name for what `define_asset_job` returns."""

    snapshot: Any
    leads: Any
    training_set: Any


@dataclass
class Memory:
    """What the sensor keeps between ticks, as JSON in its cursor; every key of the maps is a file's name.

    seen: fingerprints at the tick before. marks, digests: fingerprint and SHA-256 (of an object the generation) of what
    a run was last asked for.
    reported: fingerprints of files that were refused by name, so that each is logged once. joined: digests of the feed
    files that the last fan-in was asked over; fan_in: what it was asked as. asked: requests made so far, since `epoch`.
    """

    epoch: str = ""
    asked: int = 0
    seen: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    reported: dict[str, str] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)
    fan_in: str = ""

    @classmethod
    def of(cls, cursor: str | None) -> "Memory":
        """From the cursor of the tick before; a sensor without one starts anew and asks for everything again."""
        if not cursor:
            return cls(epoch=f"{wall_clock():%Y%m%dT%H%M%S}")
        known = json.loads(cursor)
        return cls(**{part.name: known[part.name] for part in fields(cls) if part.name in known})

    def cursor(self) -> str:
        """For the next tick."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def feeds(self) -> dict[str, str]:
        """Digests of the feed files that runs were asked for."""
        return {name: digest for name, digest in self.digests.items() if name not in CRM_FILES}

    def ask(self, what: str, digest: str) -> str:
        """A run key that was never used; a tick that a crash makes Dagster repeat gives the same one again."""
        # Dagster runs no key twice, ever: a file that is corrected and then put back as it was must run a third time.
        self.asked += 1
        return f"{what}:{digest[-12:]}:{self.epoch}.{self.asked}"


class Arrival(NamedTuple):
    """A complete file with content that no run was asked for. `key`: its partition; None for a file of the CRM."""

    name: str
    key: str | None
    digest: str


@dataclass
class Look:
    """The folder at one tick: what has arrived, what is still changing, and what cannot be taken, with the reason."""

    arrived: list[Arrival] = field(default_factory=list)
    changing: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    wants_leads: bool = True

    def remarks(self) -> Iterator[str]:
        """What keeps files from being taken, for the tick's page in the UI."""
        if self.changing:
            yield f"Still changing, or seen for the first time: {', '.join(self.changing)}."
        yield from (f"Not taken: {name}. {why.splitlines()[0]}" for name, why in self.refused.items())


def landing_sensor(jobs: Jobs) -> dg.SensorDefinition:
    """The sensor for these jobs. It is off until someone turns it on: its runs take the default `as_of` (R47)."""

    @dg.sensor(
        name="landing_sensor",
        jobs=list(jobs),
        minimum_interval_seconds=TICK_SECONDS,
        description=(
            "Watches the landing folder (LEADSCORE_DATA, else the home's landing/): one run per new or corrected feed "
            "file, one for a new Lead.csv, Dials.csv or Associates.csv, and one over everything when the feed files' "
            "runs have ended."
        ),
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        settings = from_environment()
        folder = settings.data
        memory = Memory.of(context.cursor)
        # A bucket that cannot be reached is a failed tick, with what to do; the next one tries again.
        with reaching(folder):
            if not folder.is_dir():
                return dg.SkipReason(f"{folder} does not exist yet; put feed files and Lead.csv there.")
            seen = look(folder, memory, wall_clock().date(), CRM_FILES if settings.leads_in_folder else ())
        _report(context, memory, seen.refused)
        requests = [_request(memory, jobs, arrival) for arrival in seen.arrived]
        remarks = list(seen.remarks())
        if not requests:
            waits = _waits_for(context.instance, memory, seen, jobs)
            if waits is None:
                requests = [_fan_in(memory, jobs)]
            else:
                remarks.append(waits)
        known = set(context.instance.get_dynamic_partitions(str(snapshot_dates.name)))
        missing = sorted({arrival.key for arrival in seen.arrived if arrival.key} - known)
        return dg.SensorResult(
            run_requests=requests,
            dynamic_partitions_requests=[snapshot_dates.build_add_request(missing)] if missing else [],
            cursor=memory.cursor(),
            skip_reason=None if requests else " ".join(remarks),
        )

    return sensor


def look(folder: Location, memory: Memory, today: date, crm_files: Collection[str] = CRM_FILES.keys()) -> Look:
    """What there is in `folder` beyond what `memory` knows; one file that cannot be taken never hides another.

    `crm_files` are none where the leads do not come as a file.
    """
    found = Look(wants_leads=bool(crm_files))
    before, memory.seen = memory.seen, {}
    for file in files_in(folder):
        is_feed = file.name.lower().startswith(PREFIX.lower())
        if not is_feed and file.name not in crm_files:
            continue
        try:
            mark = memory.seen[file.name] = fingerprint(file)
            if before.get(file.name) != mark:
                found.changing.append(file.name)
                continue
            key = parse_feed_name(file, today).key if is_feed else None
            if memory.marks.get(file.name) != mark:
                _look_inside(file, key, memory, found)
        except FileNotFoundError:
            continue  # it was moved away while we looked
        except (InputError, OSError) as error:
            found.refused[file.name] = str(error)
    return found


def _look_inside(file: Location, key: str | None, memory: Memory, found: Look) -> None:
    mark = memory.seen[file.name]
    digest = _digest(file)
    if fingerprint(file) != mark:
        found.changing.append(file.name)
        return
    if memory.digests.get(file.name) != digest:
        found.arrived.append(Arrival(file.name, key, digest))
    memory.marks[file.name], memory.digests[file.name] = mark, digest


def _digest(file: Location) -> str:
    """What the content is known by: a SHA-256. Of an object its generation: a gigabyte is not downloaded to look at."""
    return sha256(file) if is_local(file) else fingerprint(file)


def _report(context: dg.SensorEvaluationContext, memory: Memory, refused: dict[str, str]) -> None:
    """Log each refused file once for each state it is in; the skip reason goes on naming it."""
    marks = {name: memory.seen.get(name, "") for name in refused}
    for name, why in refused.items():
        if memory.reported.get(name) != marks[name]:
            context.log.error("%s", why)
    memory.reported = marks


def _request(memory: Memory, jobs: Jobs, arrival: Arrival) -> dg.RunRequest:
    job = jobs.snapshot if arrival.key else jobs.leads
    run_key = memory.ask(arrival.name, arrival.digest)
    return dg.RunRequest(run_key, job_name=job.name, partition_key=arrival.key, tags={ASKED_TAG: run_key})


def _fan_in(memory: Memory, jobs: Jobs) -> dg.RunRequest:
    memory.joined = memory.feeds
    over = hashlib.sha256(json.dumps(memory.joined, sort_keys=True).encode()).hexdigest()
    memory.fan_in = memory.ask(jobs.training_set.name, over)
    return dg.RunRequest(memory.fan_in, job_name=jobs.training_set.name, tags={ASKED_TAG: memory.fan_in})


def _waits_for(instance: dg.DagsterInstance, memory: Memory, seen: Look, jobs: Jobs) -> str | None:
    """Why the run over everything is not asked for now; None if it is due (R53).

    It is due when every snapshot's run has ended, however: after a failed one the guard refuses the join and says
    everything that has to be mended, in one place.
    """
    if not memory.feeds:
        return "No feed file has come yet."
    if seen.wants_leads and LEADS_FILE not in memory.digests:
        return f"The feed is there; {LEADS_FILE} is not yet."
    if memory.feeds == memory.joined and not _mended(instance, memory, jobs):
        return "Nothing is new."
    if seen.changing:
        return "The training set waits for these files."
    going = instance.get_runs(dg.RunsFilter(statuses=GOING), limit=3)
    if going:
        names = ", ".join(f"{run.job_name} {run.run_id[:8]}" for run in going)
        return f"The training set waits for runs to end: {names}."
    return None


def _mended(instance: dg.DagsterInstance, memory: Memory, jobs: Jobs) -> bool:
    """Whether the last fan-in failed and something has gone well since: a new Lead.csv, a waived gate run again."""
    last = instance.get_run_records(dg.RunsFilter(tags={ASKED_TAG: memory.fan_in}), limit=1)
    if not last or last[0].dagster_run.status not in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
        return False
    since = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS], created_after=last[0].create_timestamp)
    names = {run.job_name for run in instance.get_runs(since)}
    return bool(names) and jobs.training_set.name not in names
