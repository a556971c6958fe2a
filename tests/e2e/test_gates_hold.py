"""A gate that failed holds: in its run, in every later one, and for the readers of the promoted view (R32, R38).

Each case runs the same assets that the CLI, the UI and the sensor run, in this process; at the end a few as a user
runs them. What is spoiled to make each gate fail is in gate_cases.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.guard import find_obstacles, guard
from tests.e2e.conftest import AS_OF
from tests.e2e.gate_cases import CASES, FEED, KEY, NO_ADVISOR, OTHER_KEY, WARNING, Case, share
from tests.e2e.process import REPOSITORY, leadscore
from tests.e2e.sabotage import (
    GATES,
    PROMOTED,
    REBUILD,
    Product,
    Ran,
    edit,
    one_of_each_asset,
    require_each_is_made_to_fail,
)

# What no row may know of its future, and what its label is: these are made to fail in every run of the tests.
POINT_IN_TIME = {
    "staging_no_future_snapshot",
    "staging_latest_snapshot",
    "training_no_future_features",
    "training_only_matured",
    "training_labels_agree",
}
EACH = one_of_each_asset(CASES, always=POINT_IN_TIME)


def test_every_gate_of_the_file_has_a_case() -> None:
    """Those of later steps, and of the dials, are in the modules that are named after them."""
    elsewhere = {"crm_associates", "crm_dials"}
    mine = {
        name: gate
        for name, gate in GATES.items()
        if not gate["step"].startswith(("4.", "5.", "6.1")) and gate["asset"] not in elsewhere
    }
    blocking = [name for name, gate in mine.items() if gate.get("severity", "error") == "error"]
    assert len(CASES) == len(blocking)
    require_each_is_made_to_fail(EACH, set(blocking))
    assert [WARNING.gate] == [name for name in mine if name not in blocking]


@pytest.mark.parametrize("case", EACH)
def test_gate_holds(case: Case, product: Product) -> None:
    asset = GATES[case.gate]["asset"]
    place = (asset, KEY if product.is_partitioned(asset) else None)
    version, rows = product.served()

    with case.spoil.done_to(product) as warehouse:
        published = contents(product, place)
        ran = product.run_from(case.start or asset, KEY, REBUILD, warehouse)
        stops(case, asset, product, ran)
        assert contents(product, place) == published
        refuses_downstream(case, asset, product)
        # (c) Readers of the promoted view notice nothing.
        assert product.served() == (version, rows)

    # (d) The data is mended: the asset is published, and its gate holds nothing back any more.
    mended = product.run_from(case.mend or case.start or asset, KEY, REBUILD, until=asset)
    assert mended.stops == []
    assert mended.materialized[-1] == asset
    for name in product.after(asset):
        held = find_obstacles(product.ledger, name, KEY if product.is_partitioned(name) else None)
        assert case.gate not in str(held)


# Runs of what follows an asset are the same for all of its gates.
@pytest.mark.parametrize("case", one_of_each_asset(CASES))
def test_what_follows_refuses_to_run_and_proceeds_once_the_data_is_mended(case: Case, product: Product) -> None:
    asset = GATES[case.gate]["asset"]
    version, rows = product.served()
    with case.spoil.done_to(product) as warehouse:
        assert product.run_from(case.start or asset, KEY, REBUILD, warehouse).stops
        refuses_a_run(case, asset, product)
    first = case.mend or case.start or asset
    mended = product.run_from(first, KEY, REBUILD)
    assert mended.stops == []
    assert mended.materialized[-1] == PROMOTED
    newer, mended_rows = product.served()
    assert mended_rows == rows
    assert newer == product.ledger.latest("step_3_3_training_dataset_v6").version
    # The set is a new version where it was built again; made from the same mended input it is recognised (R39).
    assert (newer != version) == (not product.is_partitioned(first) and first not in ("crm_leads", PROMOTED))


def contents(product: Product, place: tuple[str, str | None]) -> dict[str, object]:
    """What the published names of a place serve: which attempt, and a digest of the rows."""
    names = {name: attempt.key for name, attempt in product.ledger.published().items() if attempt.place == place}
    digest = "SELECT COUNT(*), SUM(hash(published)::HUGEINT) FROM {} AS published"
    with product.open_by_hand(read_only=True) as connection:
        return {name: (key, connection.execute(digest.format(name)).fetchone()) for name, key in names.items()}


def stops(case: Case, asset: str, product: Product, ran: Ran) -> None:
    """(a) The run stops with exit code 3, the gate's name, figure and report; nothing from there on is published."""
    assert ran.failed_checks == {case.gate, *case.also}
    (stop,) = ran.stops
    assert stop.exit_code == 3
    assert case.gate in stop.message
    assert GATES[case.gate].get("companion", GATES[case.gate])["figure"] in stop.message
    assert stop.report is not None
    assert f"`{case.gate}`" in stop.report.read_text()
    assert "🛑 FAILED" in stop.report.read_text()
    assert not {asset, *product.after(asset)} & set(ran.materialized)


def refuses_downstream(case: Case, asset: str, product: Product) -> None:
    """(b) The guard lets no asset after it start; what does not come from there may."""
    following, ledger = product.after(asset), product.ledger
    for name in following:
        with pytest.raises(GateBlocked, match=case.gate):
            guard(ledger, name, KEY if product.is_partitioned(name) else None)
    if product.is_partitioned(asset):
        others = [name for name in following if product.is_partitioned(name)]
        assert not any(find_obstacles(ledger, name, OTHER_KEY) for name in others)


def refuses_a_run(case: Case, asset: str, product: Product) -> None:
    """(b) A run of what follows asks the guard, and stops as the first one did.

    Without anything after it, the asset itself: what was judged is recognised, and fails as before. What is made day by
    day is no run of a snapshot; that the guard holds it is seen above.
    """
    following = [name for name in product.after(asset) if not product.is_daily(name)]
    for name in {following[0], following[-1]} if following else {asset}:
        later = product.materialize([name], KEY)
        (refusal,) = later.stops
        assert refusal.exit_code == 3
        assert case.gate in refusal.message
        assert later.materialized == []


def test_a_gate_that_warns_is_told_and_stops_nothing(product: Product) -> None:
    version, _ = product.served()
    with WARNING.spoil.done_to(product) as warehouse:
        ran = product.run_from(WARNING.start, KEY, {}, warehouse)
    assert ran.stops == []
    warned = {name for name, check in ran.checks.items() if not check.passed}
    assert warned == {WARNING.gate}
    assert ran.checks[WARNING.gate].severity is dg.AssetCheckSeverity.WARN
    newer, rows = product.served()
    assert newer != version
    assert NO_ADVISOR in {row[1] for row in rows}
    report = product.settings.artifacts / f"step_3_1_staging_join_report_v6_{newer}.md"
    line, advice = [line for line in report.read_text().splitlines() if f"`{WARNING.gate}`" in line]
    assert "warn" in line
    assert advice == f"**`{WARNING.gate}`**"  # what to do about it


def test_a_waiver_publishes_what_was_judged_and_shows_in_every_report_after_it(product: Product, feed: Path) -> None:
    version, _ = product.served()
    edit(feed / FEED, share("NumberFirmAssociations", "many", 1))
    product.run_from("snapshot_reps_raw", KEY, {})
    failed = product.ledger.latest("snapshot_reps", KEY)
    who = ("--by", "Ann", "--reason", "vendor knows", "--expires", "2999-12-31")
    waived = leadscore("waive", "reps_typing_losses", "--attempt", failed.key, "--home", product.settings.home, *who)
    assert waived.returncode == 0, waived.stderr

    ran = product.run_from("snapshot_reps_raw", KEY, {})
    assert ran.stops == []
    # The check still tells of the failure, without stopping the run.
    assert not ran.checks["reps_typing_losses"].passed
    assert ran.failed_checks == set()
    assert product.ledger.serving(f"LeadScoring.snapshot_reps_{KEY}").key == failed.key
    newer, _ = product.served()
    assert newer != version
    artifacts = product.settings.artifacts
    own = (artifacts / KEY / "step_1_5_validation_report.md").read_text()
    assert "PUBLISHED UNDER A WAIVER** - reps_typing_losses" in own
    assert "waived by Ann until 2999-12-31: vendor knows" in own
    later = [
        artifacts / KEY / "step_1_6_validation_report.md",
        artifacts / f"step_3_1_staging_join_report_v6_{newer}.md",
        artifacts / f"step_3_3_class_imbalance_analysis_v6_{newer}.md",
    ]
    for report in later:
        assert f"snapshot_reps {KEY}: `reps_typing_losses` by Ann until 2999-12-31: vendor knows" in report.read_text()


# --- as a user runs it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Blocked:
    """A home in which the corrected newest snapshot failed its gate of typing losses."""

    feed: Path
    home: Path
    said: subprocess.CompletedProcess[str]

    def dagster(self, asset: str, *more: str) -> subprocess.CompletedProcess[str]:
        """`dagster asset materialize` in a shell where `leadscore env` was evaluated."""
        told = leadscore("env", "--home", self.home).stdout.splitlines()
        variables = dict(line.removeprefix("export ").split("=", 1) for line in told)
        command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "leadscore_v6.definitions"]
        return subprocess.run(
            [*command, "--select", asset, *more],
            cwd=REPOSITORY,
            env={**os.environ, **variables, "LEADSCORE_DATA": str(self.feed)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def blocked(world: Path, finished_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Blocked:
    folder = tmp_path_factory.mktemp("blocked")
    feed, home = (Path(shutil.copytree(whole, folder / whole.name)) for whole in (world, finished_home))
    edit(feed / FEED, share("NumberFirmAssociations", "many", 1))
    return Blocked(feed, home, leadscore("run", "--data", feed, "--home", home, "--as-of", AS_OF))


def test_the_command_ends_with_3_and_names_gate_figure_threshold_and_report(blocked: Blocked) -> None:
    said = blocked.said
    assert said.returncode == 3
    # One row in a hundred was spoiled; the share is of the filled values.
    told = re.search(r"reps_typing_losses \(step 1.5\): worst_typing_loss (0\.\d+); must be <= 0.005", said.stderr)
    assert told is not None
    assert 0.009 < float(told[1]) < 0.02
    report = re.search(r"report: (.+)", said.stderr)
    assert report is not None
    assert "🛑 FAILED** - reps_typing_losses" in Path(report[1]).read_text()
    assert Path(report[1]).is_relative_to(blocked.home / "artifacts/failed")


def test_status_shows_what_failed(blocked: Blocked) -> None:
    shown = leadscore("status", "--home", blocked.home)
    assert shown.returncode == 0
    (line,) = [line for line in shown.stdout.splitlines() if "FAIL" in line]
    assert line.split()[:3] == ["1.5", "FAIL", "reps_typing_losses"]
    lines = json.loads(leadscore("status", "--home", blocked.home, "--json").stdout)
    (failed,) = [line for line in lines if line["verdict"] == "fail"]
    assert (failed["gate"], failed["partition"], failed["threshold"]) == ("reps_typing_losses", KEY, "<= 0.005")


@pytest.mark.parametrize(
    ("asset", "partition"),
    [
        pytest.param("snapshot_firms", ["--partition", KEY], id="nearest", marks=pytest.mark.prove),
        pytest.param(PROMOTED, [], id="farthest"),
    ],
)
def test_dagsters_own_command_refuses_what_follows(blocked: Blocked, asset: str, partition: list[str]) -> None:
    refused = blocked.dagster(asset, *partition)
    assert refused.returncode != 0
    assert f"{asset} may not start" in refused.stderr
    assert "reps_typing_losses (step 1.5): worst_typing_loss" in refused.stderr


def test_a_mended_file_lets_the_command_through(blocked: Blocked, world: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(blocked.home, tmp_path / "home"))
    done = leadscore("run", "--data", world, "--home", home, "--as-of", AS_OF)
    assert done.returncode == 0, done.stderr
    assert "FAIL" not in leadscore("status", "--home", home).stdout
