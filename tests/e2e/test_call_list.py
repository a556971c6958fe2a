"""Call lists of a scored day: who is on them, what they say of the model, and when there is none."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6 import call_list
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.assets.production.data import read_calls
from leadscore_v6.assets.tables import write_table
from leadscore_v6.call_list import CallListRequest, write_call_list
from leadscore_v6.driver import ScoreRequest, raise_for, score
from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates import caveats
from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.decisions import undo_withdrawal, withdraw
from leadscore_v6.gates.extract import waits_to_be_built
from leadscore_v6.gates.programme import ASSIGNED, stop
from leadscore_v6.production.call_list import DIALLED, IN_TEST
from leadscore_v6.runs import LEADS, open_runner
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.why import ask, render_answer
from tests.e2e.gate_cases import without_the_last
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore
from tests.e2e.production_world import associates_file, own_copy, quiet, rows_of, scored_day
from tests.e2e.sabotage import Row, edit
from tests.gates.later_steps import under_way


@pytest.fixture(scope="module")
def settings(
    production_home: Path, modelled: Modelled, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A home in production of this module's own."""
    with own_copy(production_home, modelled, tmp_path_factory.mktemp("call_list")) as settings:
        yield settings


@pytest.fixture(scope="module")
def day(settings: Settings) -> date:
    """The day of the extract."""
    return scored_day(settings)


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
    # The same rows three times: for people, for the CRM, and a page that says what must be known of them.
    page = next(out.glob("*.md")).read_text()
    assert "SYNTHETIC DATA" in page
    assert "1 on the exclusion list" in page


def test_everybody_on_the_list_can_be_asked_about_and_is_answered_as_stored(
    settings: Settings, day: date, tmp_path: Path
) -> None:
    """By Id or by CRD as the CRM spells it; a prospect without stored reasons gets those of the very same score."""
    scores = rows_of(settings, day)
    made = write_call_list(settings, CallListRequest(associates_file(settings), out=tmp_path, per_associate=40)).made
    beyond = scores[(scores["kind"] == "prospect") & (scores["outcome"] == "scored") & scores["reasons"].isna()]
    for row in [*made.rows.to_dict("records"), *beyond.head(2).to_dict("records")]:
        asked = row["Id"] if row["kind"] == "lead" else f" 00{row['FA_CRD__c']}.0"
        answer = ask(settings, asked)
        assert (answer["crd"], answer["kind"]) == (row["FA_CRD__c"], row["kind"])
        assert (answer["probability"], answer["percentile"]) == (row["probability"], row["percentile"])
        assert (answer["scored_on"], answer["model"]["version"]) == (str(day), row["model_version"])
        reasons = "; ".join(f"{one['direction']}: {one['text']}" for one in answer["reasons"])
        assert reasons == row["reasons"] if isinstance(row["reasons"], str) else len(answer["reasons"]) > 0
        assert answer["warnings"] == (row["warnings"].split("; ") if isinstance(row["warnings"], str) else [])
        told = render_answer(answer)
        assert all(text in told for text in (*(one["text"] for one in answer["reasons"]), str(day), "champion"))
        assert ("of prospects" in told) is (row["kind"] == "prospect")
    without = scores[scores["outcome"] == "skipped"].iloc[0]
    assert f"no score on {day}, skipped: {without['why']}." in render_answer(ask(settings, without["Id"]))
    with pytest.raises(UsageError, match=rf"no lead or prospect '00Q' among those scored on {day}"):
        ask(settings, "00Q")
    with pytest.raises(UsageError, match="2020-01-01 has not been scored; the newest day is"):
        ask(settings, "00Q", day=date(2020, 1, 1))
    first = made.rows.iloc[0]
    said = leadscore("why", first["FA_CRD__c"], "--home", settings.home, "--day", day)
    assert said.returncode == 0, said.stderr
    assert f"{first['probability']:.1%} likely" in said.stdout


def test_a_call_list_and_the_days_report_tell_of_waivers_and_of_the_champions_age(
    settings: Settings, day: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_bench(settings, "test", quiet) as bench:
        reps = bench.ledger.latest("snapshot_reps", bench.ledger.snapshots()[0])
        waiver = {"gate": "reps_typing_losses", "by": "Ann", "reason": "a known loss", "expires": "2020-01-01"}
        bench.record("waived", reps, waiver)
    honest = caveats.monitoring_settings()
    older = replace(honest, champion=replace(honest.champion, quarters=-1))
    monkeypatch.setattr(caveats, "monitoring_settings", lambda: older)
    shutil.rmtree(settings.outbox, ignore_errors=True)
    raise_for(score(settings, {}, ScoreRequest(day), quiet))
    written = write_call_list(settings, CallListRequest(associates_file(settings), out=tmp_path, per_associate=5))
    report = (Path(settings.artifacts) / f"{day:%Y%m%d}" / "production_scores_report_v6.md").read_text()
    balance_report = (Path(settings.artifacts) / "class_balance_report_v6.md").read_text()
    for page in (report, balance_report, written.page(), str(written)):
        assert "snapshot_reps 20240107: `reps_typing_losses` by Ann until 2020-01-01: a known loss" in page
        assert "more than -1 quarters before" in page
    (told,) = [one.alert for one in Outbox(settings.outbox).filed() if one.alert.key.startswith("champion_age")]
    assert told.subjects == (written.model,)


def test_no_call_list_of_a_day_whose_extract_was_withdrawn_since(settings: Settings, tmp_path: Path) -> None:
    asked = CallListRequest(associates_file(settings), out=tmp_path / "lists")
    with open_bench(settings, "test", quiet) as bench:
        withdraw(bench, "Lead.csv", "half of it is missing")
    with pytest.raises(GateBlocked, match=r"Lead.csv, .* was withdrawn .*half of it[\s\S]*leadscore score --day"):
        write_call_list(settings, asked)
    day = scored_day(settings)
    lead = str(rows_of(settings, day)["Id"].iloc[0])
    assert "half of it is missing" in render_answer(ask(settings, lead, day=day))
    assert not (tmp_path / "lists").exists()
    with open_bench(settings, "test", quiet) as bench:
        undo_withdrawal(bench, "Lead.csv")
    assert len(write_call_list(settings, asked).paths) == 3


def one_newer(records: list[Row]) -> None:
    """Another open lead."""
    newest = max(records, key=lambda row: row["Stage_Entered_Contacting__c"])
    records.append(newest | {"Id": "00Q000000000NEWAA0", "Stage_Entered_Call_Scheduled__c": ""})


@pytest.mark.prove
def test_after_a_withdrawal_the_extract_before_is_scored_without_a_delivery(
    settings: Settings, modelled: Modelled, day: date, tmp_path: Path
) -> None:
    before, nothing = rows_of(settings, day), tmp_path / "inbox"
    nothing.mkdir()
    shutil.copy(modelled.feed / "Lead.csv", tmp_path)
    edit(tmp_path / "Lead.csv", one_newer)
    raise_for(score(replace(settings, data=tmp_path), {}, ScoreRequest(land=True), quiet))
    assert len(rows_of(settings, day)) != len(before)
    with open_bench(settings, "test", quiet) as bench:
        assert "`leadscore score` is such a run" in withdraw(bench, "Lead.csv", "of another team").serves
        assert waits_to_be_built(bench.ledger)
    raise_for(score(replace(settings, data=nothing), {}, ScoreRequest(), quiet))
    pd.testing.assert_frame_equal(rows_of(settings, day), before, check_exact=True)
    assert write_call_list(settings, CallListRequest(associates_file(settings), out=tmp_path)).day == day


def test_whom_a_cut_off_extract_lacks_is_no_prospect(
    settings: Settings, modelled: Modelled, day: date, tmp_path: Path
) -> None:
    """The extract is stopped, the day's scores serve as they are, and of what is not known there is no list (R49)."""
    before = rows_of(settings, day)
    assert (before["kind"] == "lead").any()
    shutil.copy(modelled.feed / "Lead.csv", tmp_path)
    edit(tmp_path / "Lead.csv", without_the_last(20))
    (refusal,) = score(replace(settings, data=tmp_path), {}, ScoreRequest(land=True), quiet).failures
    assert refusal.exit_code == 3
    assert "leads_of_before_still_there" in refusal.message
    pd.testing.assert_frame_equal(rows_of(settings, day), before)
    asked = CallListRequest(associates_file(settings), out=tmp_path / "lists")
    with pytest.raises(GateBlocked, match="leads_of_before_still_there"):
        write_call_list(settings, asked)
    raise_for(score(settings, {}, ScoreRequest(land=True), quiet))
    pd.testing.assert_frame_equal(rows_of(settings, day), before)
    assert len(write_call_list(settings, asked).paths) == 3


def test_whoever_scheduled_a_call_since_is_not_on_the_list(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = CallListRequest(associates_file(settings), out=tmp_path, per_associate=20)
    first = write_call_list(settings, asked)
    crd = first.made.rows["FA_CRD__c"].iloc[0]
    with open_warehouse(settings, read_only=True) as warehouse:
        known = read_calls(warehouse)
        records = warehouse.query(f"SELECT crd FROM {warehouse.dataset}.crm_leads WHERE crd IS NOT NULL")
    assert len(known) > 1000
    in_crm = Counter(record["crd"] for record in records)
    assert first.made.rows["crm_records"].to_list() == [in_crm[one] for one in first.made.rows["FA_CRD__c"]]
    known.loc[crd, "last_call_on"] = pd.Timestamp(first.day)
    monkeypatch.setattr(call_list, "read_calls", lambda _warehouse: known)
    second = write_call_list(settings, asked)
    assert crd not in set(second.made.rows["FA_CRD__c"])
    assert second.made.left_out["scheduled a call already"] == first.made.left_out["scheduled a call already"] + 1


def test_while_a_test_runs_its_advisors_are_on_no_call_list(settings: Settings, tmp_path: Path) -> None:
    """Best first, it would dial control in the model's order: the arms would differ in nothing (R28)."""
    asked = CallListRequest(associates_file(settings), out=tmp_path, per_associate=20)
    first = write_call_list(settings, asked)
    control, treatment, earlier = first.made.rows["FA_CRD__c"].iloc[:3]
    dealt = pd.DataFrame(
        {
            "lead_id": ["L1", "L2", "L3"],
            "crd": [control, treatment, earlier],
            "arm": ["control", "treatment", "control"],
            "fingerprint": ["f", "f", "of an earlier test"],
        }
    )
    with open_bench(settings, "test", quiet) as bench:
        write_table(bench.warehouse, f"{bench.warehouse.dataset}.{ASSIGNED}", dealt, ASSIGNED)
        under_way(bench)
    second = write_call_list(settings, asked)
    assert not {control, treatment} & set(second.made.rows["FA_CRD__c"])
    assert earlier in set(second.made.rows["FA_CRD__c"])
    assert second.made.left_out[IN_TEST] == 2
    assert f"2 {IN_TEST}" in str(second)
    with open_bench(settings, "test", quiet) as bench:
        stop(bench, "Ann", "a wrong queue was dialled")
    assert write_call_list(settings, asked).made.rows.equals(first.made.rows)


def test_whom_the_landed_log_has_dialled_lately_is_left_out_and_no_list_without_a_sound_log(
    settings: Settings, tmp_path: Path
) -> None:
    asked = CallListRequest(associates_file(settings), out=tmp_path / "lists", per_associate=20)
    first = write_call_list(settings, asked)
    assert "no Dials.csv was landed" in str(first)
    contacted = first.made.rows[first.made.rows["kind"] == "lead"].dropna(subset=["last_contact_on"])
    leads = contacted.sort_values("last_contact_on").to_dict("records")
    lead, other = leads[-1], leads[0]
    before = first.day - timedelta(days=31)
    assert pd.Timestamp(other["last_contact_on"]).date() <= before

    def land(queue: str) -> list[str]:
        rows = [(lead, first.day - timedelta(days=1)), (other, before)]
        dials = [f"{of['Id']},00{of['FA_CRD__c']}.0,Ann,{on} 09:00:00,{queue}\n" for of, on in rows]
        (feed / "Dials.csv").write_text("".join(["Id,FA_CRD__c,associate,dialled_at,queue\n", *dials]))
        with open_runner(replace(settings, data=feed), {}, quiet, [], 1) as runner:
            runner.run(LEADS, None)
        return [failure.step for failure in runner.summary.failures]

    feed = tmp_path / "feed"
    feed.mkdir()
    (feed / "Lead.csv").hardlink_to(settings.data / "Lead.csv")
    (feed / "Associates.csv").write_text("associate,weekly_capacity,active\nAnn,40,Yes\n")
    assert land("usual") == []
    second = write_call_list(settings, asked)
    called = set(second.made.rows["FA_CRD__c"])
    assert lead["FA_CRD__c"] not in called
    assert other["FA_CRD__c"] in called
    assert second.made.left_out[DIALLED] == 1
    assert f"Dials are known up to {first.day - timedelta(days=1)}." in second.page()
    # The log that serves is the one before; whom the newest has dialled nobody knows.
    assert land("whim") == ["crm_dials"]
    with pytest.raises(GateBlocked, match=r"No call list from dials that do not hold[\s\S]*dials_queue_known"):
        write_call_list(settings, asked)
    assert land("usual") == []
    assert write_call_list(settings, asked).made.rows.equals(second.made.rows)
