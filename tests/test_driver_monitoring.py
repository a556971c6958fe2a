"""What a look found is told of the day that it is of."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from leadscore_v6.driver_monitoring import MonitorRequest, findings
from leadscore_v6.monitoring import WEEKLY
from leadscore_v6.settings import Settings
from tests.dashboard_panels.story import Story

WEEK = {
    "week": "2026-01-19", "leads": 1000, "positives": 30, "rate": 0.03, "relative_change": 0.0, "p_value": 1.0,
    "judgeable": True, "alerts": False,
}  # fmt: skip


def test_a_look_that_was_not_taken_is_not_told_by_an_older_one(tmp_path: Path) -> None:
    """Class balance has no partition: what is newest there may be of another day than the one that was asked about."""
    story = Story()
    facts = {"as_of": "2026-03-01", "training_rate": 0.03, "weeks": [WEEK], "young": 0, "basis": "dialled leads",
             "not_dialled": 0, "chosen_by_model": 0, "model_version": "20260101"}  # fmt: skip
    story.attempt("class_balance_v6", facts=facts, class_balance_change=0.0, class_balance_p_value=1.0)

    def told(day: date) -> list[str]:
        asked = MonitorRequest((WEEKLY,), (day,))
        return [look for look, _, _ in findings(story.ledger(), Settings(home=tmp_path, data=tmp_path), asked)]

    assert told(date(2026, 3, 1)) == ["class_balance_v6 as of 2026-03-01"]
    assert told(date(2026, 3, 2)) == []
