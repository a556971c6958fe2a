"""A model becomes champion through the command line, another one only if it beats it, and the ledger tells."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadscore_v6 import promotion, refresh
from leadscore_v6.artifacts import models
from leadscore_v6.assets.model.data import read_training_data
from leadscore_v6.assets.shadow import data
from leadscore_v6.assets.shadow import scores as shadow_scores
from leadscore_v6.assets.shadow.data import champion_beside, champion_word, load_model
from leadscore_v6.decision import nothing_judged
from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.champions import champion, role, roll_back
from leadscore_v6.gates.models import KnownModel, known_models, model_of
from leadscore_v6.gates.programme import experiment_runs
from leadscore_v6.monitoring.comparable import Came, Comparable, comparable
from leadscore_v6.settings import Settings, from_environment
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore
from tests.e2e.sabotage import Product
from tests.e2e.test_model_gates import ASSETS, Fitted
from tests.gates.later_steps import shadowed, under_way, went

DECIDED = ("--by", "Ann", "--reason", "passed all")


@pytest.fixture(scope="module")
def settings(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with two models of the same content, neither of them champion; both had their days in the shadow."""
    home = tmp_path_factory.mktemp("champion") / "home"
    shutil.copytree(modelled.home, home, ignore=shutil.ignore_patterns("dagster"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LEADSCORE_HOME": home, "LEADSCORE_DATA": modelled.feed, "LEADSCORE_THREADS": "1"}.items():
            patch.setenv(name, str(value))
        settings = from_environment()
        assert Fitted(Product(settings, [], {}), modelled.fitted()).run(ASSETS).stops == []
        with open_bench(settings, "test", lambda _line: None) as bench:
            for model in known_models(bench.ledger):
                shadowed(bench, model.version)
        yield settings


@pytest.fixture
def reigning(settings: Settings) -> Settings:
    """The same home; its first model is champion, also where no test before made it so."""
    if champion(read_ledger(settings)[0]) is None:
        with open_bench(settings, "test", lambda _line: None) as bench:
            went(bench)
        promotion.promote(settings, versions(settings)[0], "Ann", "passed all", lambda _line: None)
    return settings


def versions(settings: Settings) -> list[str]:
    """Oldest first."""
    return [model.version for model in reversed(known_models(read_ledger(settings)[0]))]


def test_without_the_programmes_go_no_model_serves_then_the_first_one_does(settings: Settings) -> None:
    first, _ = versions(settings)
    refused = leadscore("promote", first, "--home", settings.home, *DECIDED)
    assert refused.returncode == 3
    assert "the programme's go (step 5.3, R58)" in refused.stderr
    with open_bench(settings, "test", lambda _line: None) as bench:
        went(bench)
    done = leadscore("promote", first, "--home", settings.home, *DECIDED)
    assert done.returncode == 0, done.stderr
    assert f"Model {first} is champion since" in done.stdout
    (serving,) = [
        line
        for line in json.loads(leadscore("model", "list", "--home", settings.home, "--json").stdout)
        if line["role"]
    ]
    assert serving["version"] == first
    shown = leadscore("model", "show", first, "--home", settings.home)
    assert "promoted by Ann: passed all" in shown.stdout


def test_a_challenger_in_the_shadow_is_scored_beside_the_champion_and_the_champion_beside_none(
    settings: Settings,
) -> None:
    first, second = versions(settings)
    with open_bench(settings, "test", lambda _line: None) as bench:
        challenger, serving = (model_of(bench.ledger, version) for version in (second, first))
        beside = champion_beside(bench, challenger)
        assert beside is not None
        assert (beside.version, champion_word(bench, challenger)) == (first, first)
        assert load_model(bench, beside.model, 5).version == first
        assert (champion_beside(bench, serving), champion_word(bench, serving)) == (None, "this model")


def test_an_equal_model_does_not_take_the_place(settings: Settings) -> None:
    first, second = versions(settings)
    refused = leadscore("promote", second, "--home", settings.home, *DECIDED)
    assert refused.returncode == 3
    assert f"Model {second} is not promoted; {first} stays champion" in refused.stderr
    assert "the lower bound of the difference" in refused.stderr
    assert champion(read_ledger(settings)[0]).version == first


def test_the_comparison_is_on_leads_that_neither_learned_from(settings: Settings) -> None:
    _, second = versions(settings)
    with open_bench(settings, "test", lambda _line: None) as bench:
        model = model_of(bench.ledger, second)
        found = promotion.against_champion(bench, model)
    blocks = {
        block: set(promotion._leads(bench.folders, model, (block,))) for block in ("training", "calibration", "holdout")
    }
    assert found is not None
    assert 0 < found.holdout_leads <= len(blocks["holdout"])
    assert found.paired.difference.value == 0
    assert {one.name: one.holds for one in found.conditions}["holdout later than both"]


def test_where_the_champion_chose_those_alone_are_compared_that_both_would_have_dialled(
    reigning: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after months in production: of each week's leads that half was dialled which the champion put first (R50)."""
    first, second = versions(reigning)
    guess_for(monkeypatch, second)
    with open_bench(reigning, "test", lambda _line: None) as bench:
        model, serving = model_of(bench.ledger, second), model_of(bench.ledger, first)
        table = promotion._training_table(model)
        training = bench.ledger.serving(f"{bench.warehouse.dataset}.{table}")
        assert training is not None
        came = came_of(bench, monkeypatch)
        before = promotion.against_champion(bench, model)
        frame, all_came = came.pop()
        assert all_came.dialled.all()
        dialled = best_half_of_each_week(frame["Id"], all_came)
        chosen, as_staged = f"{training.facts['staging']}_chosen", training.facts["staging"]
        word = "CASE WHEN Id IN UNNEST(@dialled) THEN 'logged' ELSE 'none' END AS dial_source"
        select = f"SELECT * EXCEPT (dial_source), {word} FROM `{as_staged}`"
        bench.warehouse.create_table(chosen, select, {"dialled": sorted(dialled)})
        monkeypatch.setitem(training.facts, "staging", chosen)
        found = promotion.against_champion(bench, model)
        bench.warehouse.drop(chosen)
        gone = promotion.against_champion(bench, model)
        data = read_training_data(bench.warehouse, table)
        cut_off = max(one.cut_off for one in (found.champion, found.challenger))
        rows = promotion._unseen(bench.folders, data, (serving, model), cut_off)
    frame, some_came = came.pop()
    assert set(frame["Id"][some_came.dialled]) == dialled
    of_both = set(frame["Id"][comparable(some_came).leads])
    assert len(of_both) < 0.7 * len(dialled)
    assert found.holdout_leads == len(of_both & set(data.lead_ids[rows])) < before.holdout_leads == len(rows)
    said = [{one.name: one for one in each.conditions}["leads that favour neither"] for each in (before, found, gone)]
    assert [one.holds for one in said] == [None, True, None]
    assert "nothing tells" in said[0].says
    assert "its order chose" in said[1].says
    assert "nobody can tell" in said[2].says
    assert gone.holdout_leads == before.holdout_leads


def came_of(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[tuple[pd.DataFrame, Came]]:
    """Grows by what each comparison reads of the leads that came, and what it makes of it, row by row."""
    read: list[pd.DataFrame] = []
    came: list[tuple[pd.DataFrame, Came]] = []
    honest = bench.warehouse.frame

    def frame(sql: str, params: Any = None) -> pd.DataFrame:
        read.append(honest(sql, params))
        return read[-1]

    def spied(given: Came) -> Comparable:
        came.append((read[-1], given))
        return comparable(given)

    monkeypatch.setattr(bench.warehouse, "frame", frame)
    monkeypatch.setattr(promotion, "comparable", spied)
    return came


def best_half_of_each_week(ids: pd.Series[Any], came: Came) -> set[str]:
    """By the champion's score."""
    frame = pd.DataFrame({"id": ids, "week": pd.to_datetime(came.contact).to_period("W"), "score": came.champion})
    place = frame.groupby("week")["score"].rank(ascending=False, method="first")
    return set(frame.loc[place <= frame.groupby("week")["score"].transform("size") / 2, "id"])


def guess_for(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Let one model have lost all it knew."""
    honest = promotion._scorer

    class Guess:
        def predict_proba(self, features: Any) -> Any:
            share = np.random.default_rng(4).random(len(features))
            return np.column_stack([1 - share, share])

    def scorer(folders: Any, model: KnownModel) -> Any:
        return Guess() if model.version == version else honest(folders, model)

    monkeypatch.setattr(promotion, "_scorer", scorer)


def unreadable(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """As after a new contract, or a new series of xgboost: the files are as published, and cannot be read."""
    honest = models.load_scorer

    def load(folder: Path, digest: str, of: str, words: Any, contract_version: str) -> Any:
        return honest(folder, digest, of, words, "another one" if of == version else contract_version)

    monkeypatch.setattr(promotion, "load_scorer", load)
    monkeypatch.setattr(data, "load_scorer", load)


def test_a_champion_that_cannot_be_loaded_stays_without_stopping_the_refresh(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions(settings)
    unreadable(monkeypatch, first)
    kept = refresh.decide(settings, "Ann", lambda _line: None)
    assert (kept.report.outcome, kept.report.champion) == ("kept", first)
    assert "cannot be loaded any more" in kept.report.headline
    assert "contract version" in Path(str(kept.path)).read_text()
    with open_bench(settings, "test", lambda _line: None) as bench:
        found = promotion.against_champion(bench, model_of(bench.ledger, second))
        # Beside the challenger's days in the shadow it has no score, and a reason.
        none, why = shadow_scores._champion(bench, champion(bench.ledger), data.scoring_settings())
    assert found.reasons_for_anyone == ()
    assert none is None
    assert "another one" in (why or "")


# --- the refresh (6.2) ------------------------------------------------------------------------------------------------


def test_a_refresh_keeps_the_champion_that_is_as_good_and_writes_why(settings: Settings) -> None:
    first, second = versions(settings)
    kept = refresh.decide(settings, "Ann", lambda _line: None)
    assert (kept.report.outcome, kept.report.champion, kept.report.challenger) == ("kept", first, second)
    page = (Path(settings.artifacts) / f"champion_decision_v6_{second}.md").read_text()
    assert "the champion stays" in page
    assert "the lower bound of the difference" in page
    assert "SYNTHETIC DATA" in page
    assert champion(read_ledger(settings)[0]).version == first


def test_a_refresh_that_made_no_model_decides_nothing(settings: Settings) -> None:
    """The newest model is then of the refresh before, and decided about."""
    ledger = read_ledger(settings)[0]
    assert nothing_judged(ledger) is None
    ledger.latest("v_latest_training_dataset_v6").facts["promoted_version"] = "20260105_0700"
    assert "No model of training set 20260105_0700 was judged" in (nothing_judged(ledger) or "")


def test_a_challenger_that_wins_waits_for_a_running_test_and_is_champion_without_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions(settings)
    guess_for(monkeypatch, first)
    with open_bench(settings, "test", lambda _line: None) as bench:
        under_way(bench)
    assert refresh.decide(settings, "Ann", lambda _line: None).report.outcome == "queued"
    ledger = read_ledger(settings)[0]
    assert champion(ledger).version == first
    assert "waits until the running experiment has ended" in role(ledger, model_of(ledger, second))
    with open_bench(settings, "test", lambda _line: None) as bench:
        went(bench)
    ledger = read_ledger(settings)[0]
    assert "the experiment that it waited for has ended" in role(ledger, model_of(ledger, second))
    assert refresh.decide(settings, "Ann", lambda _line: None).report.outcome == "promoted"
    assert champion(read_ledger(settings)[0]).version == second
    # The same delivery again makes no other model: the decision stands, and so does its page.
    page = Path(settings.artifacts) / f"champion_decision_v6_{second}.md"
    text = page.read_text()
    again = refresh.decide(settings, "Bob", lambda _line: None)
    assert (again.report.outcome, again.report.challenger, again.report.by) == ("stands", second, "Ann")
    assert (Path(str(again.path)), page.read_text()) == (page, text)
    with open_bench(settings, "test", lambda _line: None) as bench:
        roll_back(bench, first, "Bob", "it promised too much")
    # The same comparison would promote it again: what a person took back is a person's to bring back.
    kept = refresh.decide(settings, "Ann", lambda _line: None)
    assert (kept.report.outcome, kept.report.champion) == ("kept", first)
    assert "by Bob (it promised too much)" in Path(str(kept.path)).read_text()


def test_in_mid_test_nobody_promotes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = versions(settings)
    guess_for(monkeypatch, first)
    with open_bench(settings, "test", lambda _line: None) as bench:
        under_way(bench)
    with pytest.raises(GateBlocked, match=r"a test is running.*R58"):
        promotion.promote(settings, second, "Ann", "better", lambda _line: None)
    assert champion(read_ledger(settings)[0]).version == first
    with open_bench(settings, "test", lambda _line: None) as bench:
        went(bench)


def test_a_better_one_takes_it_and_the_former_can_be_rolled_back_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = versions(settings)
    guess_for(monkeypatch, first)
    reign = promotion.promote(settings, second, "Ann", "better", lambda _line: None)
    assert reign.evidence["challenger_minus_champion_low"] > 0
    assert "takes the place" in reign.evidence["headline"]
    back = leadscore("rollback", "--model", first, "--home", settings.home, "--by", "Bob", "--reason", "slow")
    assert back.returncode == 0, back.stderr
    assert f"Model {first} is champion again (before: {second})" in back.stdout
    assert f"No call list by {second} is among the artifacts" in back.stdout


def test_a_test_that_was_read_is_over_though_the_clock_went_back(settings: Settings) -> None:
    """R39: the clock names lines of the ledger, and orders none."""
    late, early = (datetime(year, 1, 1, tzinfo=UTC) for year in (2030, 2020))
    with open_bench(settings, "test", lambda _line: None, lambda: late) as bench:
        under_way(bench)
    assert experiment_runs(read_ledger(settings)[0])
    with open_bench(settings, "test", lambda _line: None, lambda: early) as bench:
        went(bench)
    assert not experiment_runs(read_ledger(settings)[0])


def test_two_refreshes_at_once_are_one_and_a_refusal(settings: Settings) -> None:
    with open_bench(settings, "the other refresh", lambda _line: None):
        asked = ("refresh", "--home", settings.home, "--data", settings.data, "--by", "Ann")
        refused = leadscore(*asked, LEADSCORE_LEASE_WAIT_SECONDS="0")
    assert refused.returncode == 2
    assert "waited 0 s" in refused.stderr


def test_an_altered_champion_is_refused_before_it_is_read(settings: Settings) -> None:
    first, second = versions(settings)
    folder = Path(settings.artifacts) / f"calibrated_model_v6_{first}"
    (folder / f"model_v6_calibrated_{first}.ubj").write_bytes(b"other trees")
    refused = leadscore("promote", second, "--home", settings.home, *DECIDED)
    assert refused.returncode == 2
    assert f"model_v6_calibrated_{first}.ubj has 11 bytes" in refused.stderr
    assert "was not loaded" in refused.stderr


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_refresh_against_a_champion_that_is_not_as_published_begins_nothing(settings: Settings, damage: str) -> None:
    """The champion's file was altered by the test before; then its folder goes."""
    first, _ = versions(settings)
    folder = Path(settings.artifacts) / f"calibrated_model_v6_{first}"
    if damage == "missing":
        shutil.rmtree(folder)
    lines = read_ledger(settings)[0].seq
    refused = leadscore("refresh", "--home", settings.home, "--data", settings.data, "--by", "Ann")
    assert refused.returncode == 2
    assert folder.name in refused.stderr
    assert read_ledger(settings)[0].seq == lines


@pytest.mark.parametrize("given", [[], ["--model", "20260101", "--dataset", "20260101_1200"]])
def test_rollback_is_of_one_thing(settings: Settings, given: list[str]) -> None:
    refused = leadscore("rollback", "--home", settings.home, *given)
    assert refused.returncode == 2
    assert "either --dataset VERSION, or --model VERSION" in refused.stderr
