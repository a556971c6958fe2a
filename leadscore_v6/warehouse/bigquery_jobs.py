"""Jobs on BigQuery: submitted once however often an answer is lost, limited in bytes, labelled, named in errors.

Belongs here: what every statement, load and copy goes through. Does not belong here: tables and names
(`bigquery_engine.py`), the lease (`bigquery_lease.py`), SQL of a step (sql/).

A job's id is made before it is submitted, from the session, the number of the job in it and the job's content; the same
submission, sent again after a lost answer, meets its own id (409) and takes up the job that is running. Nothing is
ever submitted twice under two ids, but after BigQuery itself has said that a job failed for its own reasons.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as WaitedTooLong
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import google.auth.exceptions
import requests
from google.api_core import exceptions
from google.cloud import bigquery

from leadscore_v6.errors import GateBlocked, InputError, LeadscoreError, UsageError
from leadscore_v6.warehouse.protocol import Params

# BigQuery's own words for a job that failed for no fault of its statement: it may be submitted again, as another job.
_ITS_OWN_FAULT = frozenset(
    ("backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded")
)
_SUBMISSIONS = 3
# A failed CAST quotes the value that it could not read (R57).
_QUOTED_VALUE = re.compile(r"(?i)((?:bad|invalid|could not (?:cast|parse)) [^:;]*)[:;].*")
_LOST = (requests.exceptions.ConnectionError, requests.exceptions.Timeout, google.auth.exceptions.TransportError)
_GIB = 1 << 30

_SCALARS = {
    str: "STRING",
    bool: "BOOL",
    int: "INT64",
    float: "FLOAT64",
    dt.date: "DATE",
    dt.datetime: "TIMESTAMP",
    Decimal: "NUMERIC",
}
Parameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter


@dataclass(frozen=True)
class Limits:
    """How much a job may cost and how long it may take: bytes, and seconds."""

    max_bytes_billed: int = 50 * _GIB
    retry_seconds: float = 120.0
    request_seconds: float = 60.0
    job_seconds: float = 3600.0


@dataclass(frozen=True)
class Ran:
    """A job that has ended well. `estimated` is what its dry run said, in bytes; None where there was none."""

    job: Any
    rows: Iterable[Any]
    estimated: int | None = None

    @property
    def affected(self) -> int:
        """Rows that a DML statement inserted or changed."""
        return int(self.job.num_dml_affected_rows or 0)

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger remembers of it."""
        return {
            "bytes_estimated": self.estimated,
            "bytes_billed": getattr(self.job, "total_bytes_billed", None),
            "job": self.job.job_id,
        }


class Jobs:
    """Every job that one process has BigQuery do; their ids start with `session`, which no other process may have."""

    def __init__(self, client: bigquery.Client, location: str | None, limits: Limits, session: str) -> None:
        """`location` is that of the datasets; a job must run where they are."""
        self.client, self.location, self.limits = client, location, limits
        self.retry = bigquery.DEFAULT_RETRY.with_timeout(limits.retry_seconds)
        self._session = session
        self._number = 0
        self._labels: dict[str, str] = {}

    @contextmanager
    def labelled(self, labels: Mapping[str, str]) -> Iterator[None]:
        """Jobs inside carry these labels, in the letters that BigQuery allows."""
        before = self._labels
        self._labels = {**before, **{f"leadscore_{name}": _label(value) for name, value in labels.items()}}
        try:
            yield
        finally:
            self._labels = before

    def query(self, sql: str, params: Params | None = None) -> Ran:
        """A statement whose cost is asked for first. Raises GateBlocked when it would read more than the limit."""
        values = typed(params or {})
        estimated = self._estimate(sql, values)
        if estimated > self.limits.max_bytes_billed:
            raise GateBlocked(
                "cost gate: bytes_estimated "
                f"{estimated:,}; must be <= {self.limits.max_bytes_billed:,} (LEADSCORE_MAX_BYTES_BILLED). "
                f"Nothing was run.\n  the statement: {_first_line(sql)}\n"
                "  what to do: see why it reads so much (a table that grew, a cluster column that is gone), or raise "
                "LEADSCORE_MAX_BYTES_BILLED."
            )
        return self._run(sql, values, estimated)

    def statement(self, sql: str, params: Sequence[Parameter] = ()) -> Ran:
        """A statement of the engine's own (DDL, ledger, lease), which reads next to nothing."""
        return self._run(sql, params, None)

    def load(self, path: Path, table: str, columns: Sequence[str]) -> Ran:
        """A CSV file into a table of STRINGs, in place of what was there (R1). Raises InputError if it is no CSV."""
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.CSV,
            schema=[bigquery.SchemaField(name, "STRING") for name in columns],
            skip_leading_rows=1,
            allow_quoted_newlines=True,
            allow_jagged_rows=False,
            encoding="UTF-8",
        )
        try:
            return self._load(path, table, config)
        except Refused as refused:
            raise InputError(
                f"BigQuery refused a record of the landed file ({refused.why}, job {refused.job_id})",
                file=path.name,
                remedy="have the file delivered again; then run the same command again.",
            ) from None

    def load_json(self, path: Path, table: str, columns: Mapping[str, str], cluster_by: Sequence[str] = ()) -> Ran:
        """A file of one JSON record a line, our own, into a table of these columns, in place of what was there."""
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
            schema=[bigquery.SchemaField(name, kind) for name, kind in columns.items()],
            clustering_fields=list(cluster_by) or None,
        )
        return self._load(path, table, config)

    def _load(self, path: Path, table: str, config: bigquery.LoadJobConfig) -> Ran:
        config.autodetect = False
        config.ignore_unknown_values = False
        config.max_bad_records = 0
        config.write_disposition = bigquery.WriteDisposition.WRITE_TRUNCATE
        config.labels = self._labels

        def send(job_id: str) -> Any:
            with path.open("rb") as file:
                # Without a size it goes up in pieces, each of which can be sent again.
                return self.client.load_table_from_file(
                    file,
                    table,
                    job_id=job_id,
                    location=self.location,
                    job_config=config,
                    timeout=self.limits.request_seconds,
                )

        return self._end(f"load {table} {path.name}", send)

    def copy(self, source: str, target: str) -> Ran:
        """A table over another, in one step: a reader sees the old one or the new one."""
        config = bigquery.CopyJobConfig(write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE, labels=self._labels)

        def send(job_id: str) -> Any:
            return self.client.copy_table(
                source,
                target,
                job_id=job_id,
                location=self.location,
                job_config=config,
                retry=self.retry,
                timeout=self.limits.request_seconds,
            )

        return self._end(f"copy {source} {target}", send)

    # -- parts -----------------------------------------------------------------------------------------------------

    def _estimate(self, sql: str, params: Sequence[Parameter]) -> int:
        config = bigquery.QueryJobConfig(
            query_parameters=params, use_legacy_sql=False, dry_run=True, use_query_cache=False, labels=self._labels
        )
        with told("a dry run", sql):
            job = self.client.query(
                sql,
                job_config=config,
                location=self.location,
                retry=self.retry,
                job_retry=None,
                timeout=self.limits.request_seconds,
            )
        return int(job.total_bytes_processed or 0)

    def _run(self, sql: str, params: Sequence[Parameter], estimated: int | None) -> Ran:
        config = bigquery.QueryJobConfig(
            query_parameters=params,
            use_legacy_sql=False,
            # The limit holds where the dry run cannot tell, too.
            maximum_bytes_billed=self.limits.max_bytes_billed,
            labels=self._labels,
        )

        def send(job_id: str) -> Any:
            return self.client.query(
                sql,
                job_config=config,
                job_id=job_id,
                location=self.location,
                retry=self.retry,
                job_retry=None,
                timeout=self.limits.request_seconds,
            )

        ran = self._end(sql + repr([parameter.to_api_repr() for parameter in params]), send)
        return Ran(ran.job, ran.rows, estimated)

    def _end(self, content: str, send: Callable[[str], Any]) -> Ran:
        """Submit, and wait. A job that failed by BigQuery's own fault is submitted anew, as the next one."""
        for _ in range(_SUBMISSIONS - 1):
            try:
                return self._wait(self._submit(self._job_id(content), send))
            except Refused as refused:
                if refused.reason not in _ITS_OWN_FAULT:
                    raise
        return self._wait(self._submit(self._job_id(content), send))

    def _job_id(self, content: str) -> str:
        self._number += 1
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        asset = self._labels.get("leadscore_asset", "warehouse")
        return f"leadscore-{asset}-{self._session}-{self._number:05d}-{digest}"

    def _submit(self, job_id: str, send: Callable[[str], Any]) -> Any:
        def once() -> Any:
            try:
                return send(job_id)
            except exceptions.Conflict:
                # It is there: an answer was lost on the way, and this was the same submission again.
                return self._find(job_id)
            except (exceptions.GoogleAPICallError, *_LOST):
                found = self._find(job_id)
                if found is None:
                    raise
                return found

        with told(f"job {job_id}"):
            return self.retry(once)()

    def _find(self, job_id: str) -> Any:
        try:
            return self.client.get_job(
                job_id, location=self.location, retry=self.retry, timeout=self.limits.request_seconds
            )
        except exceptions.NotFound:
            return None

    def _wait(self, job: Any) -> Ran:
        try:
            with told(f"job {job.job_id}"):
                return Ran(job, job.result(retry=self.retry, timeout=self.limits.job_seconds))
        except WaitedTooLong:
            raise WarehouseError(
                f"BigQuery has not ended job {job.job_id} after {self.limits.job_seconds:.0f} s; it may still run."
            ) from None


class WarehouseError(LeadscoreError):
    """BigQuery did not do what it was asked; the message names the job."""


class Refused(WarehouseError):
    """A job that BigQuery ended with an error."""

    def __init__(self, what: str, job_id: str, why: str, reason: str) -> None:
        super().__init__(f"BigQuery refused {what}: {why}")
        self.job_id, self.why, self.reason = job_id, why, reason


class NotThere(WarehouseError):
    """A table or dataset that a statement names does not exist."""


@contextmanager
def told(what: str, sql: str = "") -> Iterator[None]:
    """Turn the client's errors into ones for a person: what was asked, why not, and no value of a field (R57)."""
    where = f"{what}, {_first_line(sql)}" if sql else what
    try:
        yield
    except exceptions.RetryError as error:
        cause = error.cause or error
        raise WarehouseError(
            f"BigQuery did not answer for {where}, however often it was asked: {_why(cause)}"
        ) from error
    except exceptions.NotFound as error:
        raise NotThere(f"BigQuery refused {where}: {_why(error)}") from None
    except exceptions.GoogleAPICallError as error:
        raise _refusal(error, where, what.removeprefix("job ")) from None
    except _LOST as error:
        raise WarehouseError(f"BigQuery cannot be reached for {where}: {type(error).__name__}") from error


def _refusal(error: exceptions.GoogleAPICallError, where: str, job_id: str) -> LeadscoreError:
    reason = error.errors[0].get("reason", "") if error.errors else ""
    if reason == "bytesBilledLimitExceeded":
        return GateBlocked(
            f"cost gate: {where} would have been billed more than LEADSCORE_MAX_BYTES_BILLED; it was not run."
        )
    if isinstance(error, (exceptions.Forbidden, exceptions.Unauthorized)) and reason in ("accessDenied", ""):
        return UsageError(
            f"BigQuery does not let us: {where}: {_why(error)}\n"
            "  what to do: `leadscore doctor` says which permission is missing."
        )
    return Refused(where, job_id, _why(error), reason)


def typed(params: Params) -> list[Parameter]:
    """Query parameters with the types of their Python values; a list is an ARRAY of its first value's type.

    Raises UsageError on None and on an empty list, which have no type.
    """
    return [_parameter(name, value) for name, value in params.items()]


def _parameter(name: str, value: Any) -> Parameter:
    if isinstance(value, (list, tuple)):
        if not value:
            raise UsageError(f"@{name} is an empty list: its type is not known.")
        return bigquery.ArrayQueryParameter(name, _kind(name, value[0]), list(value))
    return bigquery.ScalarQueryParameter(name, _kind(name, value), value)


def _kind(name: str, value: Any) -> str:
    kind = _SCALARS.get(type(value))
    if kind is None:
        raise UsageError(f"@{name} is of type {type(value).__name__}: there is no GoogleSQL type for it.")
    return kind


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63]


def _first_line(sql: str) -> str:
    lines = [line.strip() for line in sql.splitlines() if line.strip() and not line.strip().startswith("--")]
    return lines[0][:120] if lines else ""


def _why(error: BaseException) -> str:
    text = str(getattr(error, "message", "") or error).strip() or type(error).__name__
    return _QUOTED_VALUE.sub(r"\1 (value not shown)", text.splitlines()[0])[:300]
