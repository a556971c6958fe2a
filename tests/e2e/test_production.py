"""A day in production through the command line: scores by the champion, the call list, and back to an earlier model.

The world is that of the model's tests; steps 5.1 and 5.3 are claimed in the ledger (tests/gates/later_steps.py), since
they are not what is tested here.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.assets.production import alarms, balance
from leadscore_v6.assets.production import scores as production
from leadscore_v6.assets.production.data import production_settings, read_day
from leadscore_v6.assets.shadow.data import column_types
from leadscore_v6.call_list import CallListRequest, write_call_list
from leadscore_v6.contracts import contract
from leadscore_v6.driver import ScoreRequest, raise_for, score
from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.models import known_models
from leadscore_v6.gates.status import status_lines
from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.monitoring.health import Availability
from leadscore_v6.promotion import promote
from leadscore_v6.settings import Settings, from_environment
from leadscore_v6.warehouse.engines import open_warehouse
from tests.e2e.model_world import Modelled
from tests.e2e.process import REPOSITORY, leadscore
from tests.gates.later_steps import shadowed, went

TABLE = "LeadScoring.production_scores_v6"


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module")
def settings(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose only model is champion, scored for the day of the extract."""
    home = tmp_path_factory.mktemp("production") / "home"
    shutil.copytree(modelled.home, home, ignore=shutil.ignore_patterns("dagster"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LEADSCORE_HOME": home, "LEADSCORE_DATA": modelled.feed, "LEADSCORE_THREADS": "1"}.items():
            patch.setenv(name, str(value))
        settings, configured = from_environment(), production_settings()
        # Reasons of ten thousand prospects would be most of what this file costs.
        few = replace(configured, scores=replace(configured.scores, prospects_with_reasons=300))
        patch.setattr(production, "production_settings", lambda: few)
        with pytest.raises(GateBlocked, match="No model serves"):
            score(settings, {}, ScoreRequest(), quiet)
        with open_bench(settings, "test", quiet) as bench:
            (model,) = known_models(bench.ledger)
            shadowed(bench, model.version)
            went(bench)
        promote(settings, model.version, "Ann", "passed all", quiet)
        raise_for(score(settings, {}, ScoreRequest(), quiet))
        yield settings


@pytest.fixture(scope="module")
def day(settings: Settings) -> date:
    """The day of the extract."""
    (key,) = read_ledger(settings)[0].keys("production_scores_v6")
    return date(int(key[:4]), int(key[4:6]), int(key[6:]))


def rows_of(settings: Settings, day: date) -> pd.DataFrame:
    with open_warehouse(settings, read_only=True) as warehouse:
        return read_day(warehouse, TABLE, day)


@pytest.fixture(scope="module")
def rows(settings: Settings, day: date) -> pd.DataFrame:
    """The scores of that day."""
    return rows_of(settings, day)


# --- the scores -------------------------------------------------------------------------------------------------------


def test_open_leads_are_scored_one_by_one_and_counted_by_hand(
    rows: pd.DataFrame, modelled: Modelled, day: date
) -> None:
    wanted = set()
    with (modelled.feed / "Lead.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            contacted = row["Stage_Entered_Contacting__c"][:10]
            is_young = not contacted or date.fromisoformat(contacted) >= day - timedelta(days=90)
            if not row["Stage_Entered_Call_Scheduled__c"] and is_young:
                wanted.add(row["Id"])
    leads = rows[rows["kind"] == "lead"]
    assert len(wanted) > 500
    assert set(leads["Id"]) == wanted
    assert leads["Id"].is_unique
    assert set(leads.loc[leads["outcome"] == "skipped", "why"]) == {"no valid CRD"}
    prospects = rows[rows["kind"] == "prospect"]
    assert prospects["FA_CRD__c"].is_unique
    assert not set(prospects["FA_CRD__c"]) & set(leads["FA_CRD__c"].dropna())


def test_percentiles_are_places_among_all_that_were_scored_that_day(rows: pd.DataFrame) -> None:
    scored = rows[rows["outcome"] == "scored"]
    probability = scored["probability"].to_numpy(dtype=float)
    for place in np.linspace(0, len(scored) - 1, 50).astype(int):
        below = int((probability < probability[place]).sum())
        assert scored["percentile"].iloc[place] == 100 * below // len(scored) + 1
    assert (scored["decile"] == (scored["percentile"] - 1) // 10 + 1).all()
    assert set(scored["trend"]) == {"new"}


def test_each_lead_has_reasons_in_plain_words_and_knows_its_model(rows: pd.DataFrame) -> None:
    leads = rows[(rows["kind"] == "lead") & (rows["outcome"] == "scored")]
    assert leads["reasons"].str.match(r"(for|against): .+; (for|against): .+; (for|against): .+").all()
    assert not leads["reasons"].str.contains("_").any()
    assert len(set(leads["model_version"])) == 1
    unknown = leads[leads["rep_snapshot_at"].isna()]
    assert len(unknown)
    assert unknown["warnings"].str.contains("no snapshot knows this advisor").all()


def test_the_same_day_again_is_known_and_another_champion_would_not_be(settings: Settings, day: date) -> None:
    summary = score(settings, {}, ScoreRequest(day), quiet)
    assert "production_scores_v6[" + f"{day:%Y%m%d}]" in summary.recognised


def test_the_report_says_who_was_scored(settings: Settings, day: date) -> None:
    report = (Path(settings.artifacts) / f"{day:%Y%m%d}" / "production_scores_report_v6.md").read_text()
    assert "## Who was scored" in report
    assert "contacted leads only" in report
    assert "SYNTHETIC DATA" in report


@pytest.mark.parametrize(
    ("asked", "says"),
    [(date(2026, 5, 1), "lies after the CRM extract"), (date(2025, 10, 4), "lies before the newest snapshot")],
)
def test_a_day_that_is_not_known_or_not_known_any_more_is_refused(settings: Settings, asked: date, says: str) -> None:
    (refusal,) = score(settings, {}, ScoreRequest(asked), quiet).failures
    assert refusal.exit_code == 2
    assert says in refusal.message


def test_a_lead_that_cannot_be_scored_is_a_failed_row_and_the_others_are_scored(
    settings: Settings, day: date, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = rows[(rows["kind"] == "lead") & (rows["outcome"] == "scored")]
    bad = str(leads["Id"].iloc[7])
    honest = LeadScorer.score_leads

    def spoiled(scorer: LeadScorer, frame: pd.DataFrame, **given: Any) -> Any:
        if (frame["Id"] == bad).any():
            raise ValueError("infinite (feature X)\nsecond line")
        return honest(scorer, frame, **given)

    yesterday = day - timedelta(days=1)
    with monkeypatch.context() as patch:
        patch.setattr(LeadScorer, "score_leads", spoiled)
        patch.setattr(production, "_CHUNK", 1000)
        raise_for(score(settings, {}, ScoreRequest(yesterday), quiet))
    found = rows_of(settings, yesterday).set_index("Id")
    assert found.loc[bad, "outcome"] == "failed"
    assert found.loc[bad, "why"] == "ValueError: infinite (feature X)"
    assert pd.isna(found.loc[bad, "percentile"])
    assert (found["outcome"] == "failed").sum() == 1
    # The day after is compared with it.
    raise_for(score(settings, {}, ScoreRequest(day), quiet))
    trends = rows_of(settings, day)["trend"].value_counts()
    assert trends["same"] > 0.9 * len(rows)


# --- what is watched, and who hears of it -----------------------------------------------------------------------------


def test_another_rate_of_conversions_alerts_and_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (quiet_week,) = [one for one in status_lines(read_ledger(settings)[0]) if one.gate == "class_balance_stable"]
    assert quiet_week.verdict == "pass"
    honest = balance.class_balance

    def beside_another_training(contact: Any, label: Any, rate: float, *given: Any) -> Any:
        return honest(contact, label, 2 * rate, *given)

    monkeypatch.setattr(balance, "class_balance", beside_another_training)
    monkeypatch.setattr(balance, "production_code_hash", lambda: "another")
    summary = score(settings, {}, ScoreRequest(), quiet)
    assert summary.failures == []
    (filed,) = Outbox(settings.outbox).filed()
    assert filed.alert.key == "class_balance"
    (line,) = [one for one in status_lines(read_ledger(settings)[0]) if one.gate == "class_balance_stable"]
    assert line.verdict == "warn"


def test_an_outbox_that_cannot_be_written_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Outbox, "file", full)
    figures = {"success_rate": 0.5, "error_rate": 0.0, "latency_mean_ms": 1.0, "features_unavailable": 0}
    with open_bench(settings, "test", quiet) as bench:
        alarms.raise_alerts(bench, settings, "health", figures)
    assert "no alert could be raised: [Errno 28]" in caplog.text


# --- the gates --------------------------------------------------------------------------------------------------------

GATES = {gate["name"]: gate for gate in yaml.safe_load((REPOSITORY / "config/gates.yaml").read_text())["gates"]}
Rows = Callable[[pd.DataFrame], pd.DataFrame]


def first(rows: pd.DataFrame, kind: str, count: int, **values: object) -> pd.DataFrame:
    """The first scored rows of a kind with other values."""
    changed = rows.copy()
    places = rows.index[(rows["outcome"] == "scored") & (rows["kind"] == kind)][:count]
    for name, value in values.items():
        changed[name] = changed[name].astype(object)
        changed.loc[places, name] = value
    return changed


def unscored(outcome: str, count: int) -> Rows:
    gone = {"outcome": outcome, "why": "x", "probability": None, "percentile": None, "decile": None}
    return lambda rows: first(rows, "lead", count, **gone)


SPOILED: dict[str, Rows] = {
    "production_success_rate": unscored("skipped", 20),
    "production_error_rate": unscored("failed", 7),
    "production_leads_have_crd": lambda rows: first(rows, "lead", 100, FA_CRD__c=None),
    "production_leads_accounted": lambda rows: rows.iloc[1:],
    "production_one_row_each": lambda rows: pd.concat([rows, rows.iloc[-1:]]),
    "production_outcomes_accounted": lambda rows: first(rows, "lead", 1, why="and yet"),
    "production_percentiles_complete": lambda rows: first(rows, "prospect", 1, percentile=100, decile=1),
    "production_no_future_snapshot": lambda rows: first(rows, "lead", 1, rep_snapshot_at=pd.Timestamp("2030-01-01")),
}
# What cannot but fail with it: places move with the rows, and what has no CRD is another lead's.
ALSO = {
    "production_success_rate": {"production_percentiles_complete"},
    "production_error_rate": {"production_percentiles_complete"},
    "production_leads_have_crd": {"production_leads_accounted"},
    "production_leads_accounted": {"production_percentiles_complete"},
    "production_one_row_each": {"production_percentiles_complete"},
}
JUDGED = {
    "production_latency": {"latency_ms": np.array([700.0])},
    "production_features_available": {"availability": (Availability("x", 0.1, 0.4, 1e-9, 1e-8, True, True),)},
    "production_no_skew": {"differing": 1},
}
HEARD_OF = {
    "production_success_rate": "scoring_success",
    "production_latency": "scoring_latency",
    "production_features_available": "feature_availability",
}
IN_MAKE_TEST = {"production_one_row_each", "production_no_skew"}


def test_every_gate_of_the_step_has_a_case() -> None:
    mine = {name for name, gate in GATES.items() if gate["asset"] == "production_scores_v6"}
    assert {*SPOILED, *JUDGED, "production_matches_contract"} == mine


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param(gate, marks=[] if gate in IN_MAKE_TEST else [pytest.mark.prove])
        for gate in (*SPOILED, *JUDGED, "production_matches_contract")
    ],
)
def test_a_gate_that_fails_holds(settings: Settings, day: date, rows: pd.DataFrame, gate: str) -> None:
    honest_rows, honest_judge, other = production._rows, production._judge, day - timedelta(days=3)
    types = {**column_types(contract("production_scores")), "percentile": "FLOAT64"}
    with pytest.MonkeyPatch.context() as patch:
        # Another content for each: what was judged before would be known.
        patch.setattr(production, "production_code_hash", lambda: gate)
        if gate in SPOILED:
            patch.setattr(production, "_rows", lambda *given: SPOILED[gate](honest_rows(*given)).reset_index(drop=True))
        elif gate in JUDGED:
            patch.setattr(production, "_judge", lambda *given: replace(honest_judge(*given), **JUDGED[gate]))
        else:
            patch.setattr(production, "column_types", lambda _agreed: types)
        failures = score(settings, {}, ScoreRequest(other), quiet).failures
    ledger, _ = read_ledger(settings)
    attempt = ledger.latest("production_scores_v6", f"{other:%Y%m%d}")
    failed = {verdict.gate.name for verdict in ledger.verdicts(attempt) if verdict.word in ("fail", "warn")}
    assert failed == {gate} | ALSO.get(gate, set())
    assert [failure.exit_code for failure in failures] == [3]
    assert rows_of(settings, other).empty
    told = {filed.alert.key for filed in Outbox(settings.outbox).filed()}
    assert HEARD_OF.get(gate) in {None, *told}
    with pytest.raises(GateBlocked, match="scores that do not hold"):
        write_call_list(settings, CallListRequest(associates_file(settings), day=other))


def associates_file(settings: Settings) -> Path:
    file = settings.home.parent / "Associates.csv"
    file.write_text("associate\nAnn\n")
    return file


# --- the call list ----------------------------------------------------------------------------------------------------


def test_a_call_list_has_every_associate_once_over_and_nobody_twice(settings: Settings, tmp_path: Path) -> None:
    associates, excluded = tmp_path / "Associates.csv", tmp_path / "excluded.csv"
    associates.write_text("associate,weekly_capacity,active\nAnn,40,Yes\nBob,40,Yes\nCid,40,Yes\nDot,40,No\n")
    first = leadscore("call-list", "--home", settings.home, "--associates", associates, "--per-associate", 20)
    assert first.returncode == 0, first.stderr
    (people,) = Path(settings.artifacts).glob("call_list_v6_????????.csv")
    best = pd.read_csv(people, dtype={"FA_CRD__c": str})
    assert best["associate"].value_counts().to_dict() == {"Ann": 20, "Bob": 20, "Cid": 20}
    assert best["FA_CRD__c"].is_unique
    assert best["percentile"].min() > 90
    assert best["reasons"].notna().all()
    expected = best.groupby("associate")["probability"].sum()
    assert expected.max() / expected.min() < 1.01
    (crm,) = Path(settings.artifacts).glob("call_list_v6_*_crm_import.csv")
    assert len(pd.read_csv(crm)) == 60
    # Whoever is excluded is not called, and the CRD may be written as the CRM spells it.
    top = best["FA_CRD__c"].iloc[0]
    excluded.write_text(f"FA_CRD__c,until\n00{top}.0,\n{best['FA_CRD__c'].iloc[1]},2020-01-01\n")
    out = tmp_path / "lists"
    again = leadscore(
        "call-list",
        "--home",
        settings.home,
        "--associates",
        associates,
        "--per-associate",
        20,
        "--exclude",
        excluded,
        "--out",
        out,
    )
    assert again.returncode == 0, again.stderr
    assert "1 on the exclusion list" in again.stdout
    called = set(pd.read_csv(next(out.glob("*[0-9].csv")), dtype={"FA_CRD__c": str})["FA_CRD__c"])
    assert top not in called
    assert best["FA_CRD__c"].iloc[1] in called
