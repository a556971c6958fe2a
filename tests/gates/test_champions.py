"""Which model serves: promoted past every condition, rolled back to as it was, kept as long as it may be needed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from leadscore_v6.errors import GateBlocked, InputError, UsageError
from leadscore_v6.gates.champions import (
    champion,
    history,
    obstacles,
    promote,
    queue,
    reigns,
    role,
    roll_back,
)
from leadscore_v6.gates.decisions import Waiver, rollback, undo_withdrawal, waive, withdraw
from leadscore_v6.gates.lineage import made_from
from leadscore_v6.gates.models import KnownModel, model_of
from leadscore_v6.gates.programme import PLANNED
from leadscore_v6.gates.retention import collect, expendable
from leadscore_v6.monitoring.champion import Contender, Decision, Evidence, Holdout, decide
from leadscore_v6.monitoring.settings import ChampionSettings
from tests.gates.conftest import GATES, KEY, TODAY, TRAINING, Lab
from tests.gates.later_steps import ended, looked, shadowed, under_way, went
from tests.gates.test_model_attempts import MODEL_GATES, attempt

LATER_GATES = """
  - {name: shadow_success, step: "5.1", asset: shadow_scoring, says: Scored., figure: success_rate, op: ">",
     value: 0.95}
  - {name: test_harm, step: "5.3", asset: ab_test_interim_analysis_v6, says: No harm., figure: adverse_effects,
     op: "==", value: 0}
  - {name: test_ratio, step: "5.3", asset: ab_test_interim_analysis_v6, says: As dealt., figure: srm_p, op: ">=",
     value: 0.001, waivable: false}
  - {name: test_lift, step: "5.3", asset: ab_test_final_analysis_v6, says: Lift., figure: lift, op: ">", value: 0.5}
"""
SETTINGS = ChampionSettings("superior", 0.01, 0.05, 0.15, 0.20, 2, 100, 200)


@pytest.fixture
def home(lab: Lab) -> Lab:
    """A home with a promoted training set, and gates of 4.1, 5.1 and 5.3."""
    lab.gates.write_text(GATES + MODEL_GATES + LATER_GATES)
    lab.run()
    return lab


def validated(lab: Lab, content: str = "trees") -> KnownModel:
    """A model that passed 4.1 to 4.4."""
    version = attempt(lab, content=content).attempt.version
    for asset in ("calibrated_model", "backtest"):
        attempt(lab, asset, content)
    return model_of(lab.bench().ledger, version)


def serving(lab: Lab, content: str = "trees") -> KnownModel:
    """A model that was promoted, as the first one of its home or by a comparison that it won."""
    model = validated(lab, content)
    shadowed(lab.bench(), model.version)
    went(lab.bench())
    bench = lab.bench()
    before = champion(bench.ledger)
    promote(bench, model, decision(before.version, model.version) if before else None, "Ann", "passed")
    return model


def decision(champion: str, challenger: str, strength: float = 1.5) -> Decision:
    """R31's, on leads that the challenger ranks by the truth and the champion with `1 / strength` of it."""
    draw = np.random.default_rng(3)
    signal = draw.normal(size=3000)
    label = (draw.random(3000) < 1 / (1 + np.exp(2 - 2 * signal))).astype(np.int8)
    weaker = signal + draw.normal(size=3000) * (strength - 1) * 2
    contact = np.datetime64("2025-11-01", "D") + np.arange(3000) % 30
    leads = Holdout(label, np.arange(3000), contact, weaker, signal)
    as_of, cut_off = date(2025, 12, 1), date(2025, 10, 1)
    both = (Contender(champion, as_of, cut_off, 0.02, 0.1, 0.1), Contender(challenger, as_of, cut_off, 0.02, 0.1, 0.1))
    return decide(both, Evidence(leads, shadow_holds=True), as_of, SETTINGS, seed=1)


def test_a_person_may_replace_a_champion_that_cannot_be_loaded_and_it_is_written(home: Lab) -> None:
    old = serving(home)
    new = validated(home, "other trees")
    shadowed(home.bench(), new.version)
    as_of, cut_off = date(2025, 12, 1), date(2025, 10, 1)
    both = [Contender(version, as_of, cut_off, 0.02, 0.1, 0.1) for version in (old.version, new.version)]
    for shadow_holds, may in ((False, False), (True, True)):
        gone = decide((both[0], both[1]), Evidence("another contract", shadow_holds), as_of, SETTINGS, seed=1)
        if not may:
            with pytest.raises(GateBlocked, match="shadow scoring shows a degradation"):
                promote(home.bench(), new, gone, "Ann", "the old one is unreadable")
    reign = promote(home.bench(), new, gone, "Ann", "the old one is unreadable")
    assert reign.version == new.version
    assert "cannot be loaded any more" in reign.evidence["headline"]
    assert "another contract" in reign.evidence["headline"]


def test_a_model_past_every_condition_becomes_champion_and_it_is_written_who_when_why(home: Lab) -> None:
    model = validated(home)
    shadow, go = shadowed(home.bench(), model.version), went(home.bench())
    promote(home.bench(), model, None, " Ann ", " passed all ")
    reign = champion(home.bench().ledger)
    assert (reign.version, reign.how, reign.by, reign.reason) == (model.version, "promoted", "Ann", "passed all")
    assert reign.since.date() == TODAY
    assert reign.evidence["shadow"] == shadow.key
    assert reign.evidence["go"] == go.key
    assert reign.evidence["gates"] == [one.key for one in (model.trained, model.calibrated, model.backtest)]
    assert role(home.bench().ledger, model) == "champion since 2026-01-05 10:30"
    # It changed nothing else: the attempts are what they were.
    assert model_of(home.bench().ledger, None) == model


def test_each_condition_that_does_not_hold_is_named(home: Lab) -> None:
    model = validated(home)
    bench = home.bench()
    assert [why.split(" (")[0] for why in obstacles(bench.ledger, model)] == ["shadow_scoring", "the programme's go"]
    with pytest.raises(GateBlocked, match=r"never scored in the shadow\n.*the programme's go .*never built"):
        promote(bench, model, None, "Ann", "why not")
    shadowed(home.bench(), model.version, success_rate=0.9)
    went(home.bench(), lift=0.4)
    with pytest.raises(GateBlocked, match=r"shadow_success .*success_rate 0.9.*\n.*test_lift .*lift 0.4"):
        promote(home.bench(), model, None, "Ann", "why not")
    assert champion(home.bench().ledger) is None


def test_another_models_days_in_the_shadow_are_not_this_ones(home: Lab) -> None:
    model = validated(home)
    shadowed(home.bench(), "20240101")
    went(home.bench())
    with pytest.raises(GateBlocked, match="was never scored in the shadow"):
        promote(home.bench(), model, None, "Ann", "why not")


def test_days_in_the_shadow_are_of_a_models_files_not_of_its_name(home: Lab) -> None:
    model = validated(home)
    ended(home.bench(), "shadow_scoring", {"model_version": model.version, "model_manifest": "of other files"}, {})
    went(home.bench())
    with pytest.raises(GateBlocked, match="was never scored in the shadow"):
        promote(home.bench(), model, None, "Ann", "why not")


def test_a_model_that_a_gate_stopped_is_not_promoted_until_the_gate_is_waived_for_its_attempt(home: Lab) -> None:
    stopped = attempt(home, content="weak", auc_pr=0.06).attempt
    went(home.bench())
    with pytest.raises(GateBlocked, match=r"cv_auc_pr[\s\S]*did not get to the backtest"):
        promote(home.bench(), model_of(home.bench().ledger, stopped.version), None, "Ann", "why not")
    waive(home.bench(), Waiver("cv_auc_pr", stopped.key, "Ann", "pilot", TODAY + timedelta(days=1)))
    model = validated(home, "weak") if attempt(home, content="weak", auc_pr=0.06).recognised else None
    shadowed(home.bench(), model.version)
    promote(home.bench(), model, None, "Ann", "pilot")
    # An expired waiver makes no other champion; the reign that began stays as it is, and says under what it began.
    home.today = TODAY + timedelta(days=2)
    assert champion(home.bench().ledger).version == stopped.version
    assert any("cv_auc_pr" in why for why in obstacles(home.bench().ledger, model))


def test_a_challenger_takes_the_place_only_by_r31(home: Lab) -> None:
    old = serving(home)
    new = validated(home, "new trees")
    shadowed(home.bench(), new.version)
    with pytest.raises(GateBlocked, match=f"not compared with the champion {old.version}"):
        promote(home.bench(), new, None, "Ann", "newer")
    equal = decision(old.version, new.version, strength=1.0)
    with pytest.raises(
        GateBlocked, match=rf"{old.version} stays champion[\s\S]*R31\): the lower bound of the difference"
    ):
        promote(home.bench(), new, equal, "Ann", "newer")
    assert champion(home.bench().ledger).version == old.version
    promote(home.bench(), new, decision(old.version, new.version), "Ann", "better")
    now = champion(home.bench().ledger)
    assert (now.version, now.evidence["against"]) == (new.version, old.version)
    assert now.evidence["challenger_minus_champion_low"] > 0
    assert role(home.bench().ledger, old) == "champion from 2026-01-05 10:30, not any more"


@pytest.mark.parametrize(("by", "reason"), [(" ", "better"), ("Ann", " ")])
def test_it_needs_a_name_and_a_reason(home: Lab, by: str, reason: str) -> None:
    model = validated(home)
    with pytest.raises(UsageError, match="--by"):
        promote(home.bench(), model, None, by, reason)


def test_the_champion_is_not_promoted_twice(home: Lab) -> None:
    model = serving(home)
    with pytest.raises(UsageError, match="is the champion already"):
        promote(home.bench(), model, None, "Ann", "again")


def test_an_altered_model_is_not_promoted(home: Lab) -> None:
    model = validated(home)
    shadowed(home.bench(), model.version)
    went(home.bench())
    (home.settings.artifacts / f"calibrated_model_v6_{model.version}" / "model.ubj").write_text("treez")
    with pytest.raises(InputError, match=r"model.ubj was altered"):
        promote(home.bench(), model, None, "Ann", "passed")


# --- back to an earlier one -------------------------------------------------------------------------------------------


def test_an_earlier_champion_serves_again_and_its_history_grows(home: Lab) -> None:
    old, new = serving(home), serving(home, "new trees")
    before, reign = roll_back(home.bench(), old.version, "Bob", "new one is slow")
    assert (before, reign.version, reign.how) == (new.version, old.version, "rolled back to")
    ledger = home.bench().ledger
    assert champion(ledger).calibrated.key == old.calibrated.key
    assert [one.version for one in reigns(ledger)] == [old.version, new.version, old.version]
    assert history(ledger, old) == [
        "2026-01-05 10:30  promoted by Ann: passed",
        "2026-01-05 10:30  rolled back to by Bob: new one is slow",
    ]


@pytest.mark.parametrize(
    ("version", "says"),
    [("20240101", "never champion; champions so far: 20260105"), ("20260105_2", "is the champion already")],
)
def test_what_cannot_be_rolled_back_to(home: Lab, version: str, says: str) -> None:
    serving(home)
    serving(home, "new trees")
    with pytest.raises(UsageError, match=says):
        roll_back(home.bench(), version, "Bob", "slow")


def test_a_model_whose_folder_or_training_set_is_gone_is_not_rolled_back_to(home: Lab) -> None:
    old = serving(home)
    serving(home, "new trees")
    table = f"LeadScoring.{TRAINING}_{old.trained.facts['dataset_version']}"
    home.warehouse.publish(table, "LeadScoring.elsewhere")
    with pytest.raises(UsageError, match=f"has expired .*{TRAINING}"):
        roll_back(home.bench(), old.version, "Bob", "slow")
    home.warehouse.publish("LeadScoring.elsewhere", table)
    home.bench().folders.drop(f"artifacts/calibrated_model_v6_{old.version}")
    with pytest.raises(UsageError, match=r"folder .* is gone"):
        roll_back(home.bench(), old.version, "Bob", "slow")


# --- retention (R56) --------------------------------------------------------------------------------------------------


def test_champions_and_their_training_sets_stay_however_old(home: Lab) -> None:
    old = serving(home)
    dataset = old.trained.facts["dataset_version"]
    for day in range(1, 5):
        home.today = TODAY + timedelta(days=day)
        home.run(step_3_1_staging_join_v6=f"data {day}")
        validated(home, f"trees {day}")
    bench = home.bench()
    assert model_of(bench.ledger, None).trained.facts["dataset_version"] != dataset
    found = expendable(bench, home.settings, 1)
    assert found.folders != {}
    assert not any(old.version == name.rpartition("_v6_")[2] for name in found.folders)
    assert f"LeadScoring.{TRAINING}_{dataset}" not in found.tables
    collect(bench, found)
    serving(home, "trees 9")
    assert roll_back(home.bench(), old.version, "Bob", "slow")[1].version == old.version


def test_a_model_that_never_served_expires(home: Lab) -> None:
    old = validated(home)
    for day in range(1, 3):
        home.today = TODAY + timedelta(days=day)
        validated(home, f"trees {day}")
    names = expendable(home.bench(), home.settings, 1).folders
    assert f"artifacts/calibrated_model_v6_{old.version}" in names


def test_a_challenger_that_waits_for_a_test_to_end_stays_with_its_training_set(home: Lab) -> None:
    old = serving(home)
    home.run(step_3_1_staging_join_v6="b")
    winner = validated(home, "better trees")
    queue(home.bench(), winner, decision(old.version, winner.version), "Ann")
    for day in range(1, 3):
        home.today = TODAY + timedelta(days=day)
        home.run(step_3_1_staging_join_v6=f"data {day}")
        validated(home, f"trees {day}")
    found = expendable(home.bench(), home.settings, 1)
    assert found.folders
    assert not any(winner.version == name.rpartition("_v6_")[2] for name in found.folders)
    assert f"LeadScoring.{TRAINING}_{winner.trained.facts['dataset_version']}" not in found.tables


def test_harm_at_the_interim_look_is_not_made_good_by_the_final_one(home: Lab) -> None:
    model = validated(home)
    shadowed(home.bench(), model.version)
    under_way(home.bench())
    looked(home.bench(), adverse_effects=1)
    went(home.bench())
    (found,) = obstacles(home.bench().ledger, model)
    assert "ab_test_interim_analysis_v6" in found
    assert "test_harm" in found
    # Nor by planning the next test.
    ended(home.bench(), PLANNED, {"plan": {}}, {})
    assert obstacles(home.bench().ledger, model) == [found]


# --- what a model learned from, and a person took back (R38) ----------------------------------------------------------

FEED = f"RIARepDataFeed_{KEY}.csv"


def ready(lab: Lab, content: str = "trees") -> KnownModel:
    """A model that nothing keeps from being promoted."""
    model = validated(lab, content)
    shadowed(lab.bench(), model.version)
    went(lab.bench())
    assert obstacles(lab.bench().ledger, model) == []
    return model


@pytest.mark.parametrize("file", [FEED, "Lead.csv"])
def test_a_model_of_a_withdrawn_file_is_not_promoted_until_the_file_is_right_after_all(home: Lab, file: str) -> None:
    model = ready(home)
    withdraw(home.bench(), file, "wrong columns")
    with pytest.raises(GateBlocked, match=rf"{file}, which it was made from, was withdrawn .*\(wrong columns\)"):
        promote(home.bench(), model, None, "Ann", "why not")
    (found,) = obstacles(home.bench().ledger, model)
    assert f"leadscore withdraw --undo {file}" in found
    undo_withdrawal(home.bench(), file)
    assert promote(home.bench(), model, None, "Ann", "passed").version == model.version


@pytest.mark.prove
def test_a_newer_file_takes_nothing_back(home: Lab) -> None:
    model = ready(home)
    home.attempt("crm_leads", content="b")
    home.attempt("snapshot_reps_raw", KEY, "b", rows=0)
    withdraw(home.bench(), FEED, "empty")
    assert obstacles(home.bench().ledger, model) == []


def test_a_model_of_a_training_set_that_was_rolled_back_from_is_not_promoted(home: Lab) -> None:
    old = home.bench().ledger.latest(TRAINING).version
    home.run(step_3_1_staging_join_v6="b")
    model = ready(home)
    taken = model.trained.facts["dataset_version"]
    rollback(home.bench(), old, "Bob")
    with pytest.raises(GateBlocked, match=rf"version {taken}, which it learned from, was rolled back from .* by Bob"):
        promote(home.bench(), model, None, "Ann", "why not")
    # Another set that serves since does not make the one that was taken back right.
    home.run(step_3_1_staging_join_v6="c")
    assert any(taken in why for why in obstacles(home.bench().ledger, model))
    ready(home, "new trees")  # on the set that serves now
    rollback(home.bench(), taken, "Bob")
    assert promote(home.bench(), model, None, "Ann", "passed").version == model.version


@pytest.mark.prove
def test_a_gate_of_what_it_was_made_from_counts_by_todays_threshold(home: Lab) -> None:
    model = ready(home)
    home.change_gates('figure: loss, op: "<=", value: 0.01', 'figure: loss, op: "<=", value: 0.0001')
    found = obstacles(home.bench().ledger, model)
    assert [why.split(",")[0] for why in found] == ["snapshot_reps", "snapshot_reps"]
    assert all("reps_losses" in why for why in found)


def test_shadow_days_and_the_programmes_go_on_a_withdrawn_extract_do_not_count(home: Lab) -> None:
    model = validated(home)
    leads = home.attempt("crm_leads", content="b").attempt
    stands_on = {"crm_leads/None": leads.content_key}
    ended(home.bench(), "shadow_scoring", {"model_manifest": model.digest}, {}, stands_on)
    ended(home.bench(), "ab_test_final_analysis_v6", {}, {}, stands_on)
    withdraw(home.bench(), "Lead.csv", "half of it")
    found = obstacles(home.bench().ledger, model)
    assert [why.split(",")[0] for why in found] == ["shadow_scoring", "ab_test_final_analysis_v6"]


@pytest.mark.prove
def test_shadow_days_that_are_not_judged_any_more_may_stand_on_what_was_withdrawn(home: Lab) -> None:
    model = validated(home)
    days = {}
    for content in "bc":
        leads = home.attempt("crm_leads", content=content).attempt
        parents = {"crm_leads/None": leads.content_key}
        days[content] = ended(home.bench(), "shadow_scores_v6", {}, {}, parents)
    contents = {f"shadow_scores_v6/{key}": days[content].content_key for key, content in (("20260101", "b"),)}
    judged = {"model_manifest": model.digest, "first_day": "2026-01-02", "last_day": "2026-01-08"}
    shadow = ended(home.bench(), "shadow_scoring", judged, {}, contents)
    assert list(made_from(home.bench().ledger, shadow)) == []


def test_a_former_champion_of_a_withdrawn_file_does_not_serve_again(home: Lab) -> None:
    old = serving(home)
    home.run(crm_leads="b", step_3_1_staging_join_v6="b")
    new = serving(home, "new trees")
    withdraw(home.bench(), "Lead.csv", "newest is wrong", "digest of a")
    with pytest.raises(GateBlocked, match=rf"{old.version} does not serve again; {new.version} stays[\s\S]*newest is"):
        roll_back(home.bench(), old.version, "Bob", "slow")
    assert champion(home.bench().ledger).version == new.version
    undo_withdrawal(home.bench(), "Lead.csv")
    assert roll_back(home.bench(), old.version, "Bob", "slow")[1].version == old.version
