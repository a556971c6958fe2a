"""For every gate of steps 5.2 and 5.3, something that makes it fail: a spoiled candidate, or another reading.

Belongs here: what is spoiled, and which gates fail by it. Does not belong here: what must then hold
(test_experiment_gates.py).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from leadscore_v6.assets.experiment import design, enrolment, reading
from leadscore_v6.experiments.readout import Decision, Readout
from leadscore_v6.experiments.records import Standing
from leadscore_v6.experiments.sample_ratio import Srm
from tests.e2e.experiment_world import ASSIGNMENTS, DAILY, FINAL, INTERIM, POWER, QUEUE

Patch = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Case:
    """One gate made to fail; `also`: others that cannot but fail with it. select: in place of the built candidate."""

    gate: str
    asset: str
    select: str = ""
    patch: Patch = nullcontext
    also: tuple[str, ...] = ()


def analysis(**changes: Any) -> Patch:
    """Step 5.2 with other results."""
    honest = design.power_analysis

    def changed(*given: Any) -> Any:
        return replace(honest(*given), **changes)

    return lambda: mock.patch.object(design, "power_analysis", changed)


def slower_flow() -> AbstractContextManager[object]:
    """A tenth of the leads: no power, far too many weeks."""
    honest = design.power_analysis

    def changed(rate: float, flow: Any, *given: Any) -> Any:
        return honest(rate, replace(flow, leads_per_week=flow.leads_per_week / 10), *given)

    return mock.patch.object(design, "power_analysis", changed)


def readout(change: Callable[[Readout], Readout]) -> Patch:
    """Step 5.3 with another reading."""
    honest = reading.analyse

    def changed(*given: Any) -> Readout:
        return change(honest(*given))

    return lambda: mock.patch.object(reading, "analyse", changed)


def mismatch(one: Readout) -> Readout:
    return replace(one, srm=replace(one.srm, advisors=Srm(900, 700, 25.0, 0.0000006)))


def primary(**changes: Any) -> Callable[[Readout], Readout]:
    def change(one: Readout) -> Readout:
        assert one.primary is not None
        found = {name: value(one.primary) if callable(value) else value for name, value in changes.items()}
        return replace(one, primary=replace(one.primary, **found))

    return change


def rails(state: str) -> Callable[[Readout], Readout]:
    def change(one: Readout) -> Readout:
        return replace(one, guardrails=(replace(one.guardrails[0], state=state), *one.guardrails[1:]))

    return change


def records(**changes: int) -> Patch:
    """Step 5.3 with other records of the CRM; each is a count, of 1,000 leads and as many dials."""
    honest = enrolment.standing_of

    def changed(*given: Any) -> Standing:
        return replace(honest(*given), assigned=1000, dials_before=1000, **changes)

    return lambda: mock.patch.object(enrolment, "standing_of", changed)


def put(value: str, column: str, where: str) -> str:
    changed = f"CASE WHEN {where} THEN {value} ELSE {column} END AS {column}"
    return f"SELECT * EXCEPT ({column}), {changed} FROM {{honest}}"


ONE_LEAD = "lead_id = (SELECT MIN(lead_id) FROM {honest})"
FIRST = "position = 1 AND queue_date = (SELECT MAX(queue_date) FROM {honest})"
OTHER_ARM = "CASE arm WHEN 'treatment' THEN 'control' ELSE 'treatment' END"
FIRST_DAY = "day = (SELECT MIN(day) FROM {honest})"

CASES = [
    Case(
        "power_sufficient",
        POWER,
        patch=slower_flow,
        also=("power_duration_feasible", "power_sample_achievable"),
    ),
    Case("power_duration_feasible", POWER, patch=analysis(enrolment_weeks=9)),
    Case("power_sample_achievable", POWER, patch=analysis(dials=10**6)),
    Case("power_curve_valid", POWER, put("1.5", "power", "weeks = 1")),
    Case(
        "power_matches_contract",
        POWER,
        "SELECT * EXCEPT (weeks), CAST(weeks AS STRING) AS weeks FROM {honest}",
        also=("power_curve_valid",),
    ),
    Case("assignments_only_appended", ASSIGNMENTS, put("place + 1", "place", ONE_LEAD)),
    Case(
        "assignments_one_arm_per_advisor",
        ASSIGNMENTS,
        f"SELECT * FROM {{honest}} UNION ALL SELECT * FROM {{honest}} WHERE {ONE_LEAD}",
        also=("assignments_balanced_in_blocks", "assignments_coverage_balanced", "assignments_sample_ratio"),
    ),
    Case(
        "assignments_balanced_in_blocks",
        ASSIGNMENTS,
        put("'treatment'", "arm", "segment = (SELECT MIN(segment) FROM {honest}) AND block = 0"),
        also=("assignments_only_appended",),
    ),
    Case(
        "assignments_coverage_balanced",
        ASSIGNMENTS,
        put("0", "has_snapshot", "arm = 'treatment'"),
        also=("assignments_only_appended",),
    ),
    Case(
        "assignments_sample_ratio",
        ASSIGNMENTS,
        "SELECT * FROM {honest} WHERE arm = 'treatment' OR MOD(block, 2) = 0",
        also=("assignments_only_appended",),
    ),
    Case("assignments_in_extract", ASSIGNMENTS, patch=records(gone=6, left_out=6)),
    Case("assignments_before_dials", ASSIGNMENTS, patch=records(dialled_early=11, left_out=11)),
    Case("assignments_dials_known", ASSIGNMENTS, patch=records(dials_lost=6)),
    Case(
        "assignments_match_contract",
        ASSIGNMENTS,
        "SELECT *, 'a@b.example' AS Email_PersonalType FROM {honest}",
        also=("assignments_balanced_in_blocks", "assignments_coverage_balanced", "assignments_sample_ratio"),
    ),
    Case(
        "queue_is_the_batch",
        QUEUE,
        f"SELECT * FROM {{honest}} WHERE NOT ({FIRST})",
        also=("queue_in_order", "queue_earlier_stand"),
    ),
    Case("queue_in_order", QUEUE, put("probability + 1", "probability", "arm = 'treatment' AND position > 5")),
    Case(
        "queue_earlier_stand",
        QUEUE,
        "SELECT * FROM {honest} WHERE queue_date = (SELECT MAX(queue_date) FROM {honest})",
    ),
    Case("queue_one_model", QUEUE, put("'another'", "model_digest", FIRST), also=("queue_earlier_stand",)),
    Case("queue_scored", QUEUE, put("NULL", "probability", "position > 3")),
    Case(
        "queue_matches_contract",
        QUEUE,
        "SELECT * EXCEPT (position), 'x' AS position FROM {honest}",
        also=("queue_is_the_batch", "queue_in_order", "queue_earlier_stand", "queue_one_model", "queue_scored"),
    ),
    Case("daily_every_day", DAILY, f"SELECT * FROM {{honest}} WHERE NOT ({FIRST_DAY})"),
    Case("daily_counts_consistent", DAILY, put("enrolled_leads + 1", "dialled_leads", FIRST_DAY)),
    Case(
        "daily_matches_contract",
        DAILY,
        "SELECT * EXCEPT (mqls), 'x' AS mqls FROM {honest}",
        also=("daily_every_day", "daily_counts_consistent"),
    ),
    Case("interim_sample_ratio", INTERIM, patch=readout(mismatch)),
    Case("interim_no_harm", INTERIM, patch=readout(rails("harm"))),
    Case("final_sample_ratio", FINAL, patch=readout(mismatch)),
    Case("final_significant", FINAL, patch=readout(primary(p=0.06))),
    Case(
        "final_lift",
        FINAL,
        patch=readout(primary(lift=lambda one: replace(one.lift, value=0.5))),
    ),
    Case("final_no_adverse_effects", FINAL, patch=readout(rails("open"))),
    Case("final_decision", FINAL, patch=readout(lambda one: replace(one, decision=Decision("no-go", ("harm",))))),
    Case("final_validation_complete", FINAL, patch=readout(lambda one: replace(one, chance_of_go=()))),
]
WARNINGS = ["daily_sample_ratio", "daily_process_guardrails"]
