"""A day in production through the command line: scores by the champion, the call list, and back to an earlier model.

The world is that of the model's tests; steps 5.1 and 5.3 are claimed in the ledger (tests/gates/later_steps.py), since
they are not what is tested here.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadscore_v6 import driver
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.assets.production import alarms, balance, data
from leadscore_v6.assets.production import scores as production
from leadscore_v6.assets.shadow.data import column_types
from leadscore_v6.call_list import CallListRequest, write_call_list
from leadscore_v6.contracts import contract
from leadscore_v6.dashboard.page import State
from leadscore_v6.dashboard.settings import PAGE_FILE
from leadscore_v6.dashboard_panels.home import open_home
from leadscore_v6.dashboard_panels.models import models
from leadscore_v6.driver import ScoreRequest, raise_for, score
from leadscore_v6.errors import GateBlocked, InputError, WrongDay
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.models import folder_of, known_models
from leadscore_v6.gates.status import status_lines
from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.settings import Settings
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore
from tests.e2e.production_cases import ALSO, HEARD_OF, JUDGED, SPOILED
from tests.e2e.production_world import associates_file, own_copy, quiet, rows_of, scored_day
from tests.e2e.sabotage import GATES, Product
from tests.e2e.test_model_gates import ASSETS, Fitted
from tests.gates.later_steps import reigning

TABLE = "LeadScoring.production_scores_v6"


@pytest.fixture(scope="module")
def settings(
    production_home: Path, modelled: Modelled, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A home in production of this module's own."""
    with own_copy(production_home, modelled, tmp_path_factory.mktemp("production")) as settings:
        yield settings


@pytest.fixture(scope="module")
def day(settings: Settings) -> date:
    """The day of the extract."""
    return scored_day(settings)


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
def test_a_day_that_is_not_known_or_not_known_any_more_is_refused(
    settings: Settings, asked: date, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WrongDay, match=says):
        score(settings, {}, ScoreRequest(asked), quiet)
    # A schedule names no day: of its run the step says it.
    with monkeypatch.context() as patch:
        patch.setattr(driver, "_require_day", lambda _bench, _day: None)
        (refusal,) = score(settings, {}, ScoreRequest(asked), quiet).failures
    assert refusal.exit_code == 2
    assert says in refusal.message


def test_a_lead_that_cannot_be_scored_is_a_failed_row_and_the_others_are_scored(
    settings: Settings, day: date, rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    # The day after knows of no other snapshot: it is not compared with it, until a snapshot has come in between.
    raise_for(score(settings, {}, ScoreRequest(day), quiet))
    assert set(rows_of(settings, day)["trend"].dropna()) == {"new"}
    with monkeypatch.context() as patch:
        patch.setattr(data, "served_day", lambda _bench: day)
        raise_for(score(settings, {}, ScoreRequest(day), quiet))
    trends = rows_of(settings, day)["trend"].value_counts()
    assert trends["same"] > 0.9 * len(rows)
    told = f"A trend is against the scores of {yesterday}, the last by this model before the newest snapshot"
    assert told in (Path(settings.artifacts) / f"{day:%Y%m%d}" / "production_scores_report_v6.md").read_text()
    listed = write_call_list(settings, CallListRequest(associates_file(settings), out=tmp_path, per_associate=5))
    assert told in str(listed)
    assert told in listed.page()


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
    (filed,) = [one for one in Outbox(settings.outbox).filed() if one.alert.key.startswith("class_balance")]
    assert filed.alert.is_synthetic
    (week,) = filed.alert.subjects
    assert date.fromisoformat(week).weekday() == 0
    # Another day finds the same week: whoever was told is not told again.
    monkeypatch.setattr(balance, "production_code_hash", lambda: "of the day after")
    score(settings, {}, ScoreRequest(), quiet)
    (again,) = [one for one in Outbox(settings.outbox).filed() if one.alert.key.startswith("class_balance")]
    assert (again.id, again.times) == (filed.id, 2)
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
    assert "no alert could be raised: OSError: [Errno 28]" in caplog.text


def test_who_waits_for_the_scores_hears_of_a_run_that_was_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, day: date
) -> None:
    def told() -> list[tuple[str, ...]]:
        filed = Outbox(settings.outbox).filed()
        return [one.alert.subjects for one in filed if one.alert.key.startswith("run_failed")]

    shutil.rmtree(settings.outbox, ignore_errors=True)
    # The extract did not come.
    nothing, page = replace(settings, data=settings.home / "no_feed"), Path(settings.artifacts) / PAGE_FILE
    page.unlink()
    with pytest.raises(InputError, match=r"There is no Lead.csv"):
        score(nothing, {}, ScoreRequest(land=True), quiet)
    assert told() == [("production_scores_v6",)]
    assert "1 alert waits for somebody" in page.read_text()
    shutil.rmtree(settings.outbox)
    # A day that was named and cannot be scored: who named it is told, and nobody else.
    late = ScoreRequest(date(2026, 5, 1))
    with pytest.raises(WrongDay, match="lies after the CRM extract"):
        score(settings, {}, late, quiet)
    assert told() == []
    # It came late: the step of a schedule's run refuses the day.
    with monkeypatch.context() as patch:
        patch.setattr(driver, "_require_day", lambda _bench, _day: None)
        (refusal,) = score(settings, {}, late, quiet).failures
    assert refusal.exit_code == 2
    assert told() == [("production_scores_v6",)]

    def broken(*_given: object) -> None:
        raise ZeroDivisionError("a fault of the product")

    monkeypatch.setattr(production, "subjects", broken)
    monkeypatch.setattr(production, "production_code_hash", lambda: "broken")
    (failure,) = score(settings, {}, ScoreRequest(day), quiet).failures
    assert "a fault of the product" in failure.message
    # Another failure of the same step is told too, and a fault of ours by its kind alone.
    assert told() == [("production_scores_v6",), ("production_scores_v6", "ZeroDivisionError")]
    # What is told does not hide what happened.
    monkeypatch.setattr(Outbox, "file", broken_by_a_value)
    (failure,) = score(settings, {}, ScoreRequest(day), quiet).failures
    assert "a fault of the product" in failure.message
    monkeypatch.undo()
    raise_for(score(settings, {}, ScoreRequest(day), quiet))


def broken_by_a_value(*_given: object) -> None:
    raise ValueError("an address that is none")


@pytest.mark.prove
def test_before_a_model_serves_a_failed_step_is_nobodys_alert(modelled: Modelled, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(modelled.home, home, ignore=shutil.ignore_patterns("dagster", "outbox"))
    refused = leadscore("shadow", "--home", home, "--day", "2030-01-01")
    assert refused.returncode == 2, refused.stderr
    assert Outbox(home / "outbox").filed() == ()


# --- the gates --------------------------------------------------------------------------------------------------------

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
    told = {filed.alert.key.partition("-")[0] for filed in Outbox(settings.outbox).filed()}
    assert {HEARD_OF.get(gate, "run_failed"), "run_failed"} <= told
    with pytest.raises(GateBlocked, match="scores that do not hold"):
        write_call_list(settings, CallListRequest(associates_file(settings), day=other))


def test_a_champion_whose_files_are_not_whole_is_found_before_it_is_needed(settings: Settings) -> None:
    reign = champion(read_ledger(settings)[0])
    (file,) = FolderStore(settings.model_folders).path(folder_of(reign.calibrated)).glob("*.ubj")
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content + b"x")
    try:
        ran = leadscore("doctor", "--home", settings.home)
        with open_home(settings, None) as home:
            panel = models(home, next(one for one in home.settings.panels if one.panel == "models"))
    finally:
        file.write_bytes(content)
    assert ran.returncode == 2
    # Nothing else is amiss: the extract was landed from another folder, and serves.
    assert [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("MISSING")] == ["champion"]
    assert "bytes where" in ran.stdout
    assert "leadscore rollback --model FORMER" in ran.stdout
    assert panel.verdict.state is State.STOPPED
    assert f"{file.name} has" in panel.verdict.says
    assert "`leadscore restore ARCHIVE --home NEW`" in panel.verdict.do
    with open_home(settings, None) as home:
        assert models(home, home.settings.panels[-1]).verdict.state is not State.STOPPED


# --- back to an earlier model ---------------------------------------------------------------------------------------


@pytest.mark.prove
def test_rolled_back_the_day_is_scored_as_it_was_to_the_last_bit(
    settings: Settings, day: date, modelled: Modelled
) -> None:
    """Issue 6, done when 4."""
    raise_for(score(settings, {}, ScoreRequest(day), quiet))
    before = rows_of(settings, day)
    first = known_models(read_ledger(settings)[0])[0].version
    assert Fitted(Product(settings, [], {}), modelled.fitted()).run(ASSETS).stops == []
    second = known_models(read_ledger(settings)[0])[0].version
    assert second != first
    with open_bench(settings, "test", quiet) as bench:
        reigning(bench, second)
    raise_for(score(settings, {}, ScoreRequest(day), quiet))
    between = rows_of(settings, day)
    assert set(between["model_version"]) == {second}
    (people, *_) = write_call_list(settings, CallListRequest(associates_file(settings), day=day)).paths.values()
    back = leadscore("rollback", "--model", first, "--home", settings.home, "--by", "Bob", "--reason", "slow")
    assert back.returncode == 0, back.stderr
    assert f"Call lists by {second} that people may still be calling by" in back.stdout
    assert f"\n  {people}\n  what to do: take them back" in back.stdout
    raise_for(score(settings, {}, ScoreRequest(day), quiet))
    pd.testing.assert_frame_equal(rows_of(settings, day), before, check_exact=True)
