"""What the doctor says about Google Cloud: real clients, answers made by hand, nothing changed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.auth.credentials import Credentials

from leadscore_v6.doctor import MISSING, OK, UNCHECKED, Finding, cloud
from leadscore_v6.locations import location
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse import google_access
from leadscore_v6.warehouse.google_access import Identity, NoAccess, identify, within
from tests.doctor.fake_google import Google, is_dry, serving, table_names

ROBOT = "robot@p.iam.gserviceaccount.com"
Examined = Callable[..., dict[str, Finding]]


class Token(Credentials):
    """Credentials whose token Google may take or not."""

    def refresh(self, request: object) -> None:
        self.token = "t"


@pytest.fixture
def google() -> Google:
    """A project in which all is well."""
    return Google()


@pytest.fixture
def examined(google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Examined]:
    """The findings, by check."""
    with serving(google) as address:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        monkeypatch.setattr(cloud, "emulator", lambda: None)
        identity = Identity(Token(), "service account", ROBOT, "p")
        monkeypatch.setattr(cloud, "identify", lambda: identity)

        def examine(**changes: object) -> dict[str, Finding]:
            settings = Settings(home=tmp_path, data=tmp_path, engine="bigquery", **changes)
            return {finding.check: finding for finding in cloud.google(settings)}

        yield examine


def missed(findings: dict[str, Finding]) -> dict[str, Finding]:
    return {check: finding for check, finding in findings.items() if finding.state == MISSING}


def test_all_is_well_and_nothing_was_changed(google: Google, examined: Examined) -> None:
    findings = examined()
    assert {finding.state for finding in findings.values()} == {OK}, findings
    assert list(findings) == ["credentials", *cloud._bigquery_checks(Settings(Path(), Path()))]
    assert ROBOT in findings["credentials"].says
    assert findings["location"].says.endswith("EU")
    assert "snapshot_reps_20240331:" in findings["newest reps"].says, "the newest, and not its raw table"
    assert len(google.jobs) == 3
    assert all(map(is_dry, google.jobs))
    assert {asked.split()[0] for asked in google.asked} == {"GET", "POST"}
    posts = [asked for asked in google.asked if asked.startswith("POST") and not asked.endswith("/jobs")]
    assert all(asked.endswith(":testIamPermissions") for asked in posts)
    assert len(posts) == 1


def test_the_project_of_the_settings_wins_over_that_of_the_credentials(google: Google, examined: Examined) -> None:
    examined(project="other")
    assert {asked.split("/projects/")[1].split("/")[0] for asked in google.asked} == {"other"}
    statements = [job["configuration"]["query"]["query"] for job in google.jobs]
    assert {name.split(".")[0] for sql in statements for name in table_names(sql)} == {"other"}


def test_without_a_project_it_says_which_variable(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "identify", lambda: Identity(Token(), "user", None, None))
    findings = examined()
    assert list(missed(findings)) == ["project"]
    assert "LEADSCORE_GCP_PROJECT" in findings["project"].remedy
    assert findings["Lead table"].state == UNCHECKED


@pytest.mark.parametrize(
    ("denied", "check", "remedy"),
    [
        ("/jobs", "query jobs", f"grant {ROBOT} roles/bigquery.jobUser on the project p"),
        ("CREATE TABLE", "may write", f"grant {ROBOT} roles/bigquery.dataEditor on LeadScoring"),
        ("datasets/SavvyGTMData ", "dataset SavvyGTMData", f"grant {ROBOT} roles/bigquery.dataViewer on SavvyGTMData"),
        ("datasets/LeadScoring ", "dataset LeadScoring", f"grant {ROBOT} roles/bigquery.dataEditor on LeadScoring"),
        ("SELECT * FROM", "Lead table", f"grant {ROBOT} roles/bigquery.dataViewer on SavvyGTMData"),
        ("tables/snapshot_reps_20240331", "newest reps", f"grant {ROBOT} roles/bigquery.dataEditor on LeadScoring"),
    ],
)
def test_a_permission_that_is_missing_is_named_with_the_role_that_holds_it(
    google: Google, examined: Examined, denied: str, check: str, remedy: str
) -> None:
    google.denied = {denied}
    findings = missed(examined())
    assert "Access Denied" in findings[check].says
    assert findings[check].remedy == remedy
    if denied != "/jobs":
        assert list(findings) == [check], "one thing is missing, so one thing is said to be"


def test_a_table_that_may_be_read_but_not_changed_is_found(google: Google, examined: Examined) -> None:
    google.granted.remove("bigquery.tables.updateData")
    findings = missed(examined())
    assert list(findings) == ["may write"]
    assert findings["may write"].says == "bigquery.tables.updateData on attempt_ledger"


def test_an_emulator_is_not_asked_for_permissions(
    google: Google, examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "emulator", lambda: "http://somewhere")
    google.granted.clear()
    findings = examined()
    assert missed(findings) == {}
    assert "http://somewhere" in findings["credentials"].says
    assert not any(asked.endswith(":testIamPermissions") for asked in google.asked)


def test_datasets_that_are_not_there_are_to_be_made(google: Google, examined: Examined) -> None:
    del google.datasets["LeadScoring"]
    findings = examined()
    assert list(missed(findings)) == ["dataset LeadScoring"]
    assert "bq --location=LOCATION mk --dataset p:LeadScoring" in findings["dataset LeadScoring"].remedy
    for check in ("location", "may write", "newest reps", "newest firms"):
        assert findings[check].state == UNCHECKED


def test_datasets_in_two_locations_are_found(google: Google, examined: Examined) -> None:
    google.datasets["SavvyGTMData"] = "US"
    findings = missed(examined())
    assert list(findings) == ["location"]
    assert findings["location"].says == "LeadScoring is in EU, SavvyGTMData is in US"


def test_columns_that_the_lead_table_lacks_are_named(google: Google, examined: Examined) -> None:
    lead = google.tables["SavvyGTMData.Lead"]
    lead["fa_crd__c"] = lead.pop("FA_CRD__c")
    lead["Stage_Entered_Call_Scheduled__c"] = "TIMESTAMP"
    del lead["Id"]
    findings = missed(examined())
    assert list(findings) == ["Lead table"]
    says = findings["Lead table"].says
    assert "Id: missing" in says
    assert "FA_CRD__c: " not in says, "case does not matter"
    assert "Stage_Entered" not in says, "nor does the type: the run reads it as text"


def test_without_a_lead_table_it_is_the_sync_that_is_missing(google: Google, examined: Examined) -> None:
    del google.tables["SavvyGTMData.Lead"]
    findings = missed(examined())
    assert list(findings) == ["Lead table"]
    assert "sync" in findings["Lead table"].remedy


def test_a_snapshot_that_breaks_its_contract_is_found(google: Google, examined: Examined) -> None:
    del google.tables["LeadScoring.snapshot_reps_20240331"]["RepCRD"]
    findings = missed(examined())
    assert list(findings) == ["newest reps"]
    assert "RepCRD: missing" in findings["newest reps"].says


def test_before_the_first_run_no_snapshot_is_missed(google: Google, examined: Examined) -> None:
    for name in [name for name in google.tables if name.startswith("LeadScoring.")]:
        del google.tables[name]
    assert missed(examined()) == {}


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        (401, "Request had invalid credentials", "gcloud auth application-default login"),
        (403, "BigQuery API has not been used in project 12 before or it is disabled", "gcloud services enable"),
        (503, "backend", "try again later"),
        (429, "quota", "try again later"),
    ],
)
def test_every_refusal_says_what_to_do(
    google: Google, examined: Examined, code: int, message: str, remedy: str
) -> None:
    google.fails_with = (code, message)
    before = time.monotonic()
    findings = missed(examined())
    assert time.monotonic() - before < 10, "nothing is retried"
    assert message in findings["dataset LeadScoring"].says
    assert remedy in findings["dataset LeadScoring"].remedy


def test_when_nobody_answers_the_rest_is_not_asked(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    findings = examined()
    assert list(missed(findings)) == ["dataset LeadScoring"]
    assert "bigquery.googleapis.com, port 443" in findings["dataset LeadScoring"].remedy
    assert {findings[check].state for check in list(findings)[3:]} == {UNCHECKED}


def test_buckets_are_asked_for_what_is_done_with_them(google: Google, examined: Examined) -> None:
    places = {"data": location("gs://in/feed"), "artifacts_at": location("gs://out/art")}
    settings = Settings(home=Path("/h"), **places)
    findings = {finding.check: finding for finding in cloud.google(settings)}
    assert [(check, finding.state) for check, finding in findings.items()] == [
        ("credentials", OK),
        ("input bucket", OK),
        ("artifacts bucket", OK),
    ], "with the embedded engine BigQuery is not asked for anything"
    google.granted -= {"storage.objects.list", "storage.objects.delete"}
    findings = {finding.check: finding for finding in cloud.google(settings)}
    assert findings["input bucket"].says == "gs://in: storage.objects.list not granted"
    assert "roles/storage.objectViewer" in findings["input bucket"].remedy
    assert findings["artifacts bucket"].says == "gs://out: storage.objects.delete not granted"
    assert "roles/storage.objectUser" in findings["artifacts bucket"].remedy


# --- credentials ------------------------------------------------------------------------------------------------------


@pytest.fixture
def key_file(google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A service account's credentials of which the token comes from a local address; made for this test."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "adc.json"
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with serving(google) as address:
        account = {"type": "service_account", "client_email": ROBOT, "project_id": "p", "private_key_id": "1"}
        file.write_text(json.dumps(account | {"private_key": made.decode(), "token_uri": f"{address}/token"}))
        yield file


def test_credentials_that_give_a_token_name_their_account(google: Google, key_file: Path) -> None:
    identity = identify()
    assert (identity.account, identity.project, identity.kind) == (ROBOT, "p", "service account")
    assert google.asked == ["POST /token"]


def test_credentials_that_were_taken_back_are_not_taken_for_good(google: Google, key_file: Path) -> None:
    google.token = None
    with pytest.raises(NoAccess, match="invalid_grant"):
        identify()


@pytest.mark.parametrize("content", [None, "not json", '{"type": "no such kind"}'])
def test_credentials_that_cannot_be_read_are_said(key_file: Path, content: str | None) -> None:
    if content is None:
        key_file.unlink()
    else:
        key_file.write_text(content)
    with pytest.raises(NoAccess, match=r"adc\.json"):
        identify()


def test_the_emulator_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setattr(google_access, "_identify", lambda: pytest.fail("asked for credentials"))
    assert identify().kind == "none"


def test_what_hangs_is_left_behind() -> None:
    before = time.monotonic()
    with pytest.raises(NoAccess, match="no answer within 0 seconds"):
        within(0.2, lambda: time.sleep(30))
    assert time.monotonic() - before < 5
    assert within(5, lambda: 7) == 7
    with pytest.raises(KeyError):
        within(5, lambda: {}["x"])
