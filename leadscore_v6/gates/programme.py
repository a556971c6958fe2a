"""The programme's A/B test as the ledger's lines have it (plan 5.2, 5.3; R58).

Belongs here: which plan is in force, and at which of its looks the arms were compared. Does not belong here: where the
test stands in the warehouse's tables (assets/experiment/), which model serves (champions.py).
"""

from __future__ import annotations

from leadscore_v6.gates.ledger import Attempt, Ledger

PLANNED, ASSIGNED = "ab_test_power_analysis_v6", "ab_test_assignments_v6"
INTERIM, GO = "ab_test_interim_analysis_v6", "ab_test_final_analysis_v6"


def plan_in_force(ledger: Ledger) -> Attempt | None:
    """The power analysis whose plan is in force: the newest that was published."""
    known = (one for one in ledger.attempts.values() if one.asset == PLANNED and one.state == "published")
    return max(known, key=lambda one: one.seq, default=None)


def attempts_of(ledger: Ledger, plan: str, asset: str) -> list[Attempt]:
    """Attempts at a step of 5.3 under that plan (key of its attempt). One that did not end belongs to none yet."""
    return [one for one in ledger.attempts.values() if one.asset == asset and one.facts.get("plan") == plan]


def compared(ledger: Ledger, plan: str, asset: str) -> Attempt | None:
    """The first attempt at a look of that plan's test at which the arms were compared, whatever its gates said.

    A later one would be another look. One that was not decision-ready compared nothing, and is none.
    """
    looks = (one for one in attempts_of(ledger, plan, asset) if one.facts.get("look"))
    return min(looks, key=lambda one: one.seq, default=None)
