"""One writer at a time on BigQuery: a row with an expiry (R44).

Belongs here: taking, keeping and giving back that row. Does not belong here: what is done while it is held, or the
fence in every line of the ledger (`bigquery_engine.py`).

The row is made with its table, in one statement, so that there is never a second one. One UPDATE takes it, which
only one of several can win, and kept by a thread that moves its expiry; a killed process's row expires by itself. The
clock is BigQuery's own: no two computers' clocks are compared. Who waits only reads, once in two seconds: the row is
changed three dozen times an hour, far from any limit on changes of a table.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from google.cloud import bigquery

from leadscore_v6.errors import WarehouseBusy
from leadscore_v6.warehouse.bigquery_jobs import Jobs, WarehouseError
from leadscore_v6.warehouse.sql import table_identifier

TABLE = "warehouse_lease"
LEASE_SECONDS = 300
_POLL_SECONDS = 2.0
_PROGRESS_SECONDS = 10.0
_NOBODY = "TIMESTAMP '1970-01-01 00:00:00+00'"
# What one of two UPDATEs at once is told.
_OVERTAKEN = "concurrent update"


def lease_table(dataset: str) -> str:
    """The full name of the lease's table."""
    return f"{dataset}.{TABLE}"


class RowLease:
    """The right to write to one dataset, as a context manager; several of one process are one lease.

    `jobs` makes the connection; it is made once per process and dataset, and its own for the thread that keeps the row.
    Entering raises WarehouseBusy, naming the holder, when `wait_seconds` are over.
    """

    def __init__(
        self,
        place: tuple[str, str],
        jobs: Callable[[], Jobs],
        wait_seconds: float,
        progress: Callable[[str], None] | None = None,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        """`place` is project and dataset. Nothing is asked of BigQuery until the lease is entered."""
        self._place, self._jobs = place, jobs
        self._wait_seconds, self._progress, self._lease_seconds = wait_seconds, progress, lease_seconds

    def __enter__(self) -> Self:
        """Take the row, or wait for it. Raises WarehouseBusy."""
        with _guard:
            row = _rows.get(self._place)
            if row is None:
                row = _Row(lease_table(self._place[1]), self._jobs(), self._lease_seconds)
                self._wait_for(row)
                row.keep(self._jobs)
                _rows[self._place] = row
            row.count += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back, if no other lease of this process holds it."""
        with _guard:
            row = _rows[self._place]
            row.count -= 1
            if row.count == 0:
                del _rows[self._place]
                row.give_back()

    def _wait_for(self, row: _Row) -> None:
        started, told = time.monotonic(), -_PROGRESS_SECONDS
        while not row.take():
            holder = row.holder()
            while holder is not None:
                waited = time.monotonic() - started
                if waited >= self._wait_seconds:
                    raise WarehouseBusy(
                        f"The dataset {'.'.join(self._place)} is held by {holder}; waited {waited:.0f} s.\n"
                        "  what to do: run again when that process has ended (a killed one's lease ends by itself), "
                        "or wait longer (LEADSCORE_LEASE_WAIT_SECONDS)"
                    )
                if self._progress and waited >= told + _PROGRESS_SECONDS:
                    told = waited
                    self._progress(f"waiting for {holder}, {max(self._wait_seconds - waited, 0):.0f} s more")
                time.sleep(min(_POLL_SECONDS, max(self._wait_seconds - waited, 0.05)))
                holder = row.holder()


def token(place: tuple[str, str]) -> str | None:
    """What this process's lines are written with; None if it does not hold the lease."""
    row = _rows.get(place)
    return row.token if row else None


class _Row:
    """The row, as one process sees it."""

    def __init__(self, table: str, jobs: Jobs, lease_seconds: int) -> None:
        self.token = secrets.token_hex(8)
        self.count = 0
        self._table, self._jobs, self._seconds = table_identifier(table), jobs, lease_seconds
        self._stop = threading.Event()
        self._heart: threading.Thread | None = None
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        self._me = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": command})
        jobs.statement(
            f"CREATE TABLE IF NOT EXISTS {self._table} AS "
            f"SELECT '' AS token, '' AS holder, {_NOBODY} AS heartbeat_at, {_NOBODY} AS expires_at"
        )

    def take(self) -> bool:
        return self._move(self._jobs, "token = @token OR expires_at <= CURRENT_TIMESTAMP()")

    def holder(self) -> str | None:
        ran = self._jobs.statement(
            "SELECT holder, CAST(heartbeat_at AS STRING) AS seen, CAST(expires_at AS STRING) AS expires "
            f"FROM {self._table} WHERE expires_at > CURRENT_TIMESTAMP() AND token != @token",
            [bigquery.ScalarQueryParameter("token", "STRING", self.token)],
        )
        for row in ran.rows:
            known = json.loads(row["holder"])
            return (
                f"process {known['pid']} on {known['host']} ({known['command']}), "
                f"last seen {row['seen']}, until {row['expires']}"
            )
        return None

    def keep(self, jobs: Callable[[], Jobs]) -> None:
        self._heart = threading.Thread(target=self._beat, args=(jobs(),), name="warehouse-lease", daemon=True)
        self._heart.start()

    def give_back(self) -> None:
        self._stop.set()
        if self._heart is not None:
            self._heart.join()
        self._jobs.statement(
            f"UPDATE {self._table} SET token = '', expires_at = {_NOBODY} WHERE token = @token",
            [bigquery.ScalarQueryParameter("token", "STRING", self.token)],
        )

    def _beat(self, jobs: Jobs) -> None:
        # A third of its time: two heartbeats may be lost.
        while not self._stop.wait(self._seconds / 3):
            try:
                if not self._move(jobs, "token = @token"):
                    return  # another one has it: the fence stops what this process would write
            except WarehouseError:
                continue  # BigQuery cannot be reached just now; the row may last until it can

    def _move(self, jobs: Jobs, condition: str) -> bool:
        try:
            ran = jobs.statement(
                f"UPDATE {self._table} SET token = @token, holder = @holder, heartbeat_at = CURRENT_TIMESTAMP(), "
                f"expires_at = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL @seconds SECOND) WHERE {condition}",
                [
                    bigquery.ScalarQueryParameter("token", "STRING", self.token),
                    bigquery.ScalarQueryParameter("holder", "STRING", self._me),
                    bigquery.ScalarQueryParameter("seconds", "INT64", self._seconds),
                ],
            )
        except WarehouseError as error:
            if _OVERTAKEN in str(error):
                return False
            raise
        return ran.affected == 1


_guard = threading.RLock()
_rows: dict[tuple[str, str], _Row] = {}
