"""What the network and BigQuery do on a bad day: nothing is lost, nothing doubled, errors name the job."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from leadscore_v6.errors import GateBlocked, UsageError, WarehouseBusy
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse import bigquery_lease
from leadscore_v6.warehouse.bigquery_client import connect, settle
from leadscore_v6.warehouse.bigquery_engine import BigQueryWarehouse
from leadscore_v6.warehouse.bigquery_jobs import Jobs, Limits, WarehouseError
from leadscore_v6.warehouse.engines import open_lease
from leadscore_v6.warehouse.protocol import FileTable
from tests.conformance.conftest import as_another_process, writing
from tests.conformance.proxy import Proxy

INSERT = r"POST \S+/jobs\S* .*INSERT INTO"
PASSING = ["500", "503", "429", "reset", "lost"]
# Of everything else that can be asked, these only with `make prove`.
MORE = ["500", "429", "reset"]


@contextmanager
def one_line(settings: Settings) -> Iterator[BigQueryWarehouse]:
    """A table of one column, to which the block appends."""
    with writing(settings) as warehouse:
        assert isinstance(warehouse, BigQueryWarehouse)
        warehouse.ensure_table("LeadScoring.lines", {"n": "INT64"})
        yield warehouse
        assert warehouse.query("SELECT n FROM `LeadScoring.lines`") == [{"n": 1}]


@pytest.mark.parametrize("kind", PASSING)
def test_a_line_is_written_once(cloud: Settings, wire: Proxy, kind: str) -> None:
    with one_line(cloud) as warehouse:
        fault = wire.fault(kind, INSERT, times=2 if kind != "lost" else 1)
        warehouse.insert("LeadScoring.lines", [{"n": 1}])
        assert fault.met == fault.times


def test_a_lost_answer_takes_up_the_job_that_ran(cloud: Settings, wire: Proxy) -> None:
    with one_line(cloud) as warehouse:
        wire.resubmitted.clear()
        before = len(wire.sent)
        wire.fault("lost", INSERT)
        warehouse.insert("LeadScoring.lines", [{"n": 1}])
        assert len(wire.resubmitted) <= 1  # 409, or found before it was sent again
        ids = [
            body["jobReference"]["jobId"]
            for _, path, body in wire.sent[before:]
            if "INSERT INTO `LeadScoring.lines`" in str(body)
        ]
        assert len(set(ids)) == 1


def test_a_slow_answer_is_not_waited_for_twice_in_vain(cloud: Settings, wire: Proxy) -> None:
    with one_line(cloud) as warehouse:
        warehouse._jobs.limits = replace(warehouse._jobs.limits, request_seconds=1)
        fault = wire.fault("slow", INSERT, seconds=3)
        warehouse.insert("LeadScoring.lines", [{"n": 1}])
        assert fault.met == 1
        time.sleep(3)  # the slow one arrives now, and meets an id that is taken
        assert warehouse.count_rows("LeadScoring.lines") == 1


@pytest.mark.parametrize("kind", ["503", "lost", *(pytest.param(kind, marks=pytest.mark.prove) for kind in MORE)])
@pytest.mark.parametrize("what", ["create", "load", "copy", "read"])
def test_whatever_is_asked_comes_out_right(cloud: Settings, wire: Proxy, tmp_path: Path, what: str, kind: str) -> None:
    (cloud.home / "landing").mkdir(parents=True)
    (cloud.home / "landing" / "f.csv").write_text("Id\nx\ny\n")
    with writing(cloud) as warehouse:
        if what == "create":
            wire.fault(kind, r"POST \S+/jobs\S* (?!.*dryRun).*CREATE OR REPLACE TABLE")
            warehouse.create_table("LeadScoring.t", "SELECT 1 AS a")
        elif what == "load":
            # The last piece of the upload: for "lost" the job has run.
            wire.fault(kind, r"PUT \S+/upload/" if kind == "lost" else r"POST \S+/upload/")
            warehouse.expose_file("LeadScoring.t", FileTable("landing/f.csv", ["Id"]))
            assert warehouse.count_rows("LeadScoring.t") == 2
        elif what == "copy":
            warehouse.create_table("LeadScoring.candidate__t__k", "SELECT 1 AS a")
            wire.fault(kind, r'POST \S+/jobs\S* .*"copy"')
            warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t")
        else:
            warehouse.create_table("LeadScoring.t", "SELECT 1 AS a")
            wire.fault(kind, r"GET \S+/queries/")
            wire.fault(kind, r"GET \S+/tables/t")
            assert warehouse.query("SELECT a FROM `LeadScoring.t`") == [{"a": 1}]
        assert warehouse.exists("LeadScoring.t")
        assert not warehouse.exists("LeadScoring.candidate__t__k")


@pytest.mark.parametrize("kind", ["500", "503", "429", "reset"])
def test_what_never_answers_is_given_up_and_named(cloud: Settings, wire: Proxy, kind: str) -> None:
    with writing(cloud) as warehouse:
        assert isinstance(warehouse, BigQueryWarehouse)
        warehouse._jobs.retry = warehouse._jobs.retry.with_timeout(3)
        wire.fault(kind, r"CREATE OR REPLACE VIEW", times=1000)
        wire.fault(kind, r"GET \S+/jobs/leadscore-", times=1000)
        with pytest.raises(WarehouseError, match=r"job leadscore-warehouse-[0-9a-f]{8}-\d{5}-[0-9a-f]{12}"):
            warehouse.create_view("LeadScoring.v", "SELECT 1 AS a")
        wire.faults.clear()
        assert not warehouse.exists("LeadScoring.v")


def test_a_refused_statement_is_not_sent_again(cloud: Settings, wire: Proxy) -> None:
    with writing(cloud) as warehouse:
        before = len(wire.queries())
        with pytest.raises(WarehouseError, match="job leadscore-warehouse-"):
            warehouse.create_view("LeadScoring.v", "SELECT nobody FROM UNNEST([1]) AS a")
        assert len(wire.queries()) == before + 1


def test_a_lost_lease_writes_nothing(cloud: Settings) -> None:
    """A process that slept for longer than its lease wakes up to find another one's name there (R44)."""
    with writing(cloud) as warehouse:
        assert isinstance(warehouse, BigQueryWarehouse)
        warehouse.ensure_table("LeadScoring.lines", {"n": "INT64"})
        warehouse.create_table("LeadScoring.candidate__t__k", "SELECT 1 AS a")
        expire(warehouse._jobs)
        with as_another_process(), open_lease(cloud, lambda line: None):
            with pytest.raises(WarehouseBusy, match="0 of 1 lines were written"):
                warehouse.insert("LeadScoring.lines", [{"n": 1}])
            with pytest.raises(WarehouseBusy, match="nothing was published"):
                warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t")
        assert warehouse.count_rows("LeadScoring.lines") == 0
        assert not warehouse.exists("LeadScoring.t")


def test_a_second_process_waits_then_names_the_holder(cloud: Settings, wire: Proxy) -> None:
    heard: list[str] = []
    with writing(cloud):
        before = len(wire.queries())
        with (
            as_another_process(),
            pytest.raises(WarehouseBusy, match=rf"{cloud.project}\.LeadScoring is held by process \d+ on \S+ \("),
            open_lease(cloud, heard.append),
        ):
            pass
        asked = [job["query"]["query"] for job in wire.queries()[before:]]
    assert re.match("waiting for process", heard[0])
    # Who waits only reads after its one try: the changes of the row are few, however many wait.
    assert sum(text.startswith("UPDATE") for text in asked) == 1


def test_an_ended_lease_is_free_and_one_that_ran_out_too(cloud: Settings) -> None:
    for _ in range(2):
        with writing(cloud):
            pass
    with writing(cloud) as warehouse:
        assert isinstance(warehouse, BigQueryWarehouse)
        expire(warehouse._jobs)
        with as_another_process(), open_lease(cloud, lambda line: None):
            pass


def test_the_lease_is_kept_while_its_process_lives(cloud: Settings) -> None:
    def jobs() -> Jobs:
        made = connect(cloud)
        settle(made, cloud, create=True)
        return made

    place = (str(cloud.project), cloud.dataset)
    with bigquery_lease.RowLease(place, jobs, 0, lease_seconds=1):
        time.sleep(2.5)
        with as_another_process(), pytest.raises(WarehouseBusy), bigquery_lease.RowLease(place, jobs, 0):
            pass


def expire(jobs: Jobs) -> None:
    """What time does to the row of a process that cannot keep it."""
    jobs.statement(
        "UPDATE `LeadScoring.warehouse_lease` SET expires_at = TIMESTAMP '2020-01-01 00:00:00+00' WHERE TRUE"
    )


def test_the_same_submission_has_the_same_id_and_the_next_one_another(cloud: Settings) -> None:
    client = connect(cloud).client
    one, again = (Jobs(client, None, Limits(), "session") for _ in range(2))
    ids = [[jobs._job_id(sql) for sql in ("SELECT 1", "SELECT 1", "SELECT 2")] for jobs in (one, again)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,1024}", job_id) for job_id in ids[0])


def test_datasets_that_lie_apart_are_refused(cloud: Settings) -> None:
    jobs = connect(cloud)
    from google.cloud import bigquery

    crm = bigquery.Dataset(f"{cloud.project}.{cloud.crm_dataset}")
    crm.location = "europe-west3"
    jobs.client.create_dataset(crm, retry=jobs.retry)
    settle(jobs, replace(cloud, location=None), create=True)
    assert jobs.location == "europe-west3"  # ours was made beside the CRM's
    with pytest.raises(
        UsageError, match=r"one location: LEADSCORE_LOCATION in US, dataset LeadScoring in europe-west3"
    ):
        settle(jobs, replace(cloud, location="US"), create=True)


def test_without_project_or_credentials_it_says_what_is_missing(
    cloud: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="needs LEADSCORE_GCP_PROJECT"):
        connect(replace(cloud, project=None))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with pytest.raises(UsageError, match="no Google credentials on this machine"):
        connect(replace(cloud, emulator=None))


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ((403, "accessDenied"), UsageError, "which permission is missing"),
        ((403, "quotaExceeded"), WarehouseError, "broken on purpose"),
        ((400, "bytesBilledLimitExceeded"), GateBlocked, "LEADSCORE_MAX_BYTES_BILLED"),
    ],
)
def test_what_bigquery_refuses_is_told_for_what_it_is(
    cloud: Settings, wire: Proxy, answer: tuple[int, str], error: type[Exception], says: str
) -> None:
    with writing(cloud) as warehouse:
        wire.fault(f"{answer[0]} {answer[1]}", r"CREATE OR REPLACE VIEW")
        with pytest.raises(error, match=says):
            warehouse.create_view("LeadScoring.v", "SELECT 1 AS a")
        assert not warehouse.exists("LeadScoring.v")
