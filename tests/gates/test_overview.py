"""After a run a person is told what to open: first the day's scores, and whom to call by them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from leadscore_v6.gates.overview import overview
from leadscore_v6.settings import Settings
from tests.dashboard_panels.story import TODAY, Story


def test_the_newest_day_that_counts_is_opened_first_and_the_call_list_is_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, data=tmp_path / "feed")
    story = Story()
    story.extract()
    story.snapshot()
    story.model("20260101")
    assert "whom to call" not in overview(story.ledger(), settings, "leadscore")
    for days in (-1, 0, 3):
        story.day(f"{TODAY + timedelta(days=days):%Y%m%d}")
    told = overview(story.ledger(), settings, "leadscore")
    first, second = told.partition("Open next:\n")[2].splitlines()[:2]
    assert first.endswith(f"{TODAY:%Y%m%d}/production_scores_report_v6.md")
    assert f"leadscore call-list --associates FILE --home {tmp_path}" in second
    assert told.startswith("Gates of all that is here: ")
