"""The landing sensor: a new or corrected file becomes a partition and a run; when all are judged, one run for all.

Belongs here: seeing files and asking for runs. Does not belong here: reading or judging a file: a run does that, and
refuses loudly, where a sensor would only skip.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from leadscore_v6.errors import InputError
from leadscore_v6.jobs import leads_job, snapshot_job, training_set_job
from leadscore_v6.partitions import snapshot_dates
from leadscore_v6.settings import from_environment
from leadscore_v6.warehouse.landing import fingerprint, parse_feed_name

FEED_PREFIX = "riarepdatafeed"
INPUT_TAG = "leadscore/input"


@dataclass
class Memory:
    """What the sensor keeps between ticks: fingerprints seen, what was asked for, what the last fan-in was over."""

    seen: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    fanned_in: str = ""

    @classmethod
    def of(cls, cursor: str | None) -> "Memory":
        """From the cursor of the tick before."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def stable(self, file: Path) -> bool:
        """Whether the file looks as it did at the tick before; one that is still being written does not."""
        mark = fingerprint(file)
        before = self.seen.get(file.name)
        self.seen[file.name] = mark
        return before == mark


@dg.sensor(
    jobs=[snapshot_job, leads_job, training_set_job],
    minimum_interval_seconds=30,
    description="Watches the landing folder (LEADSCORE_DATA, else the home's landing/) for feed files and Lead.csv.",
)
def landing_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One run per new key, then one fan-in run when none of them is still going (R53)."""
    folder = from_environment().data
    if not folder.is_dir():
        return dg.SkipReason(f"{folder} does not exist yet; put feed files and Lead.csv there.")
    memory = Memory.of(context.cursor)
    requests, keys = _requests_for_files(context, folder, memory)
    if not requests:
        requests = _fan_in(context, memory)
    missing = sorted(set(keys) - set(context.instance.get_dynamic_partitions(str(snapshot_dates.name))))
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[snapshot_dates.build_add_request(missing)] if missing else [],
        cursor=json.dumps(asdict(memory), sort_keys=True),
        skip_reason=None if requests else "No file is new and complete.",
    )


def _requests_for_files(
    context: dg.SensorEvaluationContext, folder: Path, memory: Memory
) -> tuple[list[dg.RunRequest], list[str]]:
    requests, keys = [], []
    for file in sorted(folder.iterdir()):
        is_feed = file.name.lower().startswith(FEED_PREFIX)
        if not file.is_file() or not (is_feed or file.name == "Lead.csv"):
            continue
        if not memory.stable(file) or memory.asked.get(file.name, "").startswith(memory.seen[file.name] + " "):
            continue
        try:
            key = parse_feed_name(file, datetime.now(UTC).date()).key if is_feed else None
        except InputError as error:
            context.log.error("%s", error)
            continue
        digest = hashlib.file_digest(file.open("rb"), "sha256").hexdigest()
        if memory.asked.get(file.name, "").endswith(" " + digest):
            memory.asked[file.name] = f"{memory.seen[file.name]} {digest}"
            continue
        memory.asked[file.name] = f"{memory.seen[file.name]} {digest}"
        # Dagster never runs one run_key twice: with the digest in it, a corrected file runs and a touched one does not.
        requests.append(
            dg.RunRequest(
                run_key=f"{file.name} {digest}",
                job_name=snapshot_job.name if key else leads_job.name,
                partition_key=key,
                tags={INPUT_TAG: digest[:32]},
            )
        )
        if key:
            keys.append(key)
    return requests, keys


def _fan_in(context: dg.SensorEvaluationContext, memory: Memory) -> list[dg.RunRequest]:
    """The one run over everything, when there are new snapshots and no run is still going."""
    feeds = {name: asked for name, asked in memory.asked.items() if name != "Lead.csv"}
    over = hashlib.sha256(json.dumps({name: asked.split(" ")[1] for name, asked in sorted(feeds.items())}).encode())
    going = context.instance.get_runs_count(
        dg.RunsFilter(
            statuses=[
                dg.DagsterRunStatus.QUEUED,
                dg.DagsterRunStatus.NOT_STARTED,
                dg.DagsterRunStatus.STARTING,
                dg.DagsterRunStatus.STARTED,
                dg.DagsterRunStatus.CANCELING,
            ]
        )
    )
    if not feeds or "Lead.csv" not in memory.asked or going or memory.fanned_in == over.hexdigest():
        return []
    memory.fanned_in = over.hexdigest()
    return [dg.RunRequest(run_key=f"training set {over.hexdigest()}", job_name=training_set_job.name)]
