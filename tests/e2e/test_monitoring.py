"""A month of monitoring by the command line: drift and worth of the champion, held against the feed itself."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from leadscore_v6 import schedules
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.model.data import contract_version, read_training_data, reason_words
from leadscore_v6.assets.monitoring import drift, performance, reference
from leadscore_v6.assets.monitoring.reference import Entered
from leadscore_v6.definitions import build_defs
from leadscore_v6.driver import raise_for
from leadscore_v6.driver_monitoring import MonitorRequest, monitor, months_between
from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.models import blocks_of, folder_of, known_models, manifest_digest
from leadscore_v6.gates.status import status_lines
from leadscore_v6.monitoring import MONTHLY
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from tests.e2e.champion_world import copy_of, crown, quiet
from tests.e2e.feed_by_hand import canonical, has_cfp, newest_leads
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore
from tests.e2e.sabotage import GATES

DAY = date(2025, 11, 4)  # of the extract
ASSETS = ("feature_drift_v6", "model_performance_v6")
MONTH = MonitorRequest((MONTHLY,), (DAY,))


@pytest.fixture(scope="module")
def settings(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose only model is champion, watched as of the day of the extract."""
    with pytest.MonkeyPatch.context() as patch:
        settings = copy_of(modelled, tmp_path_factory.mktemp("monitoring"), patch)
        with pytest.raises(GateBlocked, match="No model serves"):
            monitor(settings, MONTH, quiet)
        crown(settings)
        raise_for(monitor(settings, MONTH, quiet))
        yield settings


def table(settings: Settings, name: str) -> pd.DataFrame:
    with open_warehouse(settings, read_only=True) as warehouse:
        return warehouse.frame(f"SELECT * FROM LeadScoring.{name} ORDER BY score_date")


@pytest.fixture(scope="module")
def scored(settings: Settings) -> pd.DataFrame:
    """Every matured lead of the training set: features, block, and the champion's probability."""
    with open_bench(settings, "test", quiet) as bench:
        (model,) = known_models(bench.ledger)
        version = model.trained.facts["dataset_version"]
        data = read_training_data(bench.warehouse, f"step_3_3_training_dataset_v6_{version}")
        blocks, made = blocks_of(bench.folders, model), model.calibrated
        assert made is not None
        folder = bench.folders.path(folder_of(made))
        scorer = load_scorer(folder, manifest_digest(made), model.version, reason_words(), contract_version())
        of = {lead: name for name in ("training", "calibration", "holdout") for lead in blocks[name]}
        found = data.features.assign(Id=data.lead_ids, advisor=data.advisors, block=list(map(of.get, data.lead_ids)))
        found = found.assign(probability=scorer.predict_proba(data.features)[:, 1]).set_index("Id")
        found.attrs["features"] = list(map(str, scorer.get_feature_names_out()))
        return found


# --- what was measured ------------------------------------------------------------------------------------------------


def test_performance_is_that_of_the_leads_that_a_person_would_pick_from_the_file(
    settings: Settings, modelled: Modelled, scored: pd.DataFrame
) -> None:
    """Contacted in the ninety days that had just matured, later than all that the model learned from, with a CRD."""
    (row,) = table(settings, "model_performance_v6").to_dict("records")
    with (modelled.feed / "Lead.csv").open(newline="") as file:
        contacts = {one["Id"]: one for one in csv.DictReader(file) if one["Stage_Entered_Contacting__c"]}
    day_of = {lead: date.fromisoformat(one["Stage_Entered_Contacting__c"][:10]) for lead, one in contacts.items()}
    learned = max(day_of[lead] for lead in scored.index[scored["block"].isin(["training", "calibration"])])
    first = max(DAY - timedelta(days=119), learned + timedelta(days=1))
    mine = [lead for lead in scored.index if first <= day_of[lead] <= DAY - timedelta(days=30)]
    label = [int(bool(contacts[lead]["Stage_Entered_Call_Scheduled__c"])) for lead in mine]
    assert (row["leads"], row["mqls"], row["assumed_dials"]) == (len(mine), sum(label), len(mine))
    assert sum(label) > 100
    probability = scored.loc[mine, "probability"]
    assert row["auc_roc"] == pytest.approx(roc_auc_score(label, probability), abs=1e-9)
    assert row["average_precision"] == pytest.approx(average_precision_score(label, probability), abs=1e-9)
    assert row["expected_observed"] == pytest.approx(probability.sum() / sum(label), abs=1e-9)
    assert row["auc_roc_low"] < row["auc_roc"] < row["auc_roc_high"]
    best = np.argsort(-probability.to_numpy(), kind="stable")[: -(-len(mine) // 10)]
    assert row["lift"] == pytest.approx(np.mean(np.array(label)[best]) / np.mean(label), rel=0.02)
    assert row["basis"] == "leads, assuming one dial per lead"
    assert row["young_leads"] > 100
    assert row["dropped"] == 0


def test_drift_is_measured_for_every_feature_and_the_score_against_what_trained_the_model(
    settings: Settings, modelled: Modelled, scored: pd.DataFrame
) -> None:
    """PSI of Has_CFP, counted from the vendor's files: each advisor's newest lead, of training and of thirty days."""
    rows = table(settings, "feature_drift_v6").set_index("feature")
    assert list(rows.index.sort_values()) == sorted([*scored.attrs["features"], "score"])
    trained = scored[scored["block"] == "training"].drop_duplicates("advisor", keep="last")
    assert rows.loc["Has_CFP", "training_leads"] == len(trained) < (scored["block"] == "training").sum()
    assert rows.loc["score", "training_leads"] == scored.loc[scored["block"] == "holdout", "advisor"].nunique()
    now = [has_cfp(modelled.feed, crd, day) for crd, day in newest_leads(modelled.feed, DAY).items()]
    assert rows.loc["Has_CFP", "leads"] == len(now)
    before = trained["Has_CFP"].astype(float).tolist()
    bins = [0.0, 1.0, "other", None]
    p, q = (np.array([0.5 + sum(_bin(value) == one for value in of) for one in bins]) for of in (before, now))
    p, q = p / p.sum(), q / q.sum()
    assert rows.loc["Has_CFP", "psi"] == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=1e-9)
    beyond = (rows["psi"] > 0.25) & (rows["adjusted_p"] <= 0.05)
    assert (rows["alerts"] == beyond).all()


def _bin(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else value


def test_what_is_found_is_said_first_and_alerts_by_name(settings: Settings) -> None:
    """In so small a world advisors new to their firm are another share than they were in training: that is found."""
    rows = table(settings, "feature_drift_v6")
    drifted = set(rows.loc[rows["alerts"] == 1, "feature"])
    assert "is_new_to_firm" in drifted
    (filed,) = Outbox(settings.outbox).filed()
    assert set(filed.alert.subjects) == drifted
    folder = Path(str(settings.artifacts)) / "20251104"
    moved = (folder / "feature_drift_report_v6_202511.md").read_text()
    worth = (folder / "model_performance_report_v6_202511.md").read_text()
    assert "**Drifted: `" in moved
    assert "## `is_new_to_firm`, bin by bin" in moved
    assert "**The model is worth what it promises**" in worth
    assert "leads, assuming one dial per lead" in worth
    assert (folder / "feature_drift_report_v6_202511.png").exists()
    for text in (moved, worth):
        assert "SYNTHETIC DATA" in text


def test_the_command_tells_what_it_found_and_takes_the_same_month_for_known(settings: Settings) -> None:
    done = leadscore("monitor", "monthly", "--home", settings.home, "--json")
    assert done.returncode == 0, done.stderr
    looks = json.loads(done.stdout)["looks"]
    assert [look["look"] for look in looks] == [f"{name} as of 2025-11-04" for name in ASSETS]
    assert all(Path(look["report"]).exists() for look in looks)
    assert done.stderr.count("known, nothing built") == 2
    later = leadscore("monitor", "monthly", "--home", settings.home, "--as-of", "2025-12-01")
    assert later.returncode == 2
    assert "lies after the CRM extract (2025-11-04)" in later.stderr
    assert not [one for one in Outbox(settings.outbox).filed() if one.alert.key.startswith("run_failed")]


def test_months_are_their_first_days_after_the_first_up_to_the_last() -> None:
    assert months_between(date(2025, 11, 3), date(2026, 2, 1)) == [
        date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1),
    ]  # fmt: skip
    assert list(months_between(date(2025, 11, 3), date(2025, 11, 30))) == []


@pytest.mark.prove
def test_a_look_that_is_stopped_keeps_no_other_from_being_taken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = drift.write_table
    monkeypatch.setattr(drift, "write_table", lambda *given: honest(given[0], given[1], given[2].iloc[1:], given[3]))
    for module in (drift, performance):
        monkeypatch.setattr(module, "monitoring_code_hash", lambda: "stopped")
    summary = monitor(settings, MonitorRequest(days=(DAY,)), quiet)
    assert [failure.step for failure in summary.failures] == ["feature_drift_v6"]
    done = {name.partition("[")[0] for name in [*summary.built, *summary.recognised]}
    assert done == {"serving_advisors_v6", "production_scores_v6", "class_balance_v6", "model_performance_v6"}


# --- schedules --------------------------------------------------------------------------------------------------------

ROWS = {
    "production_daily": ("production_day", "20251104"),
    "shadow_daily": ("shadow_day", "20251104"),
    "class_balance_weekly": ("class_balance", None),
    "drift_monthly": ("feature_drift", "20251104"),
    "performance_monthly": ("model_performance", "20251104"),
}
LATER = datetime(2025, 11, 17, 6, 0, tzinfo=UTC)


def tick(name: str, at: datetime, instance: dg.DagsterInstance) -> dg.SkipReason | dg.RunRequest:
    """What the schedule says at that time."""
    repository = build_defs().get_repository_def()
    context = dg.build_schedule_context(instance, at, repository_def=repository)
    data = repository.get_schedule_def(name).evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else dg.SkipReason(data.skip_message)


@pytest.mark.parametrize("name", ROWS)
def test_a_tick_asks_for_the_day_of_the_newest_extract(
    settings: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    monkeypatch.setattr(schedules, "_is_done", lambda *_given: False)
    with dg.instance_for_test() as instance:
        asked = tick(name, LATER, instance)
        assert isinstance(asked, dg.RunRequest)
        job, key = ROWS[name]
        assert (build_defs().resolve_schedule_def(name).job_name, asked.partition_key) == (job, key)
        assert asked.run_key == f"{name}:2025-11-17T06:00"
        assert list(instance.get_dynamic_partitions("day")) == ([key] if key else [])


def test_a_tick_before_the_extract_asks_for_its_own_day(settings: Settings) -> None:
    """A clock that goes back: nothing later than the tick is asked about."""
    del settings
    with dg.instance_for_test() as instance:
        asked = tick("drift_monthly", datetime(2025, 10, 1, 8, 0, tzinfo=UTC), instance)
    assert isinstance(asked, dg.RunRequest)
    assert asked.partition_key == "20251001"


def test_a_tick_that_finds_it_done_says_so_and_one_without_a_home_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    with dg.instance_for_test() as instance:
        done = tick("performance_monthly", LATER, instance)
        monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "nowhere"))
        nothing = tick("performance_monthly", LATER, instance)
    assert isinstance(done, dg.SkipReason)
    assert "of 2025-11-04, and model_performance_v6 of it is there" in (done.skip_message or "")
    assert isinstance(nothing, dg.SkipReason)
    assert "nowhere" in (nothing.skip_message or "")


@pytest.mark.prove
def test_without_a_champion_only_the_shadow_is_asked_for(
    modelled: Modelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of(modelled, tmp_path, monkeypatch)
    with dg.instance_for_test() as instance:
        found = {name: tick(name, LATER, instance) for name in ROWS}
    assert {name for name, asked in found.items() if isinstance(asked, dg.RunRequest)} == {"shadow_daily"}
    skipped = found["production_daily"]
    assert isinstance(skipped, dg.SkipReason)
    assert "No model serves" in (skipped.skip_message or "")


# --- what a month that is not quiet sets off --------------------------------------------------------------------------


@pytest.mark.prove
def test_what_has_drifted_and_a_model_that_ranks_worse_alert_and_stop_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = {"drift": drift.entered, "performance": performance.entered}

    def moved(*given: Any) -> Entered:
        found: Entered = honest["drift"](*given)
        return Entered(found.frame.assign(Has_CFP=1), found.score)

    def shuffled(*given: Any) -> Entered:
        found: Entered = honest["performance"](*given)
        return Entered(found.frame, np.random.default_rng(1).permutation(found.score))

    monkeypatch.setattr(drift, "entered", moved)
    monkeypatch.setattr(performance, "entered", shuffled)
    for module in (drift, performance):
        monkeypatch.setattr(module, "monitoring_code_hash", lambda: "another")
    raise_for(monitor(settings, MONTH, quiet))
    filed = {one.alert.key.partition("-")[0]: one.alert for one in Outbox(settings.outbox).filed()}
    assert {"feature_drift", "performance_drop"} <= set(filed)
    assert "Has_CFP" in filed["feature_drift"].subjects
    words = {line.gate: line.verdict for line in status_lines(read_ledger(settings)[0])}
    assert (words["drift_within_bounds"], words["performance_as_promised"]) == ("warn", "warn")
    row = table(settings, "model_performance_v6").iloc[-1]
    assert row["dropped"] == 1
    assert row["auc_roc"] < 0.6


@pytest.mark.prove
def test_too_few_leads_are_not_judged_and_that_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = {"drift": drift.entered, "performance": performance.entered}

    def few(which: str) -> Any:
        def call(*given: Any) -> Any:
            found = honest[which](*given)
            return Entered(found.frame.iloc[:50], found.score[:50])

        return call

    for module in (drift, performance):
        monkeypatch.setattr(module, "entered", few(module.__name__.rpartition(".")[2]))
        monkeypatch.setattr(module, "monitoring_code_hash", lambda: "few")
    summary = monitor(settings, MONTH, quiet)
    assert summary.failures == []
    assert table(settings, "feature_drift_v6")["psi"].isna().all()
    row = table(settings, "model_performance_v6").iloc[-1]
    assert row["leads"] <= 50
    assert pd.isna(row["auc_roc"])
    folder = Path(str(settings.artifacts)) / "20251104"
    newest = max(folder.glob("feature_drift_report_v6_202511*.md"), key=os.path.getmtime)
    assert "**Not judgeable**" in newest.read_text()


@pytest.mark.prove
def test_who_was_dialled_is_held_against_who_was(
    settings: Settings, modelled: Modelled, scored: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a refresh on dialled weeks: the holdout's dials were logged; every second lead waits a day."""
    held_out = scored.index[scored["block"] == "holdout"].to_numpy(dtype=str)
    with (modelled.feed / "Lead.csv").open(newline="") as file:
        leads = {one["Id"]: one for one in csv.DictReader(file)}
    contacts = [(lead, one["Stage_Entered_Contacting__c"][:10]) for lead, one in leads.items()]
    log = pd.DataFrame([one for one in contacts if one[1]][::2], columns=["Id", "dialled_on"])
    log["dialled_on"] = (pd.to_datetime(log["dialled_on"]) + pd.Timedelta(days=1)).dt.date
    log = log.assign(by_model=0, log_begins=date(2020, 1, 1))
    monkeypatch.setattr(reference, "_logged", lambda *_given: held_out)
    for module in (drift, performance):
        monkeypatch.setattr(module, "read_dials", lambda _warehouse, day: log[log["dialled_on"] <= day])
        monkeypatch.setattr(module, "monitoring_code_hash", lambda: "dialled")
    assert monitor(settings, MONTH, quiet).failures == []
    rows = table(settings, "feature_drift_v6").set_index("feature")
    everybody, dialled = newest_leads(modelled.feed, DAY), newest_leads(modelled.feed, DAY, set(log["Id"]), waits=1)
    assert rows.loc["Has_CFP", "leads"] == len(everybody)
    assert rows.loc["score", "leads"] == len(dialled) < len(everybody)
    # An advisor counts once, as in the window that it is held against.
    assert rows.loc["score", "training_leads"] == len({canonical(leads[lead]["FA_CRD__c"]) for lead in held_out})
    row = table(settings, "model_performance_v6").iloc[-1]
    day_of, begun = dict(contacts), dict(zip(log["Id"], log["dialled_on"], strict=True))
    learned = max(day_of[lead] for lead in scored.index[scored["block"].isin(["training", "calibration"])])
    inside = [lead for lead in scored.index if lead in begun and day_of[lead] > learned]
    mine = [lead for lead in inside if DAY - timedelta(days=119) <= begun[lead] <= DAY - timedelta(days=30)]
    calls = [(lead, leads[lead]["Stage_Entered_Call_Scheduled__c"][:10]) for lead in mine]
    days = [(date.fromisoformat(call) - begun[lead]).days if call else None for lead, call in calls]
    expected = (sum(gap is None or gap >= 0 for gap in days), sum(gap is not None and 0 <= gap <= 30 for gap in days))
    assert (row["basis"], row["assumed_dials"]) == ("dialled leads", 0)
    assert (row["leads"], row["mqls"]) == expected
    folder = Path(str(settings.artifacts)) / "20251104"
    newest = max(folder.glob("feature_drift_report_v6_202511*.md"), key=os.path.getmtime)
    assert f"(of the score the {len(dialled):,} whose leads were first dialled since then)" in newest.read_text()


# --- the gates --------------------------------------------------------------------------------------------------------


def without_a_feature(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.iloc[1:]


def more_calls_than_leads(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(mqls=rows["leads"] + 1)


def another_model(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(model_version=None)


SPOILED = {
    "drift_rows_complete": (drift, without_a_feature),
    "drift_matches_contract": (drift, another_model),
    "performance_counts_consistent": (performance, more_calls_than_leads),
    "performance_matches_contract": (performance, another_model),
}


def test_every_blocking_gate_of_the_steps_has_a_case() -> None:
    mine = {name for name, gate in GATES.items() if gate["asset"] in ASSETS}
    warned = {name for name in mine if GATES[name].get("severity") == "warn"}
    assert mine - warned == set(SPOILED)


@pytest.mark.prove
@pytest.mark.parametrize("gate", SPOILED)
def test_a_gate_that_fails_holds(settings: Settings, gate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, spoil = SPOILED[gate]
    honest, asset = module.write_table, GATES[gate]["asset"]
    before = table(settings, asset)

    def spoiled(warehouse: Any, candidate: str, rows: pd.DataFrame, name: str) -> Any:
        return honest(warehouse, candidate, spoil(rows), name)

    monkeypatch.setattr(module, "write_table", spoiled)
    monkeypatch.setattr(module, "monitoring_code_hash", lambda: gate)
    (failure,) = monitor(settings, MONTH, quiet).failures
    assert (failure.exit_code, failure.step) == (3, asset)
    ledger, _ = read_ledger(settings)
    attempt = ledger.latest(asset, "20251104")
    assert attempt is not None
    assert {verdict.gate.name for verdict in ledger.blocking(attempt)} == {gate}
    pd.testing.assert_frame_equal(table(settings, asset), before)
