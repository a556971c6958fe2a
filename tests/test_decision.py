"""The pages of a decision: what must be known of the model that serves, and a refresh that was broken off is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.cli import cli
from leadscore_v6.decision import Refreshed, decide, decision_page
from leadscore_v6.gates.caveats import caveats
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.decisions import Waiver, waive
from leadscore_v6.gates.models import KnownModel
from leadscore_v6.reports.production_model import PAGE
from tests.champion_home import champion_home
from tests.gates.conftest import KEY, TODAY, Lab
from tests.gates.later_steps import reigning
from tests.gates.test_champions import serving, validated


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Lab]:
    """A home with a champion."""
    yield from champion_home(tmp_path)


def read(home: Lab, name: str) -> str:
    return ArtifactStore(home.settings.artifacts).read(name).decode()


def again(home: Lab) -> Refreshed:
    """The decision about the newest model, asked for in a process of its own."""
    return decide(home.bench(), home.settings, "Cy", lambda _line: None)


def test_the_page_of_what_serves_tells_what_every_page_of_production_tells(home: Lab) -> None:
    failed = home.attempt("snapshot_reps", KEY, "b", loss=0.5).attempt
    waive(home.bench(), Waiver("reps_losses", failed.key, "Bob", "a known loss", TODAY + timedelta(days=9)))
    home.run(snapshot_reps="b", step_3_1_staging_join_v6="b")
    version = validated(home, "new trees").version
    reigning(home.bench(), version)
    asked = ["withdraw", "Lead.csv", "--reason", "half of it", "--home", str(home.settings.home)]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    ledger = home.bench().ledger
    # The command has a clock of its own, and this extract has no day.
    as_of = ledger.newest["at"].date()
    page, known = read(home, PAGE), caveats(ledger, champion(ledger), as_of)
    # Its training set is as of 2024-05-05.
    assert ["quarters" in known[0], "half of it" in known[1], "by Bob until" in known[2]] == [True] * 3
    assert [line for line in known if f"> - {line}" not in page] == []
    assert f"As of {as_of}." in page


def assert_stands(done: Refreshed, version: str, page: str) -> None:
    """What is told where nothing was delivered that makes another model."""
    assert (done.report.outcome, done.report.challenger, done.report.champion) == ("stands", version, version)
    assert "it serves since 2026-01-05 10:30, promoted by Ann" in done.report.headline
    assert Path(str(done.path)).name == page


def refreshed(home: Lab) -> KnownModel:
    """Another model that took the place by R31."""
    old = champion(home.bench().ledger).version
    model = serving(home, "new trees")
    assert champion(home.bench().ledger).version == model.version != old
    return model


def test_a_decision_that_was_broken_off_after_its_line_is_written_when_it_is_asked_for_again(home: Lab) -> None:
    old = champion(home.bench().ledger).version
    # The first one was a person's decision: there is no comparison to tell of.
    assert_stands(again(home), old, PAGE)
    assert not (home.settings.artifacts / decision_page(old)).exists()
    page = decision_page(refreshed(home).version)
    assert not (home.settings.artifacts / page).exists()
    assert again(home).report.outcome == "promoted"
    text = read(home, page)
    assert "the challenger is champion" in text
    assert "Decided on 2026-01-05 10:30; written later, from the ledger." in text
    assert "| `challenger_minus_champion` |" in text
    assert f"Champion until now: {old}. Asked for by Ann." in text
    assert f"**{champion(home.bench().ledger).version} serves**, promoted" in read(home, PAGE)
    # Told once, there is nothing to decide: it stands.
    assert_stands(again(home), champion(home.bench().ledger).version, page)
    assert read(home, page) == text
