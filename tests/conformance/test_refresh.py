"""The quarterly refresh by command on both engines: a ninth quarter, a challenger, and the same written decision.

BigQuery is given what a deployment sees: the new quarter's file alone, and the CRM's tables, which know more by now.
The champion's shadow days and the programme's go are claimed, as in tests/e2e/test_refresh.py: that they are the same
on both engines test_programme.py proves. The challenger's shadow days are real.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.models import folder_of
from leadscore_v6.refresh_sensor import _days_of_extract
from tests.conformance.both import Both
from tests.conformance.conftest import ENGINES, MakeSettings, bring_crm, variables
from tests.conformance.test_phase1 import MEANS
from tests.conformance.test_programme import MEASURED
from tests.e2e.model_world import Modelled
from tests.e2e.refresh_world import NINTH, Home, archive, go_on, quiet, run_past_gates
from tests.gates.later_steps import reigning

pytestmark = pytest.mark.prove

BY = ("--by", "Ann")
SCORES = "production_scores_v6"
# A training set is called after the minute in which a home made it; its digest, and those of what is made from it, are
# taken over that name too.
OWN = ("dataset_version", "dataset_digest", "model_digest")
# Columns left out: what measures time, and what is the emulator's own (test_phase1.py).
TABLES: Mapping[str, tuple[str, ...]] = {
    "crm_leads": (),
    "crm_dials": (),
    "snapshot_reps_20260104_raw": (),
    "snapshot_reps_20260104": (),
    "snapshot_firms_20260104": MEANS,
    "v_latest_training_dataset_v6": (),
    "serving_advisors_v6": (),
    "shadow_scores_v6": ("latency_ms", *OWN),
}


@dataclass(frozen=True)
class Pair:
    """The world, and both homes as tests/e2e/refresh_world.py has them, DuckDB's first."""

    both: Both
    homes: tuple[Home, Home]


@pytest.fixture(scope="module")
def crowned(modelled: Modelled, settings_of: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Eight quarters, and their model is champion."""
    folder = tmp_path_factory.mktemp("refresh")
    both = Both(modelled, *(settings_of(engine, folder / engine / "home") for engine in ENGINES))
    both.cloud.do("train")
    ours, theirs = (Home(side.settings.home.parent, variables(side.settings)) for side in both.sides)
    for home in (ours, theirs):
        home.crown()
    return Pair(both, (ours, theirs))


@pytest.fixture(scope="module")
def refreshed(crowned: Pair) -> Pair:
    """A ninth quarter, and one refresh on the younger half of the leads."""
    ours, theirs = crowned.homes
    go_on(ours, 11)
    archive(ours, date(2024, 8, 1))
    bring_crm(crowned.both.cloud.settings, ours.feed)
    shutil.copy(ours.feed / NINTH, theirs.feed)
    for home in crowned.homes:
        run_past_gates(home, command=("refresh", *BY))
    return crowned


@pytest.fixture(scope="module")
def scored(refreshed: Pair) -> Pair:
    """The champion's scores of the extract's day."""
    refreshed.both.do("score")
    return refreshed


def test_one_champion_serves_before(crowned: Pair) -> None:
    (champion,) = {home.serving() for home in crowned.homes}
    assert [home.versions() for home in crowned.homes] == [[champion], [champion]]


def test_every_gate_says_the_same_with_the_same_figure(refreshed: Pair) -> None:
    ours, theirs = (
        {place: said for place, said in side.gates().items() if place[2] not in MEASURED}
        for side in refreshed.both.sides
    )
    assert ours == theirs
    assert {partition for asset, partition, _ in ours if asset == "snapshot_reps"} >= {"20251005", "20260104"}
    assert "shadow_scoring" in {asset for asset, *_ in ours}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_the_same_row_for_row(refreshed: Pair, table: str) -> None:
    ours, theirs = (side.rows(table, TABLES[table]) for side in refreshed.both.sides)
    assert ours[1]
    assert ours == theirs


def test_the_challenger_is_the_same_byte_for_byte(refreshed: Pair) -> None:
    """All files of its folders but the manifests, without the digests in them and the training set's name (see OWN)."""
    ours, theirs = (_files(home) for home in refreshed.homes)
    assert ours == theirs
    assert {Path(name).suffix for name in ours} == {".ubj", ".pkl", ".json", ".csv"}


def _files(home: Home) -> dict[str, bytes]:
    challenger, folders = home.models()[-1], FolderStore(home.settings.model_folders)
    found = {}
    for attempt in (challenger.trained, challenger.calibrated):
        assert attempt is not None
        own = re.compile(rb"\b[0-9a-f]{64}\b|\b" + str(attempt.facts["dataset_version"]).encode() + rb"\b")
        for file in sorted(folders.path(folder_of(attempt)).glob("*_v6_*")):
            found[file.name] = own.sub(b"", file.read_bytes())
    return found


def test_the_decision_is_written_and_the_same(refreshed: Pair) -> None:
    ours, theirs = refreshed.homes
    first, second = ours.versions()
    assert theirs.versions() == [first, second]
    assert (ours.serving(), theirs.serving()) == (first, first)
    page = ours.page(second)
    assert theirs.page(second) == page
    assert page.splitlines()[4].startswith("**🛑 the champion stays.**")
    assert "shadow scoring shows no degradation" in page


def test_the_ledger_of_models_tells_the_same(refreshed: Pair) -> None:
    listed = [json.loads(home("model", "list", "--json").stdout) for home in refreshed.homes]
    ours, theirs = ([{**model, "dataset": "", "trained_at": ""} for model in models] for models in listed)
    assert ours == theirs
    pages = [_timeless(side.artifact("production_model_v6.md")) for side in refreshed.both.sides]
    assert pages[0] == pages[1]
    assert all(model["version"] in pages[0] for model in ours)


def _timeless(page: str) -> str:
    """Without the minutes in which this was done."""
    return re.sub(r"\d{8}_\d{4}\b|\d{4}-\d\d-\d\d \d\d:\d\d", "…", page)


def test_the_same_delivery_again_is_known_and_decides_the_same(refreshed: Pair) -> None:
    home = refreshed.homes[1]
    before, page = home.versions(), home.page(home.versions()[-1])
    again = home("refresh", *BY)
    assert again.returncode == 0, again.stderr
    assert home.versions() == before
    assert home.page(before[-1]) == page


def test_the_sensor_asks_for_the_days_of_the_same_extract(refreshed: Pair) -> None:
    """All that it reads of a warehouse; eleven weeks after the world's first extract."""
    ours, theirs = (_days_of_extract(home.settings) for home in refreshed.homes)
    assert ours == theirs == [f"202601{day}" for day in range(14, 21)]


def test_the_champions_scores_are_the_same(scored: Pair) -> None:
    ours, theirs = (side.rows(SCORES, OWN) for side in scored.both.sides)
    assert len(ours[1]) > 10_000
    assert ours == theirs


def test_rolled_back_the_scores_are_what_they_were(scored: Pair) -> None:
    """Issue 6, done when 4, on BigQuery. That the challenger served in between is claimed."""
    home, side = scored.homes[1], scored.both.cloud
    first, second = home.versions()
    before = side.rows(SCORES)
    with open_bench(home.settings, "test", quiet) as bench:
        reigning(bench, second)
    side.do("score")
    assert side.rows(SCORES) != before
    side.do("rollback", "--model", first, "--by", "Bob", "--reason", "slow")
    side.do("score")
    assert side.rows(SCORES) == before
