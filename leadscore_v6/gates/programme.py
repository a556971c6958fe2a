"""The programme's A/B test as the ledger's lines have it (plan 5.2, 5.3; R58).

Belongs here: which plan is in force, whether its test runs, at which of its looks the arms were compared, and a
person's decision to stop it. Does not belong here: where the test stands in the warehouse's tables
(assets/experiment/), which model serves (champions.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.ledger import STOPPED_TEST, Attempt, Ledger

PLANNED, ASSIGNED = "ab_test_power_analysis_v6", "ab_test_assignments_v6"
INTERIM, GO = "ab_test_interim_analysis_v6", "ab_test_final_analysis_v6"


@dataclass(frozen=True)
class Stopped:
    """A person's decision to end a test. `plan`: key of its plan's attempt; `seq`: the ledger's line."""

    plan: str
    at: datetime
    seq: int
    by: str
    reason: str

    def __str__(self) -> str:
        """When, by whom, why."""
        return f"stopped on {self.at:%Y-%m-%d} by {self.by} ({self.reason})"


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


def stopped(ledger: Ledger) -> Stopped | None:
    """The newest decision to stop a test, whichever test it was."""
    if not ledger.tests_stopped:
        return None
    line = ledger.tests_stopped[-1]
    told = json.loads(line["payload"])
    return Stopped(line["attempt"], line["at"], line["seq"], told["by"], told["reason"])


def stop_of(ledger: Ledger, plan: str) -> Stopped | None:
    """The decision that stopped that plan's test, if one did: no later test begins before it."""
    decision = stopped(ledger)
    return decision if decision is not None and decision.plan == plan else None


def has_ended(ledger: Ledger, plan: str) -> bool:
    """Whether the test of that plan is over: the arms were compared in its final analysis, or a person stopped it.

    A final analysis that was not decision-ready compared nothing, and ends nothing.
    """
    return compared(ledger, plan, GO) is not None or stop_of(ledger, plan) is not None


def experiment_runs(ledger: Ledger) -> bool:
    """Whether leads were dealt by the plan in force and its test has not ended: a test is under way (R58).

    It follows from the order of the ledger's lines, not from their times: a clock may go back (R39).
    """
    plan = plan_in_force(ledger)
    return plan is not None and _is_dealt(ledger, plan.key) and not has_ended(ledger, plan.key)


def stop(bench: Bench, by: str, reason: str) -> Stopped:
    """End the test that runs, without reading it. It counts as no go, and cannot be taken back.

    Raises UsageError: no name or reason, nothing was dealt yet, it has ended already.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("A test is stopped by a person: it needs a name (--by) and a reason (--reason).")
    plan = plan_in_force(bench.ledger)
    if plan is None or not _is_dealt(bench.ledger, plan.key):
        raise UsageError("No test runs: no lead was assigned under the plan in force; there is nothing to stop.")
    before = stop_of(bench.ledger, plan.key)
    if before is not None:
        raise UsageError(f"The test was {before} already.")
    if has_ended(bench.ledger, plan.key):
        raise UsageError("The test has ended: its final analysis compared the arms, and stands as it is.")
    bench.record(STOPPED_TEST, plan, {"by": by.strip(), "reason": reason.strip()})
    decision = stop_of(bench.ledger, plan.key)
    assert decision is not None, "it was just written"
    return decision


def _is_dealt(ledger: Ledger, plan: str) -> bool:
    batches = (one for one in attempts_of(ledger, plan, ASSIGNED) if one.state == "published")
    return any(one.facts.get("batches") for one in batches)
