"""Dagster's UI on a finished home, as `leadscore ui` opens it: what it shows, and that its launches are gated.

A browser shows what the GraphQL API says; the tests ask the API.
"""

from __future__ import annotations

import base64
import csv
import json
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.conftest import AS_OF
from tests.e2e.process import leadscore
from tests.e2e.serving_ui import serving

ENDS_WITHIN = 240.0  # seconds, on a machine that is busy with other tests
SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "leadscore_v6.definitions"}


@dataclass(frozen=True)
class Ui:
    """A running `leadscore ui`, its home and the folder that it watches."""

    url: str
    home: Path
    feed: Path

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer to a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self.url + "/graphql", body, {"content-type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own server on loopback
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        return told["data"]

    def launch(self, job: str, tags: dict[str, str], options: dict[str, str]) -> str:
        """Launch a job as the UI's button does; its run's id."""
        parameters = {
            "selector": {**SELECTOR, "jobName": job},
            "runConfigData": json.dumps({"resources": {"options": {"config": options}}}),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        answer = self.ask(LAUNCH, parameters=parameters)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def outcome(self, run_id: str) -> tuple[str, str]:
        """How a run ended, and what its failed steps say."""
        deadline = time.monotonic() + ENDS_WITHIN
        while time.monotonic() < deadline:
            run = self.ask(RUN, id=run_id)["runOrError"]
            if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
                events = run["eventConnection"]["events"]
                return run["status"], "\n".join(
                    event["failureMetadata"]["description"] for event in events if event.get("failureMetadata")
                )
            time.sleep(0.5)
        pytest.fail(f"the run did not end within {ENDS_WITHIN:.0f} s")

    def assets(self) -> dict[str, dict[str, Any]]:
        """What the UI knows of each asset."""
        return {node["assetKey"]["path"][-1]: node for node in self.ask(ASSETS)["assetNodes"]}

    def built(self) -> dict[str, dict[str, Any]]:
        """Those that the finished home was run through: it ends before the model."""
        ran = set().union(*(GROUPS[group] for group in ("leads", "snapshots", "vintages", "training_set")))
        return {name: node for name, node in self.assets().items() if name in ran}

    def promoted(self) -> list[tuple[Any, ...]]:
        """Rows and owners in the promoted view."""
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as connection:
            sql = "SELECT COUNT(*), SUM(Is_Owner) FILTER (rep_snapshot_at = '2024-01-07')"
            return connection.execute(f"{sql} FROM LeadScoring.v_latest_training_dataset_v6").fetchall()


GROUPS = {
    "leads": {"crm_leads", "crm_dials", "crm_associates"},
    "snapshots": {"snapshot_reps_raw", "snapshot_reps", "snapshot_firms"},
    "vintages": {"snapshot_schemas", "v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"},
    "training_set": {"step_3_1_staging_join_v6", "step_3_3_training_dataset_v6", "v_latest_training_dataset_v6"},
    "model": {"trained_model", "calibrated_model", "backtest"},
    "shadow": {"serving_advisors_v6", "shadow_scores_v6", "shadow_scoring"},
    "experiment": {
        "ab_test_power_analysis_v6",
        "ab_test_assignments_v6",
        "ab_test_queue_v6",
        "ab_test_daily_metrics_v6",
        "ab_test_interim_analysis_v6",
        "ab_test_final_analysis_v6",
    },
    "production": {"production_scores_v6", "class_balance_v6", "feature_drift_v6", "model_performance_v6"},
}
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
LAUNCH = """mutation($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
RUN = """query($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status
      eventConnection { events { ... on ExecutionStepFailureEvent { failureMetadata { description } } } }
    }
  }
}"""
ASSETS = """{
  assetNodes {
    assetKey { path }
    groupName
    staleStatus
    assetChecksOrError { ... on AssetChecks { checks {
      name
      blocking
      executionForLatestMaterialization {
        status
        runId
        evaluation {
          severity
          targetMaterialization { runId }
          metadataEntries { label ... on MarkdownMetadataEntry { mdStr } }
        }
      }
    } } }
    assetMaterializations(limit: 1) {
      runId
      metadataEntries {
        label
        ... on MarkdownMetadataEntry { mdStr }
        ... on PathMetadataEntry { path }
        ... on IntMetadataEntry { intValue }
      }
    }
  }
}"""


@pytest.fixture(scope="module")
def ui(finished_home: Path, world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`leadscore ui` on a copy of the finished home; gone with all its children at the end."""
    folder = tmp_path_factory.mktemp("ui")
    home, feed = Path(shutil.copytree(finished_home, folder / "home")), Path(shutil.copytree(world, folder / "feed"))
    with serving(home, feed, folder / "log") as url:
        yield Ui(url, home, feed)


def owners_made(feed: Path, original: Path, crd_of_row_3: str | None) -> None:
    """The older file again: nobody owns a firm; the advisor in row 3 gets another CRD if one is given."""
    name = "RIARepDataFeed_20240107.csv"
    with (original / name).open(newline="") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        row["Owner"] = "No"
    if crd_of_row_3:
        rows[3]["RepCRD"] = crd_of_row_3
    with (feed / name).open("w", newline="") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_it_shows_the_graph_in_groups_with_every_check_passed(ui: Ui) -> None:
    assets = ui.assets()
    groups = {group: {name for name, node in assets.items() if node["groupName"] == group} for group in GROUPS}
    assert groups == GROUPS
    checks = [check for node in ui.built().values() for check in node["assetChecksOrError"]["checks"]]
    assert len(checks) > 40
    assert {check["executionForLatestMaterialization"]["status"] for check in checks} == {"SUCCEEDED"}
    # Nothing is marked as made by other code or from other data than what is there now.
    assert {node["staleStatus"] for node in ui.built().values()} == {"FRESH"}


def test_checks_are_shown_with_the_table_that_they_judged(ui: Ui) -> None:
    for node in ui.built().values():
        (materialized,) = node["assetMaterializations"]
        for check in node["assetChecksOrError"]["checks"]:
            run = check["executionForLatestMaterialization"]
            assert run["runId"] == materialized["runId"], check["name"]
            assert run["evaluation"]["targetMaterialization"]["runId"] == materialized["runId"], check["name"]


def test_every_asset_shows_its_report_as_the_file_has_it(ui: Ui) -> None:
    for name, node in ui.built().items():
        (materialized,) = node["assetMaterializations"]
        entries = {entry["label"]: entry for entry in materialized["metadataEntries"]}
        report = entries["report"]["mdStr"]
        assert report.startswith("# Step "), name
        assert "STATUS: ✅ SUCCESS" in report
        assert "SYNTHETIC DATA" in report, name
        # The path is that of the home in which it was built; this one is a copy.
        file = ui.home / "artifacts" / entries["report_path"]["path"].partition("/artifacts/")[2]
        text = file.read_text()
        assert PICTURE.sub("", report) in PICTURE.sub("", text)
        # A picture is in the page itself, and beside the file.
        beside = [base64.b64encode((file.parent / name).read_bytes()).decode() for name in PICTURE.findall(text)]
        assert [shown.removeprefix("data:image/png;base64,") for shown in PICTURE.findall(report)] == beside


@pytest.mark.prove
def test_launched_runs_go_through_and_are_gated(ui: Ui, world: Path) -> None:
    ((rows, owners),) = ui.promoted()
    assert owners > 0
    older = {"dagster/partition": "20240107"}

    # A corrected file: its snapshot, then everything from all snapshots to the promoted view.
    owners_made(ui.feed, world, crd_of_row_3=None)
    assert ui.outcome(ui.launch("snapshot", older, {})) == ("SUCCESS", "")
    assert ui.outcome(ui.launch("training_set", {}, {"as_of": AS_OF})) == ("SUCCESS", "")
    assert ui.promoted() == [(rows, 0)]

    # One that misses its gate: the check fails with its report, and what follows is refused in a later run.
    owners_made(ui.feed, world, crd_of_row_3="none")
    status, message = ui.outcome(ui.launch("snapshot", older, {}))
    assert status == "FAILURE"
    assert "reps_crd_valid" in message
    failed = {
        check["name"]: check["executionForLatestMaterialization"]
        for check in ui.assets()["snapshot_reps"]["assetChecksOrError"]["checks"]
        if check["executionForLatestMaterialization"]["status"] == "FAILED"
    }
    assert set(failed) == {"reps_crd_valid", "reps_match_contract"}  # a CRD that is none is NULL, where none may be
    evaluation = failed["reps_crd_valid"]["evaluation"]
    assert evaluation["severity"] == "ERROR"
    (report,) = [entry["mdStr"] for entry in evaluation["metadataEntries"] if entry["label"] == "report"]
    assert "STATUS: 🛑 FAILED" in report

    status, message = ui.outcome(ui.launch("training_set", {}, {"as_of": AS_OF}))
    assert status == "FAILURE"
    assert "may not start" in message
    assert "reps_crd_valid" in message
    assert ui.promoted() == [(rows, 0)]


def test_a_file_is_no_folder_to_watch(tmp_path: Path) -> None:
    (tmp_path / "Lead.csv").write_text("Id")
    refused = leadscore("ui", "--home", tmp_path / "home", "--data", tmp_path / "Lead.csv")
    assert refused.returncode == 2
    assert "Lead.csv is a file" in refused.stderr
