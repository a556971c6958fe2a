"""Attempts at steps 5.1 and 5.3 as the ledger would have them, for tests of what is decided by them.

Belongs here: lines of attempts whose gates hold, or miss by a figure that is given. Does not belong here: the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.champions import SHADOW, _attempts
from leadscore_v6.gates.ledger import PROMOTED_MODEL, Attempt
from leadscore_v6.gates.models import known_models, model_of
from leadscore_v6.gates.programme import ASSIGNED, GO, INTERIM, PLANNED, plan_in_force
from leadscore_v6.gates.registry import Condition


def holding(condition: Condition) -> float:
    """A figure with which a condition holds."""
    if condition.op == "between":
        return condition.value[0]
    return condition.value + {">": 1, ">=": 0, "<": -1, "<=": 0, "==": 0}[condition.op]


def ended(
    bench: Bench,
    asset: str,
    facts: Mapping[str, Any],
    figures: Mapping[str, float],
    parents: Mapping[str, str] | None = None,
) -> Attempt:
    """An attempt that was judged; published if its gates hold, which they do but for the figures given."""
    gates = bench.ledger.gates.of(asset)
    conditions = [one for gate in gates for one in (gate.literal, gate.companion, gate.when) if one is not None]
    figures = {**{one.figure: holding(one) for one in conditions}, **figures}
    key = f"{asset}_{bench.ledger.seq}"
    attempt = Attempt(key, asset, None, None, f"content of {key}", figures=figures, facts=dict(facts))
    bench.record("started", attempt, {"outputs": {}, "source": None, "parents": dict(parents or {})})
    bench.record("judged", attempt, {"figures": figures, "facts": attempt.facts, "hashes": {}})
    known = bench.ledger.attempts[key]
    if not bench.ledger.blocking(known):
        bench.record("published", known, {})
    return known


def shadowed(bench: Bench, version: str, **figures: float) -> Attempt:
    """Seven days in the shadow of one model, which may be none of this home's."""
    digest = next((model.digest for model in known_models(bench.ledger) if model.version == version), "another")
    return ended(bench, SHADOW, {"model_version": version, "model_manifest": digest}, figures)


def reigning(bench: Bench, version: str) -> None:
    """A model that became champion as if it had won by R31, which is decided elsewhere."""
    made = _attempts(model_of(bench.ledger, version))
    told = {"by": "Ann", "reason": "better", "evidence": {}, "attempts": {one.asset: one.key for one in made}}
    bench.record(PROMOTED_MODEL, made[-1], told)


def under_way(bench: Bench) -> Attempt:
    """A test of the newest model that is under way: its plan, and a first batch that was dealt. Returns the plan."""
    tested = next((model.version for model in known_models(bench.ledger)), "")
    plan = ended(bench, PLANNED, {"plan": {"fingerprint": "f", "model_version": tested}}, {})
    ended(bench, ASSIGNED, {"plan": plan.key, "batches": [["2026-01-05", 30]]}, {})
    return plan


def looked(bench: Bench, asset: str = INTERIM, *, read: bool = True, **figures: float) -> Attempt:
    """A look of the test of the plan in force; `read`: at which the arms were compared."""
    plan = plan_in_force(bench.ledger)
    look = {"number": 1} if read else None
    return ended(bench, asset, {"plan": plan.key if plan else None, "look": look}, figures)


def went(bench: Bench, **figures: float) -> Attempt:
    """The programme's final analysis: a go, unless a figure says otherwise."""
    return looked(bench, GO, **figures)
