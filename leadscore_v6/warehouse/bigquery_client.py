"""Reaching BigQuery: credentials, the emulator, and datasets that lie where they can be joined.

Belongs here: from settings to a connection. Does not belong here: what goes over it (`bigquery_jobs.py`).

Credentials are the machine's own (application default credentials); there is no setting for a key file, so that none
can lie about. With BIGQUERY_EMULATOR_HOST there are none.
"""

from __future__ import annotations

import secrets
from typing import Any

import google.auth.exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from leadscore_v6.errors import UsageError
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.bigquery_jobs import Jobs, Limits, NotThere, told

# Where BigQuery puts a dataset whose place nobody names.
_DEFAULT_LOCATION = "US"


def connect(settings: Settings) -> Jobs:
    """A connection of its own, with an own session. Raises UsageError without project or credentials."""
    if not settings.project:
        raise UsageError(
            "LEADSCORE_WAREHOUSE=bigquery needs LEADSCORE_GCP_PROJECT: where the datasets are, and what pays for jobs."
        )
    credentials = AnonymousCredentials() if settings.emulator else None  # type: ignore[no-untyped-call]
    try:
        client = client_of(settings.project, credentials, settings.location, settings.emulator)
    except google.auth.exceptions.DefaultCredentialsError:
        raise UsageError(
            "There are no Google credentials on this machine.\n"
            "  what to do: `gcloud auth application-default login`, or run where a service account is attached; "
            "`leadscore doctor` shows what else is missing."
        ) from None
    limits = Limits(settings.max_bytes_billed, settings.retry_seconds, min(60.0, settings.retry_seconds))
    return Jobs(client, settings.location, limits, secrets.token_hex(4))


def client_of(
    project: str, credentials: Any = None, location: str | None = None, emulator: str | None = None
) -> bigquery.Client:
    """Google's client of one project. Nothing is asked yet, but for credentials where none are given.

    Without `emulator` the client itself looks for the standard variable (BIGQUERY_EMULATOR_HOST).
    """
    options = {"api_endpoint": emulator} if emulator else None
    return bigquery.Client(project=project, credentials=credentials, location=location, client_options=options)


def settle(jobs: Jobs, settings: Settings, *, create: bool) -> None:
    """See that both datasets are in one location, and let the jobs run there.

    `create`: make our own dataset if it is missing, beside the CRM's. Raises UsageError when they lie apart, or apart
    from LEADSCORE_LOCATION.
    """
    ours, crm = (_location(jobs, name) for name in (settings.dataset, settings.crm_dataset))
    wanted = settings.location or crm or ours or _DEFAULT_LOCATION
    if ours is None and create:
        dataset = bigquery.Dataset(f"{settings.project}.{settings.dataset}")
        dataset.location = wanted
        with told(f"making the dataset {settings.dataset}"):
            ours = jobs.client.create_dataset(dataset, exists_ok=True, retry=jobs.retry).location
    places = {
        "LEADSCORE_LOCATION": settings.location,
        f"dataset {settings.dataset}": ours,
        f"dataset {settings.crm_dataset}": crm,
    }
    if len({place.lower() for place in places.values() if place}) > 1:
        shown = ", ".join(f"{name} in {place}" for name, place in places.items() if place)
        raise UsageError(
            f"BigQuery joins only what lies in one location: {shown}.\n"
            "  what to do: copy the CRM's dataset to where ours is, or name another dataset (LEADSCORE_DATASET)."
        )
    jobs.location = ours or wanted


def _location(jobs: Jobs, dataset: str) -> str | None:
    try:
        with told(f"looking at dataset {dataset}"):
            found = jobs.client.get_dataset(f"{jobs.client.project}.{dataset}", retry=jobs.retry)
    except NotThere:
        return None
    location: str | None = found.location
    return location
