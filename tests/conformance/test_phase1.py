"""The whole of Phase 1, and the serving copy, by the command line on both engines: the same gates, figures, rows.

On BigQuery over HTTP, through Google's client and the proxy, which keeps what was sent.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.contracts import contract
from leadscore_v6.sample_world import write_world
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from tests.conformance.conftest import ENGINES, MakeSettings, bring_crm, variables
from tests.conformance.proxy import Proxy
from tests.conformance.statements import judged
from tests.e2e.conftest import AS_OF, SPEC
from tests.e2e.gate_cases import without_the_last
from tests.e2e.process import leadscore
from tests.e2e.sabotage import Row, edit
from tests.e2e.test_extract_before import more
from tests.oracle.catalog import text
from tests.oracle.reference import Table, reference

# Where the emulator's own translation gives another number, by table, with the columns it is in. The reference engine's
# answer, on the same rows, is DuckDB's to the last bit (test_a_difference_is_the_emulators_own): the emulator keeps
# three digits of a NUMERIC, of which GoogleSQL has nine. All other tables, also the training set, are equal bit by bit.
MEANS = ("avg_rep_experience_years", "avg_tenure_at_firm_years", "avg_tenure_at_prior_firms")
DIFFERENCES: Mapping[str, tuple[str, ...]] = {
    "snapshot_firms_20240107": MEANS,
    "snapshot_firms_20240331": MEANS,
    "v_discovery_firms_all_vintages": MEANS,
}

TABLES = {
    "crm_leads": "crm_leads",
    "snapshot_reps_20240107": "reps",
    "snapshot_reps_20240331": "reps",
    "snapshot_firms_20240107": "firms",
    "snapshot_firms_20240331": "firms",
    "v_discovery_reps_all_vintages": "reps",
    "v_discovery_firms_all_vintages": "firms",
    "step_3_1_staging_join_v6_": "staging",
    "v_latest_training_dataset_v6": "training",
    "serving_advisors_v6": "serving",
}


@dataclass
class Run:
    """One finished home, and its standing."""

    settings: Settings
    status: list[dict[str, Any]]

    def again(self, *arguments: object) -> Any:
        """Another command on the same home."""
        return leadscore(*arguments, "--home", self.settings.home, **variables(self.settings))

    def rows(self, table: str) -> tuple[list[tuple[str, str]], Counter[tuple[Any, ...]]]:
        """Columns (name in lower case, type) and rows of a table, whose name may be the beginning of one."""
        with open_warehouse(self.settings, read_only=True) as warehouse:
            (name,) = [
                known for known in warehouse.names("LeadScoring") if known.startswith(table) and _whole(known, table)
            ]
            columns = [(column.name.lower(), column.type) for column in warehouse.columns(f"LeadScoring.{name}")]
            found = warehouse.query(f"SELECT * FROM `LeadScoring.{name}`")
        return columns, Counter(tuple(row.values()) for row in found)


def _whole(known: str, table: str) -> bool:
    return known == table or table.endswith("_v6_")


@pytest.fixture(scope="module")
def runs(settings_of: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same world through both engines."""
    made = {}
    for engine in ENGINES:
        folder = tmp_path_factory.mktemp(engine)
        settings = settings_of(engine, folder / "home")
        write_world(settings.data, SPEC, lambda line: None)
        if engine == "bigquery":
            bring_crm(settings, settings.data)
            (settings.data / "Lead.csv").unlink()  # the CRM's table is where they come from
        done = leadscore(
            "run", "--data", settings.data, "--home", settings.home, "--as-of", AS_OF, **variables(settings)
        )
        assert done.returncode == 0, done.stderr
        # The serving copy is made; then there is no model to score by.
        done = leadscore("shadow", "--days", 1, "--home", settings.home, **variables(settings))
        assert done.returncode == 3, done.stderr
        assert "backtest: never built" in done.stderr
        told = leadscore("status", "--home", settings.home, "--json", **variables(settings))
        made[engine] = Run(settings, json.loads(told.stdout))
    return made


def test_every_gate_says_the_same_with_the_same_figure(runs: dict[str, Run]) -> None:
    said = [
        [
            (line["asset"], line["partition"], line["gate"], line["figure"], line["verdict"])
            for line in runs[engine].status
        ]
        for engine in ENGINES
    ]
    assert said[0] == said[1]
    assert len(said[0]) > 60
    assert {line[-1] for line in said[0]} == {"pass", "not applicable"}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_the_same_row_for_row(runs: dict[str, Run], table: str) -> None:
    (columns, rows), (other_columns, other_rows) = (runs[engine].rows(table) for engine in ENGINES)
    assert columns == other_columns
    agreed = {name.lower() for name in contract(TABLES[table]).names}
    assert agreed <= {name for name, _ in columns}
    known = [place for place, (name, _) in enumerate(columns) if name in DIFFERENCES.get(table, ())]
    one, other = (
        Counter(tuple("" if place in known else value for place, value in enumerate(row)) for row in found.elements())
        for found in (rows, other_rows)
    )
    assert len(rows) > 50
    assert one == other
    assert bool(rows != other_rows) == bool(known), "a listed difference is gone: take it off the list"


def test_the_file_of_the_look_up_is_the_same_byte_for_byte(runs: dict[str, Run]) -> None:
    one, other = (
        (runs[engine].settings.model_folders / "serving_advisors_v6_20240331" / "advisors.sqlite").read_bytes()
        for engine in ENGINES
    )
    assert one == other


@pytest.mark.parametrize("key", ["20240107", "20240331"])
def test_a_difference_is_the_emulators_own(runs: dict[str, Run], key: str) -> None:
    """The reference engine, given the same advisors, makes the firms that DuckDB made, and not the emulator's."""
    firms = text("snapshot_firms_YYYYMMDD", "query.sql")
    columns, reps = runs["duckdb"].rows(f"snapshot_reps_{key}")
    table = Table(dict(columns))
    answer = reference().evaluate(firms.sql, {"LeadScoring.reps": table}, {"LeadScoring.reps": list(reps.elements())})
    (_, ours), (_, theirs) = (runs[engine].rows(f"snapshot_firms_{key}") for engine in ENGINES)
    assert Counter(answer.rows) == ours
    assert Counter(answer.rows) != theirs


def test_every_statement_is_one_of_googlesql(runs: dict[str, Run], wire: Proxy) -> None:
    """DDL, ledger and lease included, analysed by the reference engine with BigQuery's rules."""
    found = judged(wire.sent, str(runs["bigquery"].settings.project))
    assert found.refused == []
    assert found.kinds == {"SELECT", "WITH", "INSERT", "UPDATE", "CREATE OR", "CREATE TABLE", "DROP TABLE", "DROP VIEW"}


def test_every_job_is_limited_labelled_and_placed(runs: dict[str, Run], wire: Proxy) -> None:
    project = f"/projects/{runs['bigquery'].settings.project}/"
    jobs = [
        body for method, path, body in wire.sent if method == "POST" and project in path and "configuration" in body
    ]
    real = [job["configuration"] for job in jobs if not job["configuration"].get("dryRun")]
    built = [
        one for one in real if "CREATE OR REPLACE TABLE" in one.get("query", {}).get("query", "") and "labels" in one
    ]
    assert all(int(one["query"]["maximumBytesBilled"]) > 0 for one in real if "query" in one)
    assert {one["labels"]["leadscore_asset"] for one in built if "leadscore_asset" in one["labels"]} == {
        "crm_leads",
        "crm_dials",
        "crm_associates",
        "snapshot_reps",
        "snapshot_firms",
        "step_3_1_staging_join_v6",
        "step_3_3_training_dataset_v6",
        "serving_advisors_v6",
    }
    assert all(
        {"leadscore_run", "leadscore_version"} <= one["labels"].keys()
        for one in built
        if "leadscore_asset" in one["labels"]
    )
    loads = [one["load"] for one in real if "load" in one and "Lead_text" not in str(one)]
    assert len(loads) == 3  # two feeds and the extract, once each
    for load in loads:
        assert {field["type"] for field in load["schema"]["fields"]} == {"STRING"}
        assert (load["autodetect"], load["allowQuotedNewlines"], load["skipLeadingRows"]) == (False, True, "1")
        assert load.get("maxBadRecords", 0) == 0
        assert (load["writeDisposition"], load["encoding"]) == ("WRITE_TRUNCATE", "UTF-8")
    clustered = [one["query"]["query"] for one in built if "CLUSTER BY" in one["query"]["query"]]
    assert any("CLUSTER BY `RepCRD`" in sql for sql in clustered)
    assert not any("`.SavvyGTMData" in sql or "SavvyGTMData.Lead` AS" in sql for sql in clustered)


def test_staging_expires_and_nothing_else_does(runs: dict[str, Run], wire: Proxy) -> None:
    project = f"/projects/{runs['bigquery'].settings.project}/"
    expiring = {
        path.rpartition("/")[2].split("__")[1 if "candidate__" in path else 0]
        for method, path, body in wire.sent
        if method == "PATCH" and project in path and body.get("expirationTime")
    }
    assert all(name.startswith("step_3_1_staging_join_v6") for name in expiring)
    assert expiring


def test_the_changes_of_one_table_are_few(runs: dict[str, Run], wire: Proxy) -> None:
    """BigQuery bounds how often a table may be changed in a day (1,500); one run is far from it."""
    project = f"/projects/{runs['bigquery'].settings.project}/"
    changes = Counter(
        text.split("`")[1]
        for method, path, body in wire.sent
        if method == "POST"
        and project in path
        and not body.get("configuration", {}).get("dryRun")
        and (text := body.get("configuration", {}).get("query", {}).get("query", "")).startswith(("INSERT", "UPDATE"))
    )
    assert changes["LeadScoring.attempt_ledger"] <= 60
    assert changes["LeadScoring.gate_ledger"] <= 20
    assert changes["LeadScoring.warehouse_lease"] <= 10


def test_the_crm_is_only_read(runs: dict[str, Run]) -> None:
    with open_warehouse(runs["bigquery"].settings, read_only=True) as warehouse:
        assert warehouse.names("SavvyGTMData") == ["Lead", "Lead_text"]
        assert "crm_leads_raw" in warehouse.names("LeadScoring")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_again_builds_nothing(runs: dict[str, Run], engine: str) -> None:
    run = runs[engine]
    done = run.again("run", "--data", run.settings.data, "--as-of", AS_OF, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["built"] == []
    assert len(told["recognised"]) == 18


@pytest.mark.prove
@pytest.mark.parametrize("engine", ENGINES)
def test_a_bad_snapshot_stops_the_rest_until_it_is_withdrawn(runs: dict[str, Run], engine: str, tmp_path: Path) -> None:
    run = runs[engine]
    feed = Path(shutil.copytree(run.settings.data, tmp_path / "feed"))
    bad = feed / "RIARepDataFeed_20240707.csv"
    header, *records = (feed / "RIARepDataFeed_20240331.csv").read_text().splitlines()
    place = header.split(",").index("RepCRD")
    fields = records[0].split(",")
    fields[place] = "none"
    bad.write_text("\n".join([header, ",".join(fields), *records[1:]]) + "\n")
    stopped = run.again("run", "--data", feed, "--as-of", AS_OF)
    assert stopped.returncode == 3, stopped.stderr
    assert "reps_crd_valid" in stopped.stderr
    assert run.again("withdraw", bad.name, "--reason", "test").returncode == 0
    done = run.again("run", "--data", feed, "--as-of", AS_OF)
    assert done.returncode == 0, done.stderr


@pytest.mark.prove
@pytest.mark.parametrize("engine", ENGINES)
def test_versions_are_rolled_back_and_collected(runs: dict[str, Run], engine: str) -> None:
    run = runs[engine]
    first = _served(run)
    assert run.again("run", "--data", run.settings.data, "--as-of", AS_OF, "--rebuild").returncode == 0
    second = _served(run)
    assert second != first
    back = run.again("rollback", "--dataset", first, "--by", "me")
    assert back.returncode == 0, back.stderr
    assert _served(run) == first
    refused = run.again("rollback", "--dataset", "x`; DROP TABLE `LeadScoring.crm_leads", "--by", "me")
    assert refused.returncode == 2
    assert run.again("gc", "--keep", "1").returncode == 0
    assert sum(run.rows("v_latest_training_dataset_v6")[1].values()) > 500


@pytest.mark.prove
@pytest.mark.parametrize("engine", ENGINES)
def test_an_extract_is_held_against_the_one_before(runs: dict[str, Run], engine: str, tmp_path: Path) -> None:
    """Also after another one was withdrawn, when the one before is made again of its file (R49)."""
    run, feed = runs[engine], tmp_path / "feed"
    write_world(feed, SPEC, lambda line: None)
    whole = (feed / "Lead.csv").read_bytes()

    def deliver(change: Callable[[list[Row]], object]) -> str:
        (feed / "Lead.csv").write_bytes(whole)
        edit(feed / "Lead.csv", change)
        if engine == "bigquery":
            bring_crm(run.settings, feed)
        # There is no model to score by; the leads are landed first.
        stopped = run.again("shadow", "--data", feed, "--days", 1)
        assert stopped.returncode == 3, stopped.stderr
        return str(stopped.stderr)

    assert " lacks 90 of 900 leads of the extract of " in deliver(without_the_last(10))
    assert "backtest: never built" in deliver(lambda records: more(records, 0, 100))
    assert run.again("withdraw", "Lead.csv", "--reason", "of another team").returncode == 0
    assert " lacks 180 of 900 leads of the extract of " in deliver(without_the_last(20))
    with open_warehouse(run.settings, read_only=True) as warehouse:
        names = [*warehouse.names("LeadScoring"), *warehouse.names("SavvyGTMData")]
    assert not [name for name in names if name.endswith("__before")]


def _served(run: Run) -> str:
    told = run.again("status").stdout
    return told.rpartition("serves version ")[2].split(",")[0]
