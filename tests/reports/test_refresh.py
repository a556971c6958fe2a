"""The page of a decision: what it rests on, and what it cannot tell."""

from __future__ import annotations

from leadscore_v6.reports.refresh import KEPT, STOPPED, DecisionReport, render_decision

CONDITION = {"name": "AUC-PR superior", "holds": False, "says": "AUC-PR 0.2 is not above 0.3", "is_asked": True}


def test_where_leads_were_compared_the_page_says_who_chose_them() -> None:
    """R31 on dialled leads (R50): an equal challenger wins more often than on leads that nobody chose."""
    report = DecisionReport(KEPT, "2", "1", "1 stays.", (), (CONDITION,), {}, None, "Ann", synthetic=False)
    page = render_decision(report)
    conditions, limit = page.index("## Conditions of the plan"), page.index("## What the comparison cannot tell")
    assert conditions < limit
    assert "favour the challenger" in page[limit:]


def test_a_challenger_that_was_not_compared_has_no_limit_to_tell() -> None:
    page = render_decision(DecisionReport(STOPPED, "2", "1", "Stopped.", (), (), {}, None, "Ann", synthetic=False))
    assert "cannot tell" not in page
