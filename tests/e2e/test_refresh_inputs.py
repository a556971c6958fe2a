"""What a refresh is given and should not be: each has its word, and the champion serves on.

A champion missing or altered and a second refresh before the first has begun are in test_champion.py; a log of dials
that begins elsewhere in test_dials.py; a file of a day that has not come, or cannot be read, in test_bad_input.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from pathlib import Path

import duckdb
import pytest

from leadscore_v6.gates.champions import reigns
from leadscore_v6.gates.models import TRAINED
from leadscore_v6.warehouse.lease import holder
from tests.e2e.model_world import Modelled
from tests.e2e.refresh_world import NINTH, Home, copied, go_on, run_past_gates
from tests.e2e.sabotage import Row, edit
from tests.e2e.test_faults import start

BY = ("--by", "Ann")
TENURE = "DateOfHireAtCurrentFirm_NumberOfYears"
NOWHERE = "GU"
Raced = tuple[Home, subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def delivered(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Eight quarters and their champion; a ninth was delivered, with leads that matured after it. Copy it."""
    home = copied(modelled, tmp_path_factory.mktemp("inputs") / "delivered")
    go_on(home, 17, weekly=250)
    assert (home.feed / NINTH).exists()
    return home


@pytest.fixture
def own(delivered: Home, tmp_path: Path) -> Home:
    return copy_of(delivered, tmp_path)


@pytest.fixture(scope="module")
def refreshed(delivered: Home, tmp_path_factory: pytest.TempPathFactory) -> Raced:
    """Refreshed, which the challenger won, and what a second refresh was told that began meanwhile. Copy it."""
    home = copy_of(delivered, tmp_path_factory.mktemp("inputs"))
    done: list[str] = []
    first = threading.Thread(target=lambda: done.append(run_past_gates(home, command=("refresh", *BY))))
    first.start()
    while holder(home.settings.home) is None and first.is_alive():
        time.sleep(0.05)
    second = home("refresh", "--by", "Bob", LEADSCORE_LEASE_WAIT_SECONDS="0")
    first.join()
    assert len(done) == 1
    return home, second


def copy_of(home: Home, folder: Path) -> Home:
    return Home(Path(shutil.copytree(home.folder, folder / "own")))


def change(home: Home, file: str, column: str, value: str, every: int) -> None:
    """Put a value into a column of every so many records of a feed."""

    def put(records: list[Row]) -> None:
        for record in records[::every]:
            record[column] = value

    edit(home.feed / file, put)


def pinned(home: Home, dataset: str, file: str) -> str:
    """The digest under which a training set's manifest has a file."""
    name = f"step_3_3_training_dataset_manifest_v6_{dataset}.json"
    manifest = json.loads((Path(str(home.settings.artifacts)) / name).read_text())
    (digest,) = [one["sha256"] for one in manifest["files"] if one["name"] == file]
    return str(digest)


def test_of_two_refreshes_at_once_one_decides_and_the_other_names_it(refreshed: Raced) -> None:
    home, second = refreshed
    assert second.returncode == 2
    assert "refresh --by Ann" in second.stderr
    _, challenger = home.versions()
    assert home.serving() == challenger
    assert "Asked for by Ann." in home.page(challenger)


def test_two_refreshes_that_wait_for_one_another_make_one_decision(delivered: Home, tmp_path: Path) -> None:
    """Both begin at once and neither is turned away: one holds the warehouse at a time, and what it decides stands."""
    home = copy_of(delivered, tmp_path)
    run_past_gates(home, command=("run", "--through", "shadow"))
    first, challenger = home.versions()
    both = {
        by: start(
            *("-m", "leadscore_v6.cli", "refresh", "--by", by),
            *("--data", home.feed, "--home", home.settings.home),
            LEADSCORE_LEASE_WAIT_SECONDS="1800",
        )
        for by in ("Ann", "Bob")
    }
    said = {}
    for by, process in both.items():
        said[by], stderr = process.communicate(timeout=1800)
        assert process.returncode == 0, stderr
    (decided,) = [by for by, told in said.items() if f"Model {challenger}: promoted." in told]
    (other,) = set(both) - {decided}
    assert f"Model {challenger}: stands." in said[other]
    assert f"promoted by {decided}" in said[other]
    assert [(reign.version, reign.by) for reign in reigns(home.ledger)] == [(first, "Ann"), (challenger, decided)]
    assert f"Asked for by {decided}." in home.page(challenger)


def test_a_column_that_is_missing_is_refused_by_name_and_withdrawn_the_champion_scores_on(own: Home) -> None:
    def without(records: list[Row]) -> None:
        for record in records:
            del record[TENURE]

    path = own.feed / NINTH
    edit(path, without)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0].replace(f",{TENURE}", ""), *lines[1:]]))
    before = own.versions()
    refused = own("refresh", *BY)
    assert refused.returncode == 2
    assert NINTH in refused.stderr
    assert TENURE in refused.stderr
    assert own.versions() == before
    assert own.serving() == before[0]
    # What was refused holds what follows, in later runs too, until it is mended or taken back (R32, R38).
    held = own("score")
    assert held.returncode == 3
    assert TENURE in held.stderr
    assert own("withdraw", NINTH, "--reason", "a column is missing").returncode == 0
    assert own("score").returncode == 0


def test_a_column_that_went_blank_stops_the_challenger_and_a_state_never_seen_is_counted(own: Home) -> None:
    change(own, NINTH, TENURE, "", every=1)
    change(own, NINTH, "Office_State", NOWHERE, every=3)
    first = own.serving()
    # What a small world's model misses before is waived.
    while (done := own("refresh", *BY)).returncode == 3 and "shadow_features_available" not in done.stderr:
        assert own.waive_what_stopped(), done.stderr
    assert done.returncode == 3, done.stdout
    page = own.page(own.versions()[-1])
    assert "shadow_features_available" in page
    assert own.serving() == first
    # The state is none of training's levels: leads of it are scored without one, and counted.
    assert own.ledger.latest(TRAINED).facts["unseen_levels"]["Branch_State"] > 10


def test_a_file_corrected_after_training_makes_another_challenger_and_the_old_one_keeps_its_file(
    refreshed: Raced, tmp_path: Path
) -> None:
    home = copy_of(refreshed[0], tmp_path)
    champion, file = home.serving(), "RIARepDataFeed_20251005.csv"
    change(home, file, TENURE, "1.5", every=5)
    run_past_gates(home, command=("refresh", *BY))
    _, before, after = home.models()
    assert before.version == champion == home.serving()
    digests = [pinned(home, model.trained.facts["dataset_version"], file) for model in (before, after)]
    assert digests[0] != digests[1]
    assert f"{champion} stays" in home.page(after.version)


def test_an_as_of_before_the_last_one_sees_no_later_day_and_unseats_nobody(
    refreshed: Raced, tmp_path: Path
) -> None:
    home = copy_of(refreshed[0], tmp_path)
    champion = home.serving()
    run_past_gates(home, "--as-of", "2025-12-15", command=("refresh", *BY))
    *_, model = home.models()
    assert model.version != champion
    assert model.trained.facts["as_of"] == "2025-12-15"
    assert max(block["to"] for block in model.trained.facts["blocks"]) <= "2025-11-15"
    assert home.serving() == champion


def test_a_former_champion_whose_training_set_has_expired_is_not_rolled_back_to(
    refreshed: Raced, tmp_path: Path
) -> None:
    home = copy_of(refreshed[0], tmp_path)
    first, second = home.versions()
    (dataset,) = [model.trained.facts["dataset_version"] for model in home.models() if model.version == first]
    with duckdb.connect(str(home.settings.warehouse_file)) as connection:
        connection.execute(f"DROP TABLE LeadScoring.step_3_3_training_dataset_v6_{dataset}")
    refused = home("rollback", "--model", first, "--by", "Bob", "--reason", "slow")
    assert refused.returncode == 2
    assert f"The training set of model {first} has expired" in refused.stderr
    assert "Restore it from a backup" in refused.stderr
    assert home.serving() == second
