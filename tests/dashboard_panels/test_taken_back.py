"""After an extract was taken back: what was scored of its day is the newest no more, on the page or for a list."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from leadscore_v6.call_list import _scored
from leadscore_v6.dashboard.page import State, Words
from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates.extract import days_reached
from tests.dashboard_panels.story import SCORES, TODAY, Story

# Somebody mistyped a month, and the extract is of the day that stands there.
WRONG = TODAY + timedelta(days=197)


def delivered(story: Story, day: date = TODAY) -> None:
    """The CRM's three files, of that day."""
    story.extract(day)
    story.attempt("crm_associates")
    story.attempt("crm_dials")


@pytest.fixture
def story() -> Story:
    """A champion, and a day that it scored."""
    told = Story()
    delivered(told)
    told.model("20260101")
    told.snapshot()
    told.day(f"{TODAY:%Y%m%d}")
    return told


def scored_and_taken_back(story: Story, day: date) -> None:
    """An extract of that day, its scores, and its withdrawal."""
    delivered(story, day)
    story.day(f"{day:%Y%m%d}")
    leads = story.ledger().latest("crm_leads").key
    taken = {"file_name": "Lead.csv", "digest": None, "fingerprint": None, "reason": "a wrong month"}
    story.line("withdrawn", "crm_leads", leads, {"attempts": [leads], **taken})


def health(story: Story, as_of: date = TODAY) -> tuple[State, str]:
    verdict = story.panel("health", as_of=as_of).verdict
    assert verdict is not None
    return verdict.state, verdict.says


def described(story: Story) -> str:
    return next(block.text for block in story.panel("scores").blocks if isinstance(block, Words))


def test_a_wrong_late_day_is_not_the_newest_and_hides_no_age(story: Story) -> None:
    scored_and_taken_back(story, WRONG)
    delivered(story)
    story.day(f"{TODAY:%Y%m%d}")
    state, says = health(story)
    assert state is State.HEALTHY
    assert "open leads on 2026-03-02" in says
    assert described(story).startswith("On 2026-03-02 model")
    assert _scored(story.ledger(), None).partition == f"{TODAY:%Y%m%d}"
    state, says = health(story, TODAY + timedelta(days=10))
    assert state is State.LOOK
    assert "the newest is of 2026-03-02, 10 days before" in says
    # By name it is not to be had either, and nobody is sent to score it again.
    with pytest.raises(UsageError, match="lies after the CRM extract; the newest day is 2026-03-02"):
        _scored(story.ledger(), WRONG)


def test_nor_while_the_newest_extract_cannot_be_read(story: Story) -> None:
    scored_and_taken_back(story, WRONG)
    delivered(story)
    story.day(f"{TODAY:%Y%m%d}")
    story.line("refused", "crm_leads", "this week's", {"why": "cut off", "facts": {}})
    assert days_reached(story.ledger(), SCORES) == [f"{TODAY:%Y%m%d}"]
    with pytest.raises(GateBlocked, match="leads that do not hold"):
        _scored(story.ledger(), None)


def test_an_extract_that_was_cut_off_and_stopped_takes_no_day_away(story: Story) -> None:
    facts = {"crm_extracted_at": f"{TODAY - timedelta(days=9)}"}
    story.attempt("crm_leads", facts=facts, lost_share=0.5)
    assert days_reached(story.ledger(), SCORES) == [f"{TODAY:%Y%m%d}"]
    assert described(story).startswith("On 2026-03-02 model")
    with pytest.raises(GateBlocked, match="leads_of_before_still_there"):
        _scored(story.ledger(), None)


def test_scores_of_the_right_day_by_a_wrong_extract_are_neither_healthy_nor_described(story: Story) -> None:
    story.day(f"{TODAY - timedelta(days=1):%Y%m%d}")
    scored_and_taken_back(story, TODAY)
    delivered(story)
    state, says = health(story)
    assert state is State.LOOK
    assert says == "The scores of 2026-03-02 were made from what was withdrawn since: Lead.csv."
    assert described(story).startswith("On 2026-03-01 model")
    with pytest.raises(GateBlocked, match=r"score the day again .* --day 2026-03-02"):
        _scored(story.ledger(), None)
    story.day(f"{TODAY:%Y%m%d}")
    assert health(story)[0] is State.HEALTHY
    assert described(story).startswith("On 2026-03-02 model")
