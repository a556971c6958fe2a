"""What every page of production says of the model that serves: its waivers, its age, what was taken back (R31, R32)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from leadscore_v6.gates.caveats import caveats, reign_of
from leadscore_v6.gates.champions import champion, taken_away
from leadscore_v6.gates.decisions import Waiver, waive, withdraw
from tests.gates.conftest import GATES, KEY, TODAY, Lab
from tests.gates.later_steps import reigning
from tests.gates.test_champions import FEED, LATER_GATES, serving, validated
from tests.gates.test_model_attempts import MODEL_GATES, attempt

MADE = date(2024, 5, 5)


@pytest.fixture
def home(lab: Lab) -> Lab:
    """A home with a champion whose training set is as of `MADE`."""
    lab.gates.write_text(GATES + MODEL_GATES + LATER_GATES)
    lab.run()
    serving(lab)
    return lab


def told(home: Lab, on: date = MADE) -> list[str]:
    ledger = home.bench().ledger
    return caveats(ledger, champion(ledger), on)


def the_only(lines: list[str]) -> str:
    """The one line that there is."""
    assert len(lines) == 1, lines
    return lines[0]


def reign(home: Lab, content: str) -> None:
    """Another model serves."""
    version = validated(home, content).version
    reigning(home.bench(), version)


def test_two_quarters_later_its_age_is_said_and_before_there_is_nothing_to_say(home: Lab) -> None:
    assert told(home) == []
    assert told(home, date(2024, 11, 5)) == []
    line = the_only(told(home, date(2024, 11, 6)))
    assert "is as of 2024-05-05, more than 2 quarters before 2024-11-06" in line


def test_a_waiver_on_the_way_to_it_is_said_for_good(home: Lab) -> None:
    stopped = attempt(home, content="weak", auc_pr=0.06).attempt
    waive(home.bench(), Waiver("cv_auc_pr", stopped.key, "Ann", "pilot", TODAY + timedelta(days=1)))
    attempt(home, content="weak", auc_pr=0.06)
    reign(home, "weak")
    failed = home.attempt("snapshot_reps", KEY, "b", loss=0.5).attempt
    waive(home.bench(), Waiver("reps_losses", failed.key, "Bob", "a known loss", TODAY))
    # That one is behind the data, not behind the model: it was given after the model was made, for other data.
    home.today = TODAY + timedelta(days=30)
    line = the_only(told(home))
    assert "trained_model: `cv_auc_pr` by Ann until 2026-01-06: pilot" in line


@pytest.mark.prove
def test_a_waiver_far_behind_it_is_said(home: Lab) -> None:
    failed = home.attempt("snapshot_reps", KEY, "b", loss=0.5).attempt
    waive(home.bench(), Waiver("reps_losses", failed.key, "Bob", "a known loss", TODAY))
    home.run(snapshot_reps="b", step_3_1_staging_join_v6="b")
    reign(home, "new trees")
    line = the_only(told(home))
    assert f"snapshot_reps {KEY}: `reps_losses` by Bob until 2026-01-05: a known loss" in line


@pytest.mark.prove
def test_what_it_learned_from_and_was_taken_back_is_said(home: Lab) -> None:
    withdraw(home.bench(), "Lead.csv", "half of it")
    line = the_only(told(home))
    assert "learned from was taken back" in line
    assert "(half of it)" in line


@pytest.mark.prove
def test_pages_are_about_the_model_that_they_name_not_about_the_newest(home: Lab) -> None:
    old = champion(home.bench().ledger).version
    reign(home, "new trees")
    assert reign_of(home.bench().ledger, old).version == old
    assert reign_of(home.bench().ledger, "20200101") is None


@pytest.mark.prove
def test_what_a_serving_model_learned_from_may_be_taken_back_and_it_serves_on(home: Lab) -> None:
    reign = champion(home.bench().ledger)
    assert taken_away(home.bench().ledger, reign.model) == []
    withdraw(home.bench(), FEED, "wrong columns")
    (found,) = taken_away(home.bench().ledger, reign.model)
    assert FEED in found
    assert champion(home.bench().ledger).version == reign.version
