"""What this machine may do at Google Cloud: asked of Google itself, within seconds, without changing anything.

Belongs here: credentials, and the questions that BigQuery and Cloud Storage answer about access. Does not belong here:
what follows from an answer (doctor/), or working with tables (the engine). Nothing is retried and everything has a
deadline: whoever asks wants to know now that there is no answer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from leadscore_v6.errors import LeadscoreError
from leadscore_v6.warehouse.protocol import TableColumn

if TYPE_CHECKING:
    from google.cloud import bigquery

Answer = TypeVar("Answer")

# Seconds: of one request, of one ping of the metadata server, and of everything that a library may make of a question.
_REQUEST, _PING, _QUESTION = 10.0, 1.0, 30.0
# For each request: no second try.
_ONCE: dict[str, Any] = {"retry": None, "timeout": _REQUEST}
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
# A dry run of it asks for what a build needs and creates nothing; a table of that name may exist or not.
_PROBE_TABLE = "leadscore_doctor_dry_run"


class NoAccess(LeadscoreError):
    """Google said no, or nothing. `code` is the HTTP status; None if there was no answer to have one."""

    def __init__(self, said: str, code: int | None = None) -> None:
        """`said` is the first line of what Google, or the library, gave as the reason."""
        super().__init__(said)
        self.code = code


@dataclass(frozen=True)
class Identity:
    """Who this machine is to Google: credentials, what kind, the account (None if they do not say), a project."""

    credentials: Any
    kind: str
    account: str | None
    project: str | None


def emulator() -> str | None:
    """Address of the emulator that stands in for BigQuery (the standard variable), or None."""
    return os.environ.get("BIGQUERY_EMULATOR_HOST") or None


def identify() -> Identity:
    """Application default credentials, tried by getting a token. Raises NoAccess if there are none or they are refused.

    Without any the metadata server of a VM is asked; elsewhere that is an address at which nobody answers, so it gets
    seconds.
    """
    if emulator():
        from google.auth.credentials import AnonymousCredentials

        return Identity(AnonymousCredentials(), "none", None, None)  # type: ignore[no-untyped-call]
    return within(_QUESTION, _identify)


def _identify() -> Identity:
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    request: Any = Request()

    def hurried(*arguments: Any, **named: Any) -> Any:
        """A request to the metadata server, with a second."""
        return request(*arguments, **{**named, "timeout": _PING})

    try:
        credentials: Any
        credentials, project = google.auth.default(scopes=_SCOPES, request=cast("Request", hurried))
        credentials.refresh(request)
    except GoogleAuthError as error:
        raise NoAccess(_first_line(error)) from error
    kind = type(credentials).__module__.removeprefix("google.").split(".")[-1]
    account = getattr(credentials, "service_account_email", None) or getattr(credentials, "account", None)
    return Identity(credentials, kind.replace("_", " "), account or None, project)


@dataclass(frozen=True)
class BigQueryAccess:
    """Questions to BigQuery about one project. Each raises NoAccess with the reason if it is answered by a no."""

    client: bigquery.Client

    @classmethod
    def of(cls, identity: Identity, project: str) -> BigQueryAccess:
        """Access to `project`, or to the emulator that stands in for it. Nothing is asked yet."""
        from leadscore_v6.warehouse.bigquery_client import client_of

        return cls(client_of(project, identity.credentials))

    def location(self, dataset: str) -> str:
        """Where a dataset is: `EU` or `europe-west3`."""
        return str(self._ask(lambda: self.client.get_dataset(self._dataset(dataset), **_ONCE).location))

    def names(self, dataset: str) -> list[str]:
        """All tables and views of a dataset, sorted."""

        def listed() -> list[str]:
            tables = self.client.list_tables(self._dataset(dataset), **_ONCE)
            return sorted(table.table_id for table in tables)

        return self._ask(listed)

    def columns(self, name: str) -> list[TableColumn]:
        """Columns of a table `Dataset.table`, in order."""

        def described() -> list[TableColumn]:
            table = self.client.get_table(f"{self.client.project}.{name}", **_ONCE)
            return [TableColumn(field.name, field.field_type, field.is_nullable) for field in table.schema]

        return self._ask(described)

    def may_query(self, location: str | None, sql: str = "SELECT 1") -> None:
        """A dry run: it takes the permission to create jobs, and to read what `sql` reads; it costs nothing."""
        from google.cloud import bigquery

        config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
        self._ask(lambda: self.client.query(sql, job_config=config, location=location, job_retry=None, **_ONCE))

    def may_create(self, dataset: str, location: str | None) -> None:
        """A dry run of creating a table in the dataset; nothing is created."""
        self.may_query(location, f"CREATE TABLE `{self._dataset(dataset)}.{_PROBE_TABLE}` AS SELECT 1 AS one")

    def lacking(self, name: str, permissions: Sequence[str]) -> list[str]:
        """Which of the permissions on a table `Dataset.table` we do not have."""

        def tested() -> list[str]:
            table = f"{self.client.project}.{name}"
            answer = self.client.test_iam_permissions(table, permissions, **_ONCE)
            return [permission for permission in permissions if permission not in answer.get("permissions", [])]

        return self._ask(tested)

    def _dataset(self, name: str) -> str:
        return f"{self.client.project}.{name}"

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        return within(_QUESTION, lambda: _answered(question))


def lacking_on_bucket(identity: Identity, bucket: str, permissions: Sequence[str]) -> list[str]:
    """Which of the permissions on a bucket of Cloud Storage we do not have. Raises NoAccess if it cannot be asked."""

    def tested() -> list[str]:
        from google.cloud import storage

        client = storage.Client(project=identity.project or "none", credentials=identity.credentials)
        had = client.bucket(bucket).test_iam_permissions(list(permissions), **_ONCE)
        return [permission for permission in permissions if permission not in had]

    return within(_QUESTION, lambda: _answered(tested))


def within(seconds: float, call: Callable[[], Answer]) -> Answer:
    """What `call` gives or raises, or NoAccess when the time is over; a call that hangs on is left behind."""
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="google-access")
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise NoAccess(f"no answer within {seconds:.0f} seconds")
    return answers[0]


def _answered(question: Callable[[], Answer]) -> Answer:
    """The answer, or NoAccess in place of the libraries' errors."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError

    try:
        return question()
    except GoogleAPICallError as error:
        raise NoAccess(str(error.message or error), error.code) from error
    except (GoogleAuthError, OSError) as error:  # what requests raises is an OSError
        raise NoAccess(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
