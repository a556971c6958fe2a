"""Google Cloud: credentials, project, datasets, permissions, location, tables, buckets; and which grant is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from leadscore_v6.doctor.finding import Finding, missing, ok, unchecked
from leadscore_v6.doctor.tables import lead_table, newest_snapshot
from leadscore_v6.locations import Location, is_local
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.google_access import (
    BigQueryAccess,
    Identity,
    NoAccess,
    emulator,
    identify,
    lacking_on_bucket,
)

_CREDENTIALS = (
    "on a VM or a pod: attach a service account (no key file is needed); "
    "at a desk: gcloud auth application-default login"
)
# What a build does to the ledger's table, and to every other one of its dataset.
_WRITE = ("bigquery.tables.getData", "bigquery.tables.updateData", "bigquery.tables.update", "bigquery.tables.delete")
_READ_OBJECTS = ("storage.objects.list", "storage.objects.get")
# To write an object anew takes the permission to delete the older one.
_WRITE_OBJECTS = ("storage.objects.create", "storage.objects.delete", "storage.objects.get")


def google(settings: Settings) -> Iterator[Finding]:
    """What these settings need of Google, in the order in which one thing needs the other."""
    needs_bigquery = settings.engine == "bigquery"
    buckets = _buckets(settings)
    try:
        identity = identify()
    except NoAccess as no:
        yield missing("credentials", f"no application default credentials that work: {no}", _CREDENTIALS)
        rest = _bigquery_checks(settings) if needs_bigquery else []
        yield from (unchecked(check, "credentials") for check in [*rest, *(check for check, _, _ in buckets)])
        return
    if emulator():
        yield ok("credentials", f"none needed: BIGQUERY_EMULATOR_HOST is {emulator()}")
    else:
        yield ok("credentials", f"{identity.account or 'an account that does not give its name'} ({identity.kind})")
    if needs_bigquery:
        yield from _bigquery(settings, identity)
    for check, place, permissions in buckets:
        yield _bucket(check, place, permissions, identity)


def _bigquery_checks(settings: Settings) -> list[str]:
    datasets = [f"dataset {name}" for name in (settings.dataset, settings.crm_dataset)]
    return ["project", *datasets, "location", "query jobs", "may write", "Lead table", "newest reps", "newest firms"]


def _bigquery(settings: Settings, identity: Identity) -> Iterator[Finding]:
    project = settings.project or identity.project
    if project is None:
        yield missing("project", "no project is named", "set LEADSCORE_GCP_PROJECT")
        yield from (unchecked(check, "a project") for check in _bigquery_checks(settings)[1:])
        return
    yield ok("project", project if settings.project else f"{project} (that of the credentials)")
    examined = _Examined(settings, BigQueryAccess.of(identity, project), project, identity.account)
    for dataset in (settings.dataset, settings.crm_dataset):
        yield examined.dataset(dataset)
        if examined.silent:
            done = {"project", f"dataset {dataset}"}
            yield from (unchecked(check, "an answer") for check in _bigquery_checks(settings) if check not in done)
            return
    yield examined.location()
    yield from examined.permissions()
    yield from examined.tables()


@dataclass
class _Examined:
    """One project's BigQuery, and what was found out on the way: where the datasets are, whether anybody answers."""

    settings: Settings
    access: BigQueryAccess
    project: str
    account: str | None
    places: dict[str, str] = field(default_factory=dict)
    silent: bool = False

    def dataset(self, name: str) -> Finding:
        """Is it there?"""
        check = f"dataset {name}"
        try:
            self.places[name] = self.access.location(name)
        except NoAccess as no:
            self.silent = no.code is None
            role = "roles/bigquery.dataEditor" if name == self.settings.dataset else "roles/bigquery.dataViewer"
            make = f"make it: bq --location=LOCATION mk --dataset {self.project}:{name}"
            return self._refused(check, no, make if no.code == 404 else f"grant {self._who()} {role} on {name}")
        return ok(check, f"{self.project}.{name} in {self.places[name]}")

    def location(self) -> Finding:
        """Are both datasets in one location? A query cannot join across two."""
        if len(self.places) < 2:
            return unchecked("location", "both datasets")
        if len(set(self.places.values())) == 1:
            return ok("location", f"both datasets are in {next(iter(self.places.values()))}")
        said = ", ".join(f"{name} is in {place}" for name, place in self.places.items())
        remedy = f"copy {self.settings.crm_dataset} to where {self.settings.dataset} is: no query reads from both"
        return missing("location", said, remedy)

    def permissions(self) -> Iterator[Finding]:
        """May we run queries, make tables, and change those that are there?"""
        settings, where = self.settings, self.places.get(self.settings.dataset)
        user = f"grant {self._who()} roles/bigquery.jobUser on the project {self.project}"
        yield self._try("query jobs", lambda: self.access.may_query(where), "bigquery.jobs.create", user)
        if where is None:
            yield unchecked("may write", f"dataset {settings.dataset}")
            return
        editor = f"grant {self._who()} roles/bigquery.dataEditor on {settings.dataset}"

        def write() -> None:
            self.access.may_create(settings.dataset, where)
            # The emulator knows no permissions, nor the question.
            if not emulator() and "attempt_ledger" in self.access.names(settings.dataset):
                lacking = self.access.lacking(f"{settings.dataset}.attempt_ledger", _WRITE)
                if lacking:
                    raise NoAccess(f"{', '.join(lacking)} on attempt_ledger", 403)

        yield self._try("may write", write, f"tables of {settings.dataset} can be made and changed", editor)

    def tables(self) -> Iterator[Finding]:
        """The CRM's table may be read and has the columns; the newest snapshot keeps its contract."""
        crm, dataset = self.settings.crm_dataset, self.settings.dataset
        if crm not in self.places:
            yield unchecked("Lead table", f"dataset {crm}")
        else:
            try:
                finding = lead_table(self.access, f"{crm}.Lead")
                self.access.may_query(self.places[crm], f"SELECT * FROM `{self.project}.{crm}.Lead`")  # noqa: S608
            except NoAccess as no:
                sync = f"let the CRM's sync write {crm}.Lead (Id, FA_CRD__c, and when each stage was entered)"
                viewer = f"grant {self._who()} roles/bigquery.dataViewer on {crm}"
                finding = self._refused("Lead table", no, sync if no.code == 404 else viewer)
            yield finding
        if dataset not in self.places:
            yield from (unchecked(f"newest {kind}", f"dataset {dataset}") for kind in ("reps", "firms"))
            return
        try:
            yield from newest_snapshot(self.access, dataset)
        except NoAccess as no:
            yield self._refused("newest reps", no, f"grant {self._who()} roles/bigquery.dataEditor on {dataset}")

    def _try(self, check: str, question: Callable[[], None], says: str, remedy: str) -> Finding:
        try:
            question()
        except NoAccess as no:
            return self._refused(check, no, remedy)
        return ok(check, says)

    def _refused(self, check: str, no: NoAccess, remedy: str) -> Finding:
        if "has not been used in project" in str(no) or "is disabled" in str(no):
            remedy = f"gcloud services enable bigquery.googleapis.com --project={self.project}"
        elif no.code is None:
            remedy = "let this machine reach bigquery.googleapis.com, port 443 (proxy: HTTPS_PROXY)"
        elif no.code == 401:
            remedy = _CREDENTIALS
        elif no.code >= 500 or no.code == 429:
            remedy = "try again later: the service did not answer the question"
        return missing(check, str(no), remedy)

    def _who(self) -> str:
        return self.account or "this account"


def _buckets(settings: Settings) -> list[tuple[str, str, tuple[str, ...]]]:
    """A check's name, the bucket, and the permissions, for each folder that is one of Cloud Storage."""
    wanted = (("input bucket", settings.data, _READ_OBJECTS), ("artifacts bucket", settings.artifacts, _WRITE_OBJECTS))
    return [(check, _bucket_of(place), permissions) for check, place, permissions in wanted if not is_local(place)]


def _bucket_of(place: Location) -> str:
    return str(place).partition("://")[2].partition("/")[0]


def _bucket(check: str, bucket: str, permissions: tuple[str, ...], identity: Identity) -> Finding:
    role = "roles/storage.objectViewer" if permissions is _READ_OBJECTS else "roles/storage.objectUser"
    who = identity.account or "this account"
    grant = f"gcloud storage buckets add-iam-policy-binding gs://{bucket} --member=serviceAccount:{who} --role={role}"
    try:
        lacking = lacking_on_bucket(identity, bucket, permissions)
    except NoAccess as no:
        make = f"gcloud storage buckets create gs://{bucket} --location=LOCATION --uniform-bucket-level-access"
        return missing(check, str(no), make if no.code == 404 else grant)
    if lacking:
        return missing(check, f"gs://{bucket}: {', '.join(lacking)} not granted", grant)
    return ok(check, f"gs://{bucket}: {', '.join(permissions)}")
