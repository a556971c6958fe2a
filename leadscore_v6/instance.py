"""Dagster's own storage under the home: opening it, writing it without waiting for the disk, mending it after a kill.

Belongs here: the instance that the CLI's processes share. Does not belong here: which runs there are (driver.py), or
anything that decides about data: that is the ledger's (gates/), and Dagster's storage is for people to look at.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from leadscore_v6.locations import make_folder
from leadscore_v6.paths import dagster_template
from leadscore_v6.settings import Settings

# Not in the template: in a checkout it is read where there is no DAGSTER_HOME yet.
_EVENT_LOG = """
# One file for all runs' events. The default, a file per run and an index beside it, writes every event of an asset or
# check several times, each with a commit of its own: measured at over half of a whole run on small data.
event_log_storage:
  module: leadscore_v6.instance
  class: EventLog
  config:
    base_dir:
      env: DAGSTER_HOME
"""
# Dagster turns the streams of a process that runs steps into files of the home, and has `tail` copy them to where they
# went, by four processes a run. On a full disk what is said meanwhile is lost (seen: two of three lines). Steps print
# nothing; what the CLI's process says is for who started it.
_OWN_STREAMS = {
    "compute_logs": {"module": NoOpComputeLogManager.__module__, "class": NoOpComputeLogManager.__name__},
}
# On runs that live and die with a process of the CLI: Dagster itself cannot see that such a process is gone.
PID_TAG = "leadscore/pid"
# On runs that UI or daemon launched, by Dagster: where the server is that runs them.
_SERVER_TAG = ".dagster/grpc_info"
_NOT_OVER = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class EventLog(ConsolidatedSqliteEventLogStorage):
    """Dagster's event log in one file, by one SQLAlchemy engine that keeps its connections.

    Dagster makes an engine and opens the file for every event, and with the engine it forgets every statement that it
    had compiled: measured at a third of what it costs to run a step.
    """

    @cached_property
    def _engine(self) -> Engine:
        # A few connections are kept; as many as there are threads may be open, as with Dagster's own.
        patience = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        return create_engine(self._conn_string, max_overflow=-1, connect_args=patience)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()  # type: ignore[no-untyped-call]
        self._engine.dispose()


def dagster_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's storage under the home, for runs in this process; made on first use from the template."""
    make_folder(settings.dagster_home)
    config = settings.dagster_home / "dagster.yaml"
    if not config.exists():
        config.write_text(dagster_template().read_text(encoding="utf-8") + _EVENT_LOG, encoding="utf-8")
    export(settings)
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(settings.dagster_home), overrides=_OWN_STREAMS))


def export(settings: Settings) -> dict[str, str]:
    """Set, and return, the variables by which Dagster's processes find this home."""
    variables = {
        "LEADSCORE_HOME": str(settings.home),
        "LEADSCORE_DATA": str(settings.data),
        "DAGSTER_HOME": str(settings.dagster_home),
    }
    if settings.artifacts_at is not None:
        variables["LEADSCORE_ARTIFACTS"] = str(settings.artifacts_at)
    os.environ.update(variables)
    return variables


def run_tags() -> dict[str, str]:
    """Tags of a run that is executed in this process."""
    return {PID_TAG: str(os.getpid())}


def end_killed_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose process was killed as failed; returns their ids.

    They would stay "started" for ever, and runs of UI and sensor wait until none is. Only for the holder of the
    warehouse's lease (R44): a run of the CLI holds the lease as long as it lives, so all others that are not over are
    dead. A run of the UI lives below the UI's code server, which a kill -9 or a power cut takes along.
    """
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_NOT_OVER)):
        server = json.loads(run.tags.get(_SERVER_TAG, "{}")).get("socket")
        if PID_TAG in run.tags:
            instance.report_run_failed(run, f"Process {run.tags[PID_TAG]} was killed while it ran this.")
            ended.append(run.run_id)
        elif server and not _answers(server):
            instance.report_run_failed(run, "The server that ran this was killed.")
            ended.append(run.run_id)
    return ended


def _answers(path: str) -> bool:
    """Whether anybody listens on a socket; its file stays behind when its server is killed."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


@contextmanager
def quick_storage() -> Iterator[None]:
    """Let this process write Dagster's SQLite files without waiting for the disk at each of some thousand events.

    Dagster opens and closes a file for every event. The last one to close writes the whole log of the file back, and
    SQLite waits for the disk then and at every commit. With one more connection to each file nobody is the last, and
    NORMAL waits when the log is written back: after a power cut the newest events may be missing, the files are whole.
    """
    with ExitStack() as kept:
        known: set[str] = set()

        def connected(connection: Any, _record: Any) -> None:
            if not isinstance(connection, sqlite3.Connection):
                return
            connection.execute("PRAGMA synchronous = NORMAL")
            file = connection.execute("PRAGMA database_list").fetchone()[2]
            if file and file not in known:
                known.add(file)
                # It counts as open once it has read something. Threads of Dagster's may close it.
                spare = kept.enter_context(closing(sqlite3.connect(file, check_same_thread=False)))
                spare.execute("PRAGMA schema_version").fetchone()

        event.listen(Engine, "connect", connected)
        try:
            yield
        finally:
            event.remove(Engine, "connect", connected)
