"""Healthy, not yet, look here, stopped: each panel on a ledger of which a person could say the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from leadscore_v6.alerting.alert import Alert
from leadscore_v6.alerting.outbox import Acknowledgement, Filed
from leadscore_v6.dashboard.page import Folded, Panel, State, Table, Words
from leadscore_v6.dashboard.render import render_page
from leadscore_v6.dashboard_panels.assemble import page_of
from leadscore_v6.dashboard_panels.calibration import BALANCE
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.gates.steps import SNAPSHOT, STEPS, upstream
from tests.dashboard.sound import assert_sound, text_of
from tests.dashboard_panels.story import TODAY, Story

WEEKS = [
    {"week": "2026-01-12", "leads": 1000, "positives": 30, "rate": 0.03, "relative_change": 0.0, "p_value": 1.0,
     "judgeable": True, "alerts": False},
    {"week": "2026-01-19", "leads": 1000, "positives": 15, "rate": 0.015, "relative_change": -0.5, "p_value": 0.002,
     "judgeable": True, "alerts": True},
]  # fmt: skip


def state(panel: Panel) -> State:
    assert panel.verdict is not None
    return panel.verdict.state


def says(panel: Panel) -> str:
    assert panel.verdict is not None
    return panel.verdict.says


def do(panel: Panel) -> str:
    assert panel.verdict is not None
    return panel.verdict.do


def tables(panel: Panel) -> list[Table]:
    """Those in sight."""
    return [block for block in panel.blocks if isinstance(block, Table)]


def table(panel: Panel, caption: str) -> Table:
    (found,) = [one for one in tables(panel) if one.caption.startswith(caption)]
    return found


@pytest.fixture
def story() -> Story:
    """An extract, a snapshot, a champion, a day that was scored well."""
    told = Story()
    told.extract()
    told.model("20260101")
    told.snapshot()
    told.day("20260302")
    return told


# --- health ---------------------------------------------------------------------------------------------------------


def test_a_day_that_holds_is_healthy_and_its_gates_are_folded(story: Story) -> None:
    panel = story.panel("health")
    assert state(panel) is State.HEALTHY
    assert "Of 1,000 open leads on 2026-03-02, 100\u00a0% of those with a CRD were scored" in says(panel)
    assert any(isinstance(block, Folded) and "all hold" in block.summary for block in panel.blocks)


def test_a_day_whose_gate_stops_it_is_stopped_and_its_gates_are_in_sight(story: Story) -> None:
    story.day("20260302", success_rate=0.9)
    panel = story.panel("health")
    assert state(panel) is State.STOPPED
    assert "production_success_rate (step 6.1): success_rate 0.9" in says(panel)
    assert "runbook" in do(panel)
    row = next(row for row in table(panel, "Gates of the scores of 2026-03-02").rows if "success_rate" in row[0])
    assert row[-1] == "FAIL"


def test_what_nobody_delivered_is_mended_as_its_own_error_says(story: Story) -> None:
    refusal = {"why": "trees.ubj is missing\n  what to do: `leadscore restore` it.", "facts": {}}
    story.line("refused", "production_scores_v6", "by a model", refusal, "20260302")
    panel = story.panel("health")
    assert (state(panel), do(panel)) == (State.STOPPED, "`leadscore restore` it.")


def test_scores_that_grow_old_are_looked_at(story: Story) -> None:
    assert "not scored any more: the newest is of 2026-03-02, 2 days before 2026-03-04" in says(
        story.panel("health", as_of=TODAY + timedelta(days=2))
    )
    assert "not scored any more" not in says(story.panel("health", as_of=TODAY + timedelta(days=1)))


def test_a_day_under_a_waiver_says_so(story: Story) -> None:
    key = story.day("20260302", success_rate=0.9)
    story.waive(key, "production_success_rate", "2026-03-09")
    story.line("published", "production_scores_v6", key, {}, "20260302")
    panel = story.panel("health")
    assert state(panel) is State.LOOK
    assert "Warned or waived: production_success_rate." in says(panel)
    assert "WAIVED" in {row[-1] for row in table(panel, "Gates of the scores").rows}


def test_a_step_before_the_scores_that_does_not_hold_any_more_is_told(story: Story) -> None:
    story.attempt("serving_advisors_v6", **{story.ledger().gates.of("serving_advisors_v6")[0].literal.figure: 99})
    panel = story.panel("health")
    assert state(panel) is State.LOOK
    assert "The scores of 2026-03-02 hold, and a step before them does not any more: serving_advisors_v6" in says(panel)


def test_several_days_are_drawn_and_those_shown_are_counted(story: Story) -> None:
    for day in range(1, 29):
        story.day(f"202602{day:02d}")
    panel = story.panel("health")
    drawn = [block for block in panel.blocks if hasattr(block, "drawing")]
    assert [block.title for block in drawn] == ["Leads with a CRD that were scored", "Milliseconds a lead, on average"]
    assert len(drawn[0].table.rows) == 29


def test_without_a_day_a_command_is_named() -> None:
    panel = Story().panel("health")
    assert state(panel) is State.NOT_YET
    assert "`leadscore score --data FOLDER`" in do(panel)


# --- scores ---------------------------------------------------------------------------------------------------------


def test_scores_are_described_from_the_day_that_was_published(story: Story) -> None:
    story.day("20260303", success_rate=0.9)
    panel = story.panel("scores")
    assert panel.verdict is None
    words = [block.text for block in panel.blocks if isinstance(block, Words)]
    assert words[0].startswith("On 2026-03-02 model 20260101 scored")
    # The table cannot be read while a run holds the warehouse; the rest is told all the same.
    assert any("A run holds the warehouse" in text for text in words)
    assert table(panel, "Who was scored").rows == (("leads", "990", "10", "0"), ("prospects", "5,000", "0", "0"))


def test_the_mean_is_weighed_by_the_rows_of_each_decile() -> None:
    story = Story()
    facts = {"model_version": "1", "by_kind": {}, "trends": {}, "deciles": [[1, 300, 0, 0.01], [10, 100, 0, 0.09]]}
    story.attempt("production_scores_v6", "20260302", facts)
    figures = next(block for block in story.panel("scores").blocks if hasattr(block, "figures"))
    assert [one.value for one in figures.figures][-1] == "3.00\u00a0%"


def test_a_day_on_which_nobody_was_scored_says_so() -> None:
    story = Story()
    facts = {"model_version": "1", "by_kind": {"lead": {"skipped": 3}}, "trends": {}, "deciles": []}
    story.attempt("production_scores_v6", "20260301", facts | {"deciles": [[1, 300, 0, 0.01]]})
    story.attempt("production_scores_v6", "20260302", facts)
    panel = story.panel("scores")
    (words,) = [block for block in panel.blocks if isinstance(block, Words)]
    assert (words.is_warning, "On 2026-03-02 nobody was scored" in words.text) == (True, True)
    assert table(panel, "Who was scored").rows == (("leads", "0", "3", "0"),)
    story.attempt("production_scores_v6", "20260303", facts | {"deciles": [[1, 300, 0, 0.01]]})
    assert len(story.panel("scores").blocks) > 2


# --- calibration ----------------------------------------------------------------------------------------------------


def test_before_the_first_month_the_holdout_stands_in_and_says_so(story: Story) -> None:
    panel = story.panel("calibration")
    assert state(panel) is State.NOT_YET
    assert "`leadscore monitor monthly`" in do(panel)
    assert any("Not matured leads of production" in block.text for block in panel.blocks if isinstance(block, Words))


def test_a_week_that_is_off_beyond_chance_is_looked_at(story: Story) -> None:
    facts = {"model_version": "20260101", "as_of": "2026-03-02", "training_rate": 0.03, "weeks": WEEKS}
    alarm = {"class_balance_change": 0.5, "class_balance_p_value": 0.002}
    story.attempt(BALANCE, facts=facts, **alarm)
    panel = story.panel("calibration")
    assert state(panel) is State.LOOK
    assert says(panel).startswith("In the newest matured week 1.50\u00a0% converted, in training 3.00\u00a0%, beyond")
    quiet = Story()
    quiet.attempt(BALANCE, facts=facts | {"weeks": WEEKS[:1]})
    assert says(quiet.panel("calibration")).endswith("converted, in training 3.00\u00a0%, not beyond chance.")


def test_a_week_of_too_few_leads_says_neither_that_it_is_off_nor_that_it_is_not() -> None:
    story = Story()
    few = WEEKS[1] | {"leads": 12, "positives": 3, "rate": 0.25, "judgeable": False, "alerts": False}
    facts = {"model_version": "20260101", "as_of": "2026-03-02", "training_rate": 0.034, "weeks": [WEEKS[0], few]}
    story.attempt(BALANCE, facts=facts, class_balance_change=None, class_balance_p_value=None)
    panel = story.panel("calibration")
    assert state(panel) is State.NOT_YET
    assert says(panel).endswith("25.0\u00a0% converted, in training 3.40\u00a0%, too few leads to tell (12).")


def test_a_weekly_look_that_stopped_is_told() -> None:
    story = Story()
    facts = {"model_version": "20260101", "as_of": "2026-02-01", "training_rate": 0.03, "weeks": WEEKS}
    story.attempt(BALANCE, facts=facts)
    panel = story.panel("calibration")
    assert "Class balance is not judged any more: the newest is of 2026-02-01" in says(panel)
    assert do(panel) == "`leadscore monitor`"
    # What was found is asked about; what is old is judged anew.
    story.attempt(BALANCE, facts=facts, class_balance_change=0.5, class_balance_p_value=0.002)
    assert do(story.panel("calibration")).startswith("`leadscore monitor`. Ask the sales lead")


# --- experiment -----------------------------------------------------------------------------------------------------

PLAN = {"plan": {"model_version": "20260101", "started_on": "2026-01-06"}}
DAILY = {
    "as_of": "2026-02-02", "days": ["2026-01-06", "2026-01-07"], "curves": {"information": [0.0, 0.4]},
    "newest": {"information": 0.4, "matured_dialled_leads": 400}, "planned_dials": 1000, "due": None,
    "next_look": "Look 1 may be taken at 50 %.",
}  # fmt: skip
ARM = {"advisors": 500, "dials": 500, "mqls": 20, "mqls_per_100_dials": {"value": 4.0, "low": 2.5, "high": 6.1}}


def look(verdict: str, reason: str) -> dict[str, object]:
    return {
        "as_of": "2026-03-02", "arms": {"treatment": ARM, "control": ARM},
        "lift": {"value": 0.8, "low": 0.4, "high": 1.3}, "adoption_of_treatment": 0.9, "guardrails": [],
        "decision": {"verdict": verdict, "reasons": [reason]},
    }  # fmt: skip


def test_a_test_that_runs_says_how_far_it_is_and_not_who_is_ahead() -> None:
    story = Story()
    story.attempt("ab_test_power_analysis_v6", facts=PLAN)
    assert state(story.panel("experiment")) is State.NOT_YET
    story.attempt("ab_test_daily_metrics_v6", facts=DAILY)
    panel = story.panel("experiment")
    assert state(panel) is State.HEALTHY
    assert "40.0\u00a0% of the planned dials have matured" in says(panel)
    assert "arm" not in " ".join(block.title for block in panel.blocks if hasattr(block, "drawing"))


def test_a_look_that_is_due_is_asked_for() -> None:
    story = Story()
    story.attempt("ab_test_power_analysis_v6", facts=PLAN)
    story.attempt("ab_test_daily_metrics_v6", facts=DAILY | {"due": "ab_test_final_analysis_v6"})
    assert state(story.panel("experiment")) is State.LOOK
    assert "experiment analyse" in do(story.panel("experiment"))


def test_a_go_is_healthy_and_a_no_go_stops() -> None:
    story = Story()
    story.attempt("ab_test_power_analysis_v6", facts=PLAN)
    story.attempt("ab_test_final_analysis_v6", facts=look("go", "lift +80 % > +50 %"))
    assert says(story.panel("experiment")) == "The final look of 2026-03-02: GO: lift +80 % > +50 %."
    assert state(story.panel("experiment")) is State.HEALTHY
    story.attempt("ab_test_final_analysis_v6", facts=look("no-go", "lift too small"), lift=0.1)
    assert state(story.panel("experiment")) is State.STOPPED
    assert "NO-GO" in says(story.panel("experiment"))


def test_a_test_that_was_stopped_is_not_said_to_run() -> None:
    story = Story()
    planned = story.attempt("ab_test_power_analysis_v6", facts=PLAN)
    story.attempt("ab_test_daily_metrics_v6", facts=DAILY | {"due": "ab_test_final_analysis_v6"})
    story.line("experiment_stopped", "ab_test_power_analysis_v6", planned, {"by": "Ann", "reason": "wrong queue"})
    assert state(story.panel("experiment")) is State.STOPPED
    assert "by Ann (wrong queue)" in says(story.panel("experiment"))


def test_the_next_test_does_not_show_the_last_ones_result() -> None:
    story = Story()
    story.attempt("ab_test_power_analysis_v6", facts=PLAN)
    story.attempt("ab_test_final_analysis_v6", facts=look("go", "lift"))
    story.attempt("ab_test_power_analysis_v6", facts=PLAN)
    assert "is planned from 2026-01-06" in says(story.panel("experiment"))


# --- gates, models, alerts ------------------------------------------------------------------------------------------


def test_a_gate_that_stops_anything_is_named(story: Story) -> None:
    assert state(story.panel("gates")) is State.HEALTHY
    story.attempt("backtest", facts={}, version="20260202", cv_coefficient=0.5)
    panel = story.panel("gates")
    assert state(panel) is State.STOPPED
    assert "backtest_cv_coefficient" in says(panel)
    assert [row[0] for row in table(panel, "Gates that do not simply hold").rows] == ["`backtest_cv_coefficient`"]
    gate = load_gates()["backtest_cv_coefficient"]
    assert table(panel, "What to do about those that stop or warn").rows == (
        ("`backtest_cv_coefficient`", "4.4 backtest", gate.cause, gate.check, gate.remedy),
    )


@pytest.mark.parametrize(("expires", "now"), [("2026-03-02", "in force"), ("2026-03-01", "expired")])
def test_a_waiver_is_shown_with_who_why_and_until_when(story: Story, expires: str, now: str) -> None:
    key = story.attempt("backtest", facts={}, version="20260202", cv_coefficient=0.5)
    story.waive(key, "backtest_cv_coefficient", expires, reason="<b>small</b> world")
    panel = story.panel("gates")
    assert table(panel, "Waived by a person").rows == (
        ("`backtest_cv_coefficient`", "backtest", "Bo", "<b>small</b> world", expires, now),
    )
    assert state(panel) is (State.LOOK if now == "in force" else State.STOPPED)


def test_the_champion_and_its_history_are_told(story: Story) -> None:
    story.model("20260201", by="Cy")
    panel = story.panel("models")
    assert state(panel) is State.HEALTHY
    assert says(panel) == "Model 20260201 serves since 2026-03-01, promoted by Cy."
    served = [(row[1], row[3]) for row in table(panel, "Which model served").rows]
    assert served == [("20260201", "Cy"), ("20260101", "Ann")]


@pytest.mark.parametrize(("as_of", "is_old"), [(date(2026, 5, 3), False), (date(2026, 5, 4), True)])
def test_a_champion_older_than_two_quarters_is_a_warning(story: Story, as_of: date, is_old: bool) -> None:
    panel = story.panel("models", as_of=as_of)
    assert (state(panel) is State.LOOK) == is_old
    assert ("more than 2 quarters before" in says(panel)) == is_old
    assert any(isinstance(block, Words) and block.is_warning for block in panel.blocks) == is_old


def test_what_the_champion_rests_on_is_told_back_to_the_landed_files() -> None:
    story = Story()
    story.extract()
    leads = story.said[0]["attempt"]
    made = {
        step.asset: story.attempt(step.asset, "20260101" if STEPS[step.asset].partition == SNAPSHOT else None)
        for step in sorted(upstream("trained_model"), key=lambda one: list(STEPS).index(one.asset))
        if step.asset != "crm_leads"
    }
    story.model("20260101")
    assert state(story.panel("models")) is State.HEALTHY
    story.waive(made["step_3_1_staging_join_v6"], "staging_rep_match_rate", "2026-12-31", reason="<b>small</b> world")
    panel = story.panel("models")
    assert state(panel) is State.LOOK
    assert "step_3_1_staging_join_v6: `staging_rep_match_rate` by Bo until 2026-12-31: <b>small" in says(panel)
    for gate in ("one", "two"):
        story.waive(made["step_3_3_training_dataset_v6"], gate, "2026-12-31")
    taken = {"file_name": "Lead.csv", "digest": None, "fingerprint": None, "reason": "half of it"}
    story.line("withdrawn", "crm_leads", leads, {"attempts": [leads], **taken})
    panel = story.panel("models")
    assert "Lead.csv, which it was made from, was withdrawn" in says(panel)
    assert says(panel).endswith("What else must be known of it is below (2).")
    warnings = [block.text for block in panel.blocks if isinstance(block, Words) and block.is_warning]
    assert len(warnings) == 4
    assert_sound(render_page(page_of(story.home())))


def test_a_challenger_that_waits_is_told(story: Story) -> None:
    key = story.attempt("backtest", facts={}, version="20260301")
    story.line("promotion_queued", "backtest", key, {"version": "20260301", "by": "Ann"})
    assert "Model 20260301 won against it and waits" in says(story.panel("models"))


def alert(severity: str, seen: Acknowledgement | None = None) -> Filed:
    raised = datetime(2026, 3, 1, 9, tzinfo=UTC)
    made = Alert("scoring", severity, "Leads are not scored", "It is so.", {}, (), (), raised)
    return Filed(f"20260301_{severity}", made, 1, raised, (), seen)


def test_an_alert_that_nobody_took_on_is_looked_at() -> None:
    seen = Acknowledgement("Ann", datetime(2026, 3, 1, 10, tzinfo=UTC), "on it")
    assert state(Story().panel("alerts")) is State.HEALTHY
    assert state(Story().panel("alerts", alerts=(alert("critical", seen),))) is State.HEALTHY
    panel = Story().panel("alerts", alerts=(alert("critical"), alert("warning")))
    assert state(panel) is State.LOOK
    assert says(panel).startswith("2 alerts wait for somebody, 1 of them critical")


# --- the page -------------------------------------------------------------------------------------------------------


def test_an_empty_home_has_a_page_that_says_what_makes_each_part() -> None:
    page = assert_sound(render_page(page_of(Story().home())))
    assert text_of(page, "#verdicts .overall").startswith("○ not yet")
    for command in ("leadscore score", "leadscore monitor", "leadscore experiment plan", "leadscore run"):
        assert command in text_of(page, "#verdicts"), command


def test_a_hostile_reason_is_a_text_on_a_sound_page(story: Story) -> None:
    key = story.attempt("backtest", facts={}, version="20260202", cv_coefficient=0.5)
    hostile = "</td><script>alert('reason')</script>"
    story.waive(key, "backtest_cv_coefficient", "2026-03-09", reason=hostile)
    page = assert_sound(render_page(page_of(story.home())))
    assert hostile in text_of(page, "#gates")


def test_the_same_home_gives_the_same_bytes(story: Story) -> None:
    first, second = (render_page(page_of(story.home())) for _ in range(2))
    assert first == second
    assert render_page(page_of(story.home(TODAY + timedelta(days=400)))) != first


def test_the_head_of_the_page_says_what_became_of_the_newest_extract() -> None:
    story = Story()
    story.extract()
    assert dict(page_of(story.home()).facts)["CRM extract"] == str(TODAY)
    story.line("refused", "crm_leads", "second", {"why": "cut off", "facts": {}})
    assert dict(page_of(story.home()).facts)["CRM extract"].startswith("The newest Lead.csv was refused: cut off. ")
