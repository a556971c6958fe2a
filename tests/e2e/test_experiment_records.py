"""What the CRM, a snapshot or an earlier test does to a running one: nothing is lost unseen, nothing is spent twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from leadscore_v6.assets.experiment import design, enrolment, plan, reading, scoring
from leadscore_v6.serving import SingleLeadPath
from leadscore_v6.serving.settings import EXCLUDED
from tests.e2e.experiment_world import ASSIGNMENTS, DAILY, FINAL, INTERIM, POWER, QUEUE, At, Played, stopped, table
from tests.e2e.process import leadscore
from tests.e2e.sabotage import REBUILD, Row, SabotagedWarehouse, edit

# --- the CRM ----------------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_what_the_crm_changes_of_a_lead_loses_no_outcome(at: At) -> None:
    """One lead dated anew into October, one dialled early, as when a week of dials is brought later: both counted."""
    world = at("interim")
    assigned = table(world, ASSIGNMENTS)
    called = pd.read_csv(world.feed / "Lead.csv", dtype=str).set_index("Id")["Stage_Entered_Call_Scheduled__c"].dropna()
    dials = pd.read_csv(world.feed / "Dials.csv", dtype=str)
    moved = next(lead for lead in assigned["lead_id"] if lead in called.index and lead in set(dials["Id"]))
    early = next(lead for lead in assigned["lead_id"] if lead not in set(dials["Id"]))

    def dated_anew(records: list[Row]) -> None:
        (row,) = (row for row in records if row["Id"] == moved)
        row["Stage_Entered_Contacting__c"] = "2025-10-01 09:00:00"

    def dialled_early(records: list[Row]) -> None:
        crd = assigned.set_index("lead_id")["crd"][early]
        records.append({**records[0], "Id": early, "FA_CRD__c": crd, "dialled_at": "2025-12-05 10:00:00"})

    before = world.product.materialize([INTERIM], None)
    assert before.stops == []
    mqls = sum(arm["mqls"] for arm in world.product.ledger.latest(INTERIM).facts["arms"].values())
    edit(world.feed / "Lead.csv", dated_anew)
    edit(world.feed / "Dials.csv", dialled_early)
    assert world.week().stops == []
    held = world.product.ledger.latest(ASSIGNMENTS).figures
    counts = ("leads_assigned_before", "leads_gone", "leads_changed", "leads_dialled_early", "leads_called_early")
    assert [held[name] for name in counts] == [len(assigned), 0, 1, 1, 0]
    newest = world.product.ledger.latest(DAILY).facts["newest"]
    assert newest["enrolled_leads"] == len(assigned) - 1
    assert newest["mqls"] == mqls, "the outcome of the lead that was dated anew counts"
    report = (world.artifacts / f"{ASSIGNMENTS}.md").read_text()
    assert "| another contact day or advisor; read in their arm | 1 | 0.05% |" in report


def lose_control(world: Played) -> None:
    """A CRM that merges leads away, in the control arm only."""
    arms = table(world, ASSIGNMENTS).set_index("lead_id")["arm"]
    gone = set(arms[arms == "control"].index[::4])
    edit(world.feed / "Lead.csv", lambda rows: rows.__setitem__(slice(None), [r for r in rows if r["Id"] not in gone]))
    edit(world.feed / "Dials.csv", lambda rows: rows.__setitem__(slice(None), [r for r in rows if r["Id"] not in gone]))


def forget_a_week(world: Played) -> None:
    """A Dials.csv that lacks the first week but for its first dial: the log begins as it did."""
    recent = lambda rows: [rows[0], *(row for row in rows[1:] if row["dialled_at"] >= "2025-12-12")]  # noqa: E731
    edit(world.feed / "Dials.csv", lambda rows: rows.__setitem__(slice(None), recent(rows)))


@pytest.mark.parametrize(
    ("lose", "gates"),
    [
        pytest.param(
            lose_control,
            {"assignments_in_extract", "assignments_sample_ratio", "assignments_dials_known"},
            id="leads of one arm",
            marks=pytest.mark.prove,
        ),
        pytest.param(forget_a_week, {"assignments_dials_known"}, id="dials"),
    ],
)
def test_an_extract_that_has_lost_what_the_test_knew_stops_it(
    lose: Callable[[Played], None], gates: set[str], at: At
) -> None:
    """Every step of 5.3 waits until it is back: nothing is assigned, queued or read (R26, R28)."""
    world = at("interim")
    closed = world.product.ledger.latest(ASSIGNMENTS).facts["enrolment_closed_on"]
    world.let_pass(1)
    later = {name: (world.feed / name).read_bytes() for name in ("Lead.csv", "Dials.csv")}
    lose(world)
    assert world.land().stops == []
    ran = world.product.materialize([ASSIGNMENTS], None)
    assert ran.failed_checks == gates
    lost = world.product.ledger.latest(ASSIGNMENTS)
    assert lost.facts["enrolment_closed_on"] == closed, "what has closed is not opened by dials that are forgotten"
    assert lost.figures["dials_lost"] > 30
    for asset in (QUEUE, DAILY, INTERIM):
        stop = stopped(world.product.materialize([asset], None))
        assert stop.exit_code == 3
        assert "assignments_dials_known" in stop.message
    for name, content in later.items():
        (world.feed / name).write_bytes(content)
    assert world.week().stops == []


@pytest.mark.prove
def test_nothing_is_assigned_while_the_newest_dials_are_missing(at: At) -> None:
    """Who was dialled in the week whose file is missing would be assigned as if he were not (R28)."""
    world = at("planned")
    dials = (world.feed / "Dials.csv").read_bytes()
    world.let_pass(1)
    (world.feed / "Dials.csv").write_bytes(dials)
    assert world.land().stops == []
    stop = stopped(world.product.materialize([ASSIGNMENTS], None))
    assert stop.exit_code == 2
    assert "more than 5 days before the CRM extract of 2025-12-08" in stop.message
    assert "Dials.csv" in stop.message


# --- queues -----------------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_a_batch_whose_queue_failed_is_in_the_next_one(at: At) -> None:
    world = at("planned")
    world.let_pass(1)
    assert world.land().stops == []
    assert world.product.materialize([ASSIGNMENTS], None).stops == []
    warehouse = SabotagedWarehouse(table=QUEUE, select="SELECT * FROM {honest} WHERE position > 1")
    assert "queue_is_the_batch" in world.product.materialize([QUEUE], None, warehouse=warehouse).failed_checks
    world.let_pass(1)
    assert world.week().stops == []
    assigned, queue = table(world, ASSIGNMENTS), table(world, QUEUE)
    assert assigned["enrolled_on"].nunique() == 2
    assert sorted(queue["Id"]) == sorted(assigned["lead_id"])
    assert len(set(queue["queue_date"])) == 1
    first = int((assigned["enrolled_on"] == assigned["enrolled_on"].min()).sum())
    assert world.product.ledger.latest(QUEUE).facts["waited"] == first > 100
    assert f"{first:,} of them had waited" in (world.artifacts / f"{QUEUE}.md").read_text()


@pytest.mark.prove
def test_a_queue_that_people_dial_by_is_not_ordered_anew(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another serving copy, or a lead that comes late with the same extract: who was assigned since waits."""
    world = at("enrolled")
    file, rows = (world.artifacts / f"{QUEUE}.csv").read_bytes(), table(world, QUEUE)
    monkeypatch.setattr(SingleLeadPath, "score", lambda *given: pytest.fail("the queue is there"))
    edit(world.feed / "Lead.csv", lambda leads: leads.append({**leads[-1], "Id": "00Q" + "9" * 12}))
    assert world.week().stops == []
    assert world.product.materialize([QUEUE], None, REBUILD).stops == []
    assert (world.artifacts / f"{QUEUE}.csv").read_bytes() == file
    pd.testing.assert_frame_equal(table(world, QUEUE), rows)
    waiting = set(table(world, ASSIGNMENTS)["lead_id"]) - set(rows["Id"])
    assert waiting == {"00Q" + "9" * 12}


@pytest.mark.prove
def test_whom_a_rule_excludes_in_mid_test_is_not_dialled_and_stays_in_the_arm(
    at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a queue that is served only the file changes; a lead that waits gets into none, a new one into no arm."""
    world = at("enrolled")
    rows, assigned = table(world, QUEUE), table(world, ASSIGNMENTS)
    newest = rows[rows["queue_date"] == rows["queue_date"].max()]
    crd, given = str(newest["FA_CRD__c"].iloc[0]), enrolment.scoring_settings()
    rules = replace(given, advisors=frozenset({crd}))
    monkeypatch.setattr(enrolment, "scoring_settings", lambda: rules)
    edit(world.feed / "Lead.csv", lambda leads: leads.append({**leads[-1], "Id": "00Q" + "9" * 12, "FA_CRD__c": crd}))
    assert world.week().stops == []
    pd.testing.assert_frame_equal(table(world, QUEUE), rows)
    pd.testing.assert_frame_equal(table(world, ASSIGNMENTS), assigned)
    file = pd.read_csv(world.artifacts / f"{QUEUE}.csv", dtype=str)
    assert len(file) == len(newest) - int((newest["FA_CRD__c"] == crd).sum())
    assert crd not in set(file["FA_CRD__c"])
    assert world.product.ledger.latest(ASSIGNMENTS).facts["left_out"][EXCLUDED] > 0


@pytest.mark.prove
def test_what_was_withdrawn_scores_no_lead(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a copy of a snapshot that nobody knew on the day of the extract (R9)."""
    world = at("planned")
    world.let_pass(1)
    assert world.land().stops == []
    with monkeypatch.context() as patch:
        patch.setattr(scoring, "served_day", lambda bench: date(2026, 1, 5))
        stop = stopped(world.product.materialize([ASSIGNMENTS], None))
        assert stop.exit_code == 2
        assert "The serving copy is of the snapshot of 2026-01-05, after the CRM extract of 2025-12-08" in stop.message
    newest = max(file.name for file in world.feed.glob("RIARepDataFeed_*.csv"))
    assert leadscore("withdraw", newest, "--reason", "wrong", "--home", world.product.settings.home).returncode == 0
    stop = stopped(world.product.materialize([ASSIGNMENTS], None))
    assert stop.exit_code == 2
    assert f"{newest} was withdrawn after the serving copy was built" in stop.message
    undone = leadscore("withdraw", "--undo", newest, "--home", world.product.settings.home)
    assert undone.returncode == 0, undone.stderr
    assert world.product.materialize([ASSIGNMENTS], None).stops == []


# --- looks and tests --------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_a_look_is_spent_on_the_data_that_it_was_taken_on(at: At) -> None:
    """R26: the same day, one MQL more: another look. The very same data are recognised."""
    world = at("interim")
    assert world.product.materialize([INTERIM], None).stops == []
    taken = world.product.ledger.latest(INTERIM)
    dialled = set(pd.read_csv(world.feed / "Dials.csv", dtype=str)["Id"])

    def one_more(leads: list[Row]) -> None:
        row = next(row for row in leads if row["Id"] in dialled and not row["Stage_Entered_Call_Scheduled__c"]
                   and row["Stage_Entered_Contacting__c"] >= "2025-12-02")  # fmt: skip
        row["Stage_Entered_Call_Scheduled__c"] = "2025-12-22 10:00:00"

    sound = (world.feed / "Lead.csv").read_bytes()
    edit(world.feed / "Lead.csv", one_more)
    assert world.week().stops == []
    stop = stopped(world.product.materialize([INTERIM], None))
    assert stop.exit_code == 2
    assert f"this look was taken on {taken.facts['as_of']}" in stop.message
    assert "on other data" in stop.message
    (world.feed / "Lead.csv").write_bytes(sound)
    assert world.week().stops == []
    assert world.product.materialize([INTERIM], None).stops == []
    assert world.product.ledger.latest(INTERIM).facts["data_sha256"] == taken.facts["data_sha256"]


def test_a_sample_ratio_mismatch_reads_nothing_and_spends_nothing(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cohort that has lost a part of one arm is "not decision-ready" (R28); mended, the look is there to take."""
    world, honest = at("final"), reading.cohort

    def lossy(*given: Any) -> Any:
        found = honest(*given)
        lost = (found.leads["arm"] == "control") & (found.leads.groupby("arm").cumcount() % 3 == 0)
        return replace(found, leads=found.leads[~lost].reset_index(drop=True))

    with monkeypatch.context() as patch:
        patch.setattr(reading, "cohort", lossy)
        ran = world.product.materialize([FINAL], None, REBUILD)
    assert "final_sample_ratio" in ran.failed_checks
    assert ran.checks["final_lift"].metadata["verdict"].value == "not judgeable"
    report = ran.stops[0].report.read_text()
    assert "NOT DECISION-READY" in report
    assert "MQLs per 100 dials, by assigned arm" not in report
    assert world.product.materialize([FINAL], None, REBUILD).stops == []


@pytest.mark.prove
def test_the_next_test_is_told_by_its_own_figures_and_not_stopped_by_the_first_ones_dials(
    at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = at("final")
    assert world.product.materialize([FINAL], None).stops == []
    home = ("--home", world.product.settings.home)
    first = json.loads(leadscore("experiment", "status", *home, "--json").stdout)
    assert first["decisions"]["final"]["verdict"] == "go"
    settings = plan.experiment_settings()
    salted = replace(settings, assignment=replace(settings.assignment, salt="another-salt"))
    for module in (plan, design):
        monkeypatch.setattr(module, "experiment_settings", lambda: salted)
    assert world.product.materialize([POWER], None).stops == []
    planned = json.loads(leadscore("experiment", "status", *home, "--json").stdout)
    assert planned["decisions"] == planned["progress"] == {}
    assert planned["advisors"] == {"treatment": 0, "control": 0}
    assert planned["next_look"] == "Nothing was assigned yet."
    assert planned["started_on"] > first["started_on"]
    # The last queue of the first test is dialled still.
    lead = table(world, ASSIGNMENTS).query("arm == 'treatment'").iloc[0]
    world.let_pass(1)
    late = {"Id": lead["lead_id"], "FA_CRD__c": lead["crd"], "queue": "model"}
    edit(world.feed / "Dials.csv", lambda dials: dials.append({**dials[-1], **late}))
    assert world.week().stops == []
    second = json.loads(leadscore("experiment", "status", *home, "--json").stdout)
    assert second["decisions"] == {}
    assert second["advisors"]["treatment"] > 100
    assert second["progress"]["dialled_leads"] == 0
