"""What follows a step that failed or a decision: an alert, and a page that shows it, whichever step it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from leadscore_v6 import decision
from leadscore_v6.alerting.outbox import Acknowledgement, Outbox
from leadscore_v6.assets.carry_out import stops
from leadscore_v6.assets.hooks import after_failure, after_success
from leadscore_v6.dashboard.settings import PAGE_FILE
from leadscore_v6.errors import GateBlocked, InputError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.jobs import DECISION, JOBS
from leadscore_v6.reports.refresh import DecisionReport
from leadscore_v6.settings import Settings
from tests.dashboard.sound import assert_sound, text_of
from tests.dashboard_panels.story import TODAY, Story

NOON = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)


class Held:
    """What a run has open: a ledger, no warehouse."""

    def __init__(self, story: Story, home: Path) -> None:
        """Nothing was written yet."""
        self.settings = Settings(home=home, data=home / "feed")
        self.bench = SimpleNamespace(ledger=story.ledger(), warehouse=None, clock=lambda: NOON)

    def page(self) -> str | None:
        """The dashboard, if it was written."""
        path = Path(str(self.settings.artifacts)) / PAGE_FILE
        return path.read_text() if path.exists() else None


def serving() -> Story:
    story = Story()
    story.extract()
    story.model("20260101")
    story.snapshot()
    story.day("20260302")
    return story


def run(step: str, held: Held, does: Callable[[], None] = lambda: None) -> None:
    """The step, under the hooks that every step has."""

    @dg.op(name=step)
    def body() -> None:
        does()

    @dg.job(hooks={after_success, after_failure})
    def alone() -> None:
        body()

    alone.execute_in_process(resources={"warehouse": held}, raise_on_error=False)


def broken() -> None:
    raise InputError("Lead.csv has 5 fields in row 7.")


@pytest.mark.parametrize("step", ["crm_leads", "production_scores_v6"])
def test_a_failure_of_any_step_shows_while_a_model_serves(step: str, tmp_path: Path) -> None:
    held = Held(serving(), tmp_path)
    run(step, held, broken)
    html = held.page()
    assert html is not None
    page = assert_sound(html)
    assert "▲ look here" in text_of(page, "#alerts h2")
    assert step in text_of(page, "#alerts")


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (
            "A record has 5 fields where the header has 4 (line 7). (file /feed/Ann Lee/Lead.csv)\n  what to do: x",
            "A record has 5 fields where the header has 4 (line 7).",
        ),
        (
            "Two contacted leads have the Id 00Q5g00000AbCdE: lines 2 and 5. (file Lead.csv, column Id, row 5)",
            "Two contacted leads have the Id …: lines 2 and 5. (file …, column Id, row 5)",
        ),
        ("The file lacks columns FA_CRD__c, Id. (file Lead.csv)", "The file lacks columns FA_CRD__c, Id."),
    ],
)
def test_a_refused_file_is_one_alert_that_names_it_and_why_and_what_heals_it(
    tmp_path: Path, why: str, says: str
) -> None:
    """Which leaves the house: of what stood in the file it says nothing (R57)."""
    story = serving()
    story.line("refused", "crm_leads", "this week's", {"why": why, "facts": {"file_name": "Lead.csv"}})
    held = Held(story, tmp_path)
    run("crm_leads", held, broken)
    run("crm_leads", held, broken)  # the next run meets the same file
    (filed,) = Outbox(held.settings.outbox).filed()
    assert (filed.times, filed.alert.subjects) == (2, ("crm_leads", "Lead.csv"))
    text = filed.alert.text()
    assert f"Why: {says}" in text
    assert "`leadscore score --data FEED`" in text
    assert "the runbook, under input_refused" in text
    assert not re.search("00Q|Ann|Lee|/feed", text)


@pytest.mark.parametrize(
    ("refused", "facts"), [("crm_associates", {"file_name": "Associates.csv"}), ("production_scores_v6", {})]
)
def test_a_step_that_fails_otherwise_is_told_as_a_step(tmp_path: Path, refused: str, facts: dict[str, str]) -> None:
    """After the refusal of another step's file; for a model's file that cannot be read, which nobody delivered."""
    story = serving()
    story.line("refused", refused, "old", {"why": "cut off", "facts": facts})
    held = Held(story, tmp_path)
    run("production_scores_v6", held, broken)
    (filed,) = Outbox(held.settings.outbox).filed()
    assert filed.alert.subjects == ("production_scores_v6",)
    assert filed.alert.key.startswith("run_failed")


def test_another_failure_of_a_step_is_another_alert_and_nobody_is_named(tmp_path: Path) -> None:
    """What one was told of, and acknowledged, must not hide another one of the same day."""
    held, box = Held(serving(), tmp_path), Outbox(Held(serving(), tmp_path).settings.outbox)

    def fails(error: Exception) -> None:
        def body() -> None:
            with stops():
                raise error

        run("crm_leads", held, body)

    for number, error in enumerate(FAILURES, start=1):
        for _ in range(2):
            fails(error)
        filed = box.filed()
        assert [one.times for one in filed] == [2] * number
        for one in filed:
            box.acknowledge(one.id, Acknowledgement("Ann", NOON, ""))
    about = {one.alert.subjects: one.alert.why for one in box.filed()}
    assert about == {
        ("crm_leads", "leads_of_before_still_there"): "",
        ("crm_leads", "leads_match_contract"): "",
        ("crm_leads", "crm_associates"): "",
        ("crm_leads",): "… is missing; it was not loaded (file …)",
        ("crm_leads", "ZeroDivisionError"): "",
    }
    assert not any(re.search("zebulon|quist", one.page(), re.IGNORECASE) for one in box.filed())


FAILURES = (
    GateBlocked("crm_leads: a gate failed", about=["leads_of_before_still_there"]),
    GateBlocked("crm_leads: a gate failed", about=["leads_match_contract"]),
    GateBlocked("crm_leads may not start", about=["crm_associates"]),
    InputError("manifest.json is missing; it was not loaded", file="/home/zebulon/manifest.json"),
    ZeroDivisionError("zebulon quist by zero"),
)


def test_before_a_model_serves_there_is_nothing_to_show(tmp_path: Path) -> None:
    story = Story()
    story.extract()
    held = Held(story, tmp_path)
    run("crm_leads", held, broken)
    assert held.page() is None


@pytest.mark.parametrize(("step", "shows"), [("production_scores_v6", True), ("crm_leads", False)])
def test_what_went_well_shows_if_it_is_of_production(step: str, shows: bool, tmp_path: Path) -> None:
    held = Held(serving(), tmp_path)
    run(step, held)
    assert (held.page() is not None) == shows


def test_a_decision_shows_and_one_that_failed_is_an_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decided(bench: Bench, settings: Settings, *_given: object) -> decision.Refreshed:
        if bench is failing.bench:
            raise InputError("The champion's folder is gone.")
        report = DecisionReport("kept", "2", "1", "Not beyond chance.", (), (), {}, None, "Ann", synthetic=False)
        return decision.Refreshed(report, settings.artifacts / "champion_decision_v6_2.md")

    well, failing = Held(serving(), tmp_path / "well"), Held(serving(), tmp_path / "failing")
    monkeypatch.setattr(decision, "decide", decided)
    monkeypatch.setattr(decision, "nothing_judged", lambda _ledger: None)
    for held in (well, failing):
        JOBS[DECISION].execute_in_process(resources={"warehouse": held}, raise_on_error=False)
    assert "● healthy" in text_of(assert_sound(well.page() or ""), "#alerts h2")
    assert "decide_about_the_newest_model" in text_of(assert_sound(failing.page() or ""), "#alerts")
