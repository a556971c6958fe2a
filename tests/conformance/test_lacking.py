"""Each thing that the emulator lacks, seen lacking: when one of these fails, the suite can prove more than it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.bigquery_client import connect, settle
from leadscore_v6.warehouse.bigquery_jobs import Jobs
from tests.conformance.lacking import LACKING
from tests.conformance.proxy import Proxy

# Read off the wire in other tests, or beyond any emulator: nothing to look at here.
ELSEWHERE = {
    "upload_job_ids",
    "case_of_names",
    "maximum_bytes_billed",
    "labels_and_job_accounts",
    "csv_options",
    "serialised_updates",
    "locations",
    "permissions_and_quotas",
    "parameters_in_scripts",
    "quoted_empty_fields",
}


@pytest.fixture
def direct(cloud: Settings, wire: Proxy) -> Jobs:
    """The emulator without the proxy."""
    settings = replace(cloud, emulator=wire.target)
    jobs = connect(settings)
    settle(jobs, settings, create=True)
    jobs.statement("CREATE TABLE `LeadScoring.t` CLUSTER BY `A` AS SELECT 1 AS A")
    return jobs


def job_ids(jobs: Jobs) -> bool:
    for _ in range(2):
        jobs.client.query("SELECT 1 AS a", job_id="same", retry=jobs.retry, job_retry=None).result(timeout=10)
    return True


def dry_run(jobs: Jobs) -> bool:
    return jobs._estimate("SELECT * FROM `LeadScoring.t`", []) == 0


def clustering(jobs: Jobs) -> bool:
    return jobs.client.get_table("LeadScoring.t").clustering_fields is None


def expiration(jobs: Jobs) -> bool:
    table = jobs.client.get_table("LeadScoring.t")
    table.expires = table.created.replace(year=2999)
    return jobs.client.update_table(table, ["expires"]).expires is None


def descriptions(jobs: Jobs) -> bool:
    table = jobs.client.get_table("LeadScoring.t")
    table.description = "says"
    jobs.client.update_table(table, ["description"])
    jobs.copy(f"{jobs.client.project}.LeadScoring.t", f"{jobs.client.project}.LeadScoring.u")
    return jobs.client.get_table("LeadScoring.u").description is None


def view_queries(jobs: Jobs) -> bool:
    jobs.statement("CREATE VIEW `LeadScoring.v` AS SELECT A FROM `LeadScoring.t`")
    return jobs.client.get_table("LeadScoring.v").view_query is None


def literals_in_views(jobs: Jobs) -> bool:
    select = "SELECT 'one' AS word, A FROM `LeadScoring.t`"
    jobs.statement(f"CREATE VIEW `LeadScoring.v` AS {select}")
    (row,) = jobs.statement("SELECT view_definition AS d FROM `LeadScoring.INFORMATION_SCHEMA.VIEWS`").rows
    return bool(row["d"] != select)


def digits_of_numeric(jobs: Jobs) -> bool:
    exact = Decimal("1.000000001")
    (row,) = jobs.query("SELECT CAST(@exact AS NUMERIC) AS kept", {"exact": exact}).rows
    return bool(row["kept"] != exact)


LOOKS: dict[str, Callable[[Jobs], Any]] = {
    "job_ids_are_unique": job_ids,
    "dry_run_bytes": dry_run,
    "clustering": clustering,
    "expiration": expiration,
    "copies_keep_descriptions": descriptions,
    "view_queries": view_queries,
    "literals_in_views": literals_in_views,
    "digits_of_numeric": digits_of_numeric,
}


@pytest.mark.parametrize("name", LOOKS)
def test_it_is_lacking_still(direct: Jobs, name: str) -> None:
    assert LOOKS[name](direct), f"the emulator does it now: {LACKING[name]}"


def test_each_entry_is_looked_at_or_said_to_be_elsewhere() -> None:
    assert LOOKS.keys() | ELSEWHERE == LACKING.keys()
    assert all(text.endswith(".") for text in LACKING.values())
