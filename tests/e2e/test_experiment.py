"""Steps 5.2 and 5.3 on a world that is played on: the same under re-runs and other orders, refusals, true figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from leadscore_v6 import driver_experiment
from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.experiment import design, plan, progress, scoring
from leadscore_v6.assets.model.data import contract_version, reason_words
from leadscore_v6.errors import InputError
from leadscore_v6.experiments.settings import ExperimentSettings
from leadscore_v6.gates.models import folder_of, manifest_digest
from tests.e2e.experiment_world import (
    ASSIGNMENTS,
    DAILY,
    FINAL,
    INTERIM,
    POWER,
    QUEUE,
    At,
    stopped,
    table,
)
from tests.e2e.process import leadscore
from tests.e2e.sabotage import REBUILD, Row, edit

# --- assignments ------------------------------------------------------------------------------------------------------


def test_the_same_leads_have_the_same_arms_whatever_happens(at: At) -> None:
    """Run again, built anew, from a shuffled extract, and in another process."""
    world = at("enrolled")
    rows, file = table(world, ASSIGNMENTS), (world.artifacts / f"{ASSIGNMENTS}.csv").read_bytes()
    assert world.product.materialize([ASSIGNMENTS], None, REBUILD).stops == []
    edit(world.feed / "Lead.csv", lambda records: records.sort(key=lambda row: row["Id"][::-1]))
    done = leadscore("experiment", "assign", "--data", world.feed, "--home", world.product.settings.home)
    assert done.returncode == 0, done.stderr
    pd.testing.assert_frame_equal(table(world, ASSIGNMENTS), rows)
    assert (world.artifacts / f"{ASSIGNMENTS}.csv").read_bytes() == file


def test_an_advisor_keeps_the_arm_and_later_leads_follow(at: At) -> None:
    world = at("enrolled")
    rows = table(world, ASSIGNMENTS)
    assert not rows.drop_duplicates(["crd", "arm"])["crd"].duplicated().any()
    batches = sorted(rows["enrolled_on"].unique())
    assert len(batches) == 2
    times = rows.groupby("crd")["enrolled_on"].nunique()
    assert (times == 2).sum() > 3, "advisors with leads in both batches"
    # Sizes differ by less than a block in each segment.
    dealt = rows.drop_duplicates("crd")
    for _, found in dealt.groupby("segment"):
        assert abs((found["arm"] == "treatment").sum() - (found["arm"] == "control").sum()) <= 2
    # By the extract itself: those of the test's weeks with a CRD, none of them dialled before.
    leads = pd.read_csv(world.feed / "Lead.csv", dtype=str)
    entered = pd.to_datetime(leads["Stage_Entered_Contacting__c"], utc=True, format="mixed")
    crd = leads["FA_CRD__c"].str.strip().str.replace(r"\.0*$", "", regex=True).str.lstrip("0")
    expected = leads[(entered >= "2025-12-02") & (entered < "2025-12-16") & crd.str.fullmatch(r"[1-9]\d*")]
    assert sorted(rows["lead_id"]) == sorted(expected["Id"])


def test_an_extract_without_new_leads_gives_an_empty_queue(at: At) -> None:
    world = at("interim")
    assert (world.artifacts / f"{QUEUE}.csv").read_text() == "queue_date,arm,position,Id,FA_CRD__c\n"
    assert table(world, QUEUE)["queue_date"].nunique() == 2


# --- the queue --------------------------------------------------------------------------------------------------------


def test_treatment_goes_by_the_batch_score_and_control_by_arrival(at: At) -> None:
    """By the calibrated model on the table of the serving copy: neither the local file nor the single path is asked."""
    world = at("enrolled")
    product = world.product
    calibrated = product.ledger.latest("calibrated_model")
    folder = FolderStore(product.settings.model_folders).path(folder_of(calibrated))
    scorer = load_scorer(folder, manifest_digest(calibrated), calibrated.version, reason_words(), contract_version())
    queue = pd.read_csv(world.artifacts / f"{QUEUE}.csv", dtype={"FA_CRD__c": str})
    assert list(queue.columns) == ["queue_date", "arm", "position", "Id", "FA_CRD__c"]
    assert set(queue["queue_date"]) == {"2025-12-16"}
    serving = table(world, "serving_advisors_v6").set_index("FA_CRD__c")
    treatment = queue[queue["arm"] == "treatment"].sort_values("position")
    known = [crd if crd in serving.index else "unmatched" for crd in treatment["FA_CRD__c"]]
    scores = scorer.score_leads(serving.loc[known].reset_index())["probability"].to_numpy()
    assert len(scores) > 100
    assert (scores[:-1] >= scores[1:]).all()
    leads = pd.read_csv(world.feed / "Lead.csv", dtype=str).set_index("Id")
    control = queue[queue["arm"] == "control"].sort_values("position")
    entered = pd.to_datetime(
        leads.loc[control["Id"], "Stage_Entered_Contacting__c"], utc=True, format="mixed"
    ).to_numpy()
    assert (entered[:-1] <= entered[1:]).all()
    for arm in (treatment, control):
        assert arm["position"].tolist() == list(range(1, len(arm) + 1))


def test_the_running_test_keeps_its_model(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    world = at("enrolled")
    monkeypatch.setattr(scoring, "manifest_digest", lambda attempt: "0" * 64)
    stop = stopped(world.product.materialize([QUEUE], None, REBUILD))
    assert stop.exit_code == 2
    assert "is not the one that the running test began with" in stop.message
    assert world.product.ledger.latest(QUEUE).state == "published"


def test_a_queue_of_another_model_in_mid_test_is_refused(at: At) -> None:
    world = at("interim")
    with world.product.open_by_hand(read_only=False) as connection:
        connection.execute(f"UPDATE LeadScoring.{QUEUE} SET model_digest = 'x' WHERE queue_date = DATE '2025-12-09'")
    for asset in (QUEUE, INTERIM):
        stop = stopped(world.product.materialize([asset], None, REBUILD))
        assert stop.exit_code == 2
        assert "the model changed in mid-test" in stop.message


# --- refused ----------------------------------------------------------------------------------------------------------


def another(settings: ExperimentSettings, name: str, value: Any) -> ExperimentSettings:
    section = "assignment" if hasattr(settings.assignment, name) else "design"
    return replace(settings, **{section: replace(getattr(settings, section), **{name: value})})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("salt", "another"),
        pytest.param("segment", "Branch_State", marks=pytest.mark.prove),
        pytest.param("ratio", {"treatment": 3, "control": 1}, marks=pytest.mark.prove),
        pytest.param("looks", (0.25, 0.5, 1.0), marks=pytest.mark.prove),
    ],
)
def test_a_changed_setting_of_a_running_test_is_refused(
    name: str, value: Any, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = at("interim")
    changed = another(plan.experiment_settings(), name, value)
    monkeypatch.setattr(plan, "experiment_settings", lambda: changed)
    monkeypatch.setattr(design, "experiment_settings", lambda: changed)
    for asset in (ASSIGNMENTS, QUEUE, DAILY, INTERIM):
        stop = stopped(world.product.materialize([asset], None))
        assert stop.exit_code == 2
        assert f".{name}: planned" in stop.message
    stop = stopped(world.product.materialize([POWER], None))
    assert stop.exit_code == 2
    assert "A test has been running since 2025-12-02" in stop.message


def test_a_look_before_its_day_is_refused_with_that_day(at: At) -> None:
    world = at("enrolled")
    for asset in (INTERIM, FINAL):
        before = world.product.ledger.latest(asset)
        stop = stopped(world.product.materialize([asset], None))
        assert stop.exit_code == 2
        assert "arms may not be compared as of 2025-12-15" in stop.message
        assert "It is due on 2026-01-" in stop.message
        assert world.product.ledger.latest(asset) is before, "nothing was attempted"
    assert "It is due on 2026-01-" not in (world.artifacts / f"{DAILY}.md").read_text()
    assert "The next look is due on 2026-01-" in (world.artifacts / f"{DAILY}.md").read_text()


def test_a_look_is_taken_once(at: At) -> None:
    world = at("final")
    first = world.product.ledger.latest(INTERIM)
    stop = stopped(world.product.materialize([INTERIM], None))
    assert stop.exit_code == 2
    assert f"this look was taken on {first.facts['as_of']}" in stop.message
    assert world.product.materialize([FINAL], None).stops == []
    final = world.product.ledger.latest(FINAL)
    assert final.facts["boundaries"]["information"][0] == first.figures["information"]
    # Asked for again with the same extract, it is recognised.
    assert world.product.materialize([FINAL], None).stops == []
    assert world.product.ledger.latest(FINAL).key == final.key


def stranger_dialled(records: list[Row]) -> None:
    """A lead that came before the test, dialled from the model's queue."""
    (lead,) = [row for row in records if row["queue"] == "usual"][:1]
    records.append({**lead, "queue": "model", "dialled_at": "2025-12-20 10:00:00"})


def control_by_model(records: list[Row]) -> None:
    later = [row for row in records if row["queue"] == "usual" and row["dialled_at"][:10] >= "2025-12-09"]
    later[0]["queue"] = "model"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (stranger_dialled, "was dialled from the test's queue and was never assigned"),
        pytest.param(
            control_by_model,
            "is of the control arm and was dialled from the model's queue",
            marks=pytest.mark.prove,
        ),
    ],
)
def test_dials_that_contradict_the_design_stop_the_reading(
    change: Callable[[list[Row]], None], says: str, at: At
) -> None:
    world = at("interim")
    edit(world.feed / "Dials.csv", change)
    assert world.land().stops == []
    assert world.product.materialize([ASSIGNMENTS, QUEUE], None).stops == []
    for asset in (DAILY, INTERIM):
        stop = stopped(world.product.materialize([asset], None))
        assert stop.exit_code == 2
        assert says in stop.message


def test_without_dials_the_test_is_not_read(at: At) -> None:
    world = at("interim")
    edit(world.feed / "Dials.csv", lambda records: records.clear())
    assert world.land().failed_checks == {"dials_log_begins_as_before"}
    with pytest.raises(InputError, match="no dial was landed"):
        progress.require_dials(world.product.ledger)


# --- what is found is true --------------------------------------------------------------------------------------------


def test_the_final_figures_are_those_of_the_files(at: At) -> None:
    """By the CRM's files alone, lead by lead in Python: who was assigned, dialled, and called within 30 days."""
    world = at("final")
    assert world.product.materialize([FINAL], None).stops == []
    facts = world.product.ledger.latest(FINAL).facts
    arms = {row["lead_id"]: row["arm"] for row in csv.DictReader((world.artifacts / f"{ASSIGNMENTS}.csv").open())}
    day = lambda text: pd.Timestamp(text).tz_localize(None).normalize() if text else None  # noqa: E731
    calls = {
        row["Id"]: day(row["Stage_Entered_Call_Scheduled__c"])
        for row in csv.DictReader((world.feed / "Lead.csv").open())
    }
    counts = {arm: [0, 0] for arm in ("treatment", "control")}
    as_of = pd.Timestamp(facts["as_of"])
    for row in csv.DictReader((world.feed / "Dials.csv").open()):
        dialled = day(row["dialled_at"])
        if row["Id"] in arms and dialled + pd.Timedelta(days=30) < as_of:
            counts[arms[row["Id"]]][0] += 1
            call = calls[row["Id"]]
            counts[arms[row["Id"]]][1] += call is not None and call <= dialled + pd.Timedelta(days=30)
    for arm, (dials, mqls) in counts.items():
        assert (facts["arms"][arm]["dials"], facts["arms"][arm]["mqls"]) == (dials, mqls)
        assert facts["arms"][arm]["mqls_per_100_dials"]["value"] == pytest.approx(100 * mqls / dials)
    rates = [mqls / dials for dials, mqls in counts.values()]
    assert facts["lift"]["value"] == pytest.approx(rates[0] / rates[1] - 1)
    record = json.loads((world.artifacts / "ab_test_decision_v6.json").read_text())
    assert record["decision"] == facts["decision"]
    assert record["model_version"] == world.product.ledger.latest("calibrated_model").version
    for name in ("boundaries", "arms", "chance_of_go"):
        assert (world.artifacts / f"ab_test_final_analysis_v6_{name}.png").stat().st_size > 5000


def test_the_daily_file_tells_no_outcome_by_arm(at: At) -> None:
    world = at("interim")
    with (world.artifacts / f"{DAILY}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert not [name for name in rows[0] if "treatment" in name or "control" in name]
    assert [rows[0]["day"], rows[-1]["day"]] == ["2025-12-02", world.product.ledger.latest(DAILY).facts["as_of"]]
    assert int(rows[-1]["dialled_leads"]) > 500
    text = (world.artifacts / f"{DAILY}.md").read_text()
    assert "**Which arm is ahead is not told before a planned look**" in text


def test_the_plan_says_what_it_assumes(at: At) -> None:
    world = at("planned")
    facts = world.product.ledger.latest(POWER).facts
    training = table(world, "v_latest_training_dataset_v6")["target_label"]
    assert facts["baseline"]["rate"] == pytest.approx(training.mean())
    assert facts["capacity_from"] == "associates"
    staff = pd.read_csv(world.feed / "Associates.csv")
    share = staff["weekly_capacity"].sum() / facts["leads_per_week"]
    assert facts["baseline"]["capacity_share"] == pytest.approx(share)
    report = (world.artifacts / f"{POWER}.md").read_text()
    assert "**assuming one dial per lead**" in report
    assert (
        "# Step 5.2: sga adoption tracking plan" in (world.artifacts / "sga_adoption_tracking_plan_v6.md").read_text()
    )


def test_nothing_is_assigned_before_the_first_day(at: At) -> None:
    world = at("planned")
    first = stopped(world.product.materialize([ASSIGNMENTS], None))
    assert first.exit_code == 2
    assert "The test starts on 2025-12-02, and the CRM extract is of 2025-12-01" in first.message


# --- as a user runs it ------------------------------------------------------------------------------------------------


def test_the_commands(at: At) -> None:
    world = at("enrolled")
    home = ("--home", world.product.settings.home)
    standing = json.loads(leadscore("experiment", "status", *home, "--json").stdout)
    assert standing["as_of"] == "2025-12-15"
    assert standing["advisors"]["treatment"] > 500
    early = leadscore("experiment", "analyse", *home)
    assert early.returncode == 2
    assert "arms may not be compared as of 2025-12-15" in early.stderr
    assert standing["due_on"] in early.stderr
    again = leadscore("experiment", "plan", *home)
    assert again.returncode == 2
    assert "A test has been running since" in again.stderr
    shown = leadscore("experiment", "status", *home)
    assert shown.returncode == 0
    assert "The next look is due on" in shown.stdout
    ended = leadscore("experiment", "stop", *home, "--by", "Ann", "--reason", "a wrong queue was dialled")
    assert ended.returncode == 0, ended.stderr
    assert "by Ann (a wrong queue was dialled)" in ended.stdout
    told = driver_experiment.status(world.product.ledger)
    assert told["stopped"]["reason"] == "a wrong queue was dialled"
    assert told["due_on"] is None
    refused = stopped(world.product.materialize([ASSIGNMENTS], None))
    assert refused.exit_code == 2
    assert "nothing more of it is assigned, queued or read" in refused.message
    # The next one may be planned, and not with the salt that dealt this one.
    assert "dealt by this very salt" in stopped(world.product.materialize([POWER], None)).message


def test_the_command_takes_the_look_that_is_due(at: At) -> None:
    world = at("final")
    done = leadscore("experiment", "analyse", "--home", world.product.settings.home)
    assert done.returncode == 0, done.stderr
    assert "The final look: GO." in done.stdout


def test_nothing_is_known_of_a_test_that_was_never_planned(modelled: Any) -> None:
    done = leadscore("experiment", "status", "--home", modelled.home)
    assert done.returncode == 2
    assert "No test is planned here yet" in done.stderr
