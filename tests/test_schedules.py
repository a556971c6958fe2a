"""A tick that asks for no run says why."""

from __future__ import annotations

from datetime import UTC, date, datetime

import dagster as dg

from leadscore_v6 import schedules
from leadscore_v6.gates.extract import LEADS
from leadscore_v6.monitoring.settings import monitoring_settings
from tests.dashboard_panels.story import Story


def ticks(story: Story) -> list[schedules.Asked]:
    """What each schedule asks for, the daily one first."""
    at = datetime(2026, 3, 2, 6, tzinfo=UTC)
    return [schedules._ask(story.ledger(), rhythm, at) for rhythm in schedules._rhythms(monitoring_settings())]


def skipped(story: Story) -> str:
    asked = ticks(story)[0]
    assert isinstance(asked, dg.SkipReason)
    return asked.skip_message or ""


def test_without_the_day_of_an_extract_it_is_said_what_became_of_the_newest() -> None:
    story = Story()
    assert "No CRM extract was landed" in skipped(story)
    story.extract()
    assert "No model serves" in skipped(story)
    story.line("refused", LEADS, "second", {"why": "cut off", "facts": {}})
    assert "The newest Lead.csv was refused: cut off." in skipped(story)


def test_an_extract_that_serves_again_after_a_withdrawal_is_built_by_hand_first() -> None:
    story = Story()
    story.extract(date(2026, 3, 1))
    story.model("20260101")
    story.extract(date(2026, 3, 2))
    leads = story.ledger().latest(LEADS).key
    taken = {"file_name": "Lead.csv", "digest": None, "fingerprint": None, "reason": "half of it"}
    story.line("withdrawn", LEADS, leads, {"attempts": [leads], **taken})
    assert "the extract of 2026-03-01 is not built again yet: `leadscore score`" in skipped(story)
    story.extract(date(2026, 3, 1))
    assert all(isinstance(asked, dg.RunRequest) for asked in ticks(story))


def test_after_a_refused_extract_they_wait_and_a_mended_one_lets_them_go_on_by_itself() -> None:
    """The landing sensor takes the mended file in (tests/test_sensors.py); nothing has to be switched on again."""
    story = Story()
    story.extract(date(2026, 3, 1))
    story.model("20260101")
    assert all(isinstance(asked, dg.RunRequest) for asked in ticks(story))
    story.line("refused", LEADS, "second", {"why": "cut off", "facts": {}})
    for asked in ticks(story):
        assert isinstance(asked, dg.SkipReason)
        assert "was refused: cut off. Deliver it mended (`leadscore run --data DIR`" in (asked.skip_message or "")
    story.extract(date(2026, 3, 2))
    (daily, *_) = found = ticks(story)
    assert all(isinstance(asked, dg.RunRequest) for asked in found)
    assert isinstance(daily, dg.RunRequest)
    assert daily.partition_key == "20260302"
