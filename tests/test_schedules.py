"""A tick that asks for no run says why."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from leadscore_v6 import schedules
from leadscore_v6.gates.extract import LEADS
from leadscore_v6.monitoring.settings import monitoring_settings
from tests.dashboard_panels.story import Story


def skipped(story: Story) -> str:
    daily = schedules._rhythms(monitoring_settings())[0]
    asked = schedules._ask(story.ledger(), daily, datetime(2026, 3, 2, 6, tzinfo=UTC))
    assert isinstance(asked, dg.SkipReason)
    return asked.skip_message or ""


def test_without_the_day_of_an_extract_it_is_said_what_became_of_the_newest() -> None:
    story = Story()
    assert "No CRM extract was landed" in skipped(story)
    story.extract()
    assert "No model serves" in skipped(story)
    story.line("refused", LEADS, "second", {"why": "cut off", "facts": {}})
    assert "The newest Lead.csv was refused: cut off." in skipped(story)
