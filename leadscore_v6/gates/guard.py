"""The guard: what must hold before a step may start, in this run and in every later one (R32, R38).

It reads the ledger, never Dagster's event log: blocking checks stop only their own run (dagster_facts.md). It asks
every step before this one, not only the nearest, for its LATEST attempt: a corrected file that fails must not let a
step further down go on with what the older file gave, nor one that was built from that attempt pass for new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates.judge import Verdict
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.steps import SNAPSHOT, STEPS, pinned, upstream

# The group of the steps that take in what the CRM delivers together.
CRM = "leads"


@dataclass(frozen=True)
class Obstacle:
    """One reason why a step may not start."""

    asset: str
    partition: str | None
    attempt: Attempt | None
    why: str
    verdicts: tuple[Verdict, ...] = ()

    def __str__(self) -> str:
        """The place, the attempt and the reason."""
        place = self.asset if self.partition is None else f"{self.asset}[{self.partition}]"
        attempt = f", attempt {self.attempt.key}" if self.attempt else ""
        return f"{place}{attempt}: {self.why}"


def guard(ledger: Ledger, asset: str, partition: str | None) -> None:
    """Let the step start, or raise GateBlocked with every obstacle and what to do about it.

    Raises UsageError when nothing has been landed that the step could be made from.
    """
    needs_snapshots = any(step.partition == SNAPSHOT for step in upstream(asset))
    if STEPS[asset].partition != SNAPSHOT and needs_snapshots and not ledger.snapshots():
        raise UsageError(
            f"{asset} needs at least one snapshot, and none is registered. Land one first: `leadscore run --data DIR`."
        )
    obstacles = find_obstacles(ledger, asset, partition)
    if obstacles:
        lines = "\n".join(f"  - {obstacle}" for obstacle in obstacles)
        raise GateBlocked(
            f"{asset} may not start: a step before it does not hold.\n{lines}\n"
            f"  what to do: {_ways(obstacles)}",
            about=list(dict.fromkeys(obstacle.asset for obstacle in obstacles)),
        )


def _ways(obstacles: Sequence[Obstacle]) -> str:
    """What heals the gates that fail, each told once; where none was judged, the usual ways."""
    gates = {verdict.gate.name: verdict.gate for obstacle in obstacles for verdict in obstacle.verdicts}
    told = [f"{gate.remedy} (`leadscore gate {name}`)" for name, gate in gates.items() if gate.remedy]
    usual = "mend the input and run again, or `leadscore withdraw FILE`; `leadscore status` shows every gate."
    return "\n    ".join([*told, usual])


def find_obstacles(ledger: Ledger, asset: str, partition: str | None) -> list[Obstacle]:
    """Every reason why the step may not start, nearest step first.

    Steps that do not hold; if all hold, those whose parents have another content since. The others are built again
    on the way anyway, and would only bury the cause. A pinned step must hold, and may be as old as it is; of one that
    is built day by day, the step that uses it says itself which days it needs (a gate of its own).
    """
    places = [(step.asset, key) for step in upstream(asset) for key in ledger.keys_asked(step.asset, asset, partition)]
    used = [(step.asset, None) for step in pinned(asset) if not step.partitioned]
    failing = [obstacle for place in [*places, *used] if (obstacle := obstacle_at(ledger, *place))]
    return failing or [obstacle for place in places if (obstacle := _outdated(ledger, *place))]


def obstacle_at(ledger: Ledger, asset: str, partition: str | None) -> Obstacle | None:
    """Why the latest attempt there does not hold, or None."""
    attempt = ledger.latest(asset, partition)
    if attempt is None:
        return Obstacle(asset, partition, None, "never built; a gate that was never judged counts as failed")
    if attempt.state == "refused":
        return Obstacle(asset, partition, attempt, f"its input was refused: {attempt.refusal}")
    if attempt.state == "started":
        return Obstacle(asset, partition, attempt, "did not end; run it again")
    blocking = tuple(ledger.blocking(attempt))
    if blocking:
        return Obstacle(asset, partition, attempt, "; ".join(map(str, blocking)), blocking)
    if attempt.state != "published":
        return Obstacle(asset, partition, attempt, "its gates hold now, and it is not published yet; run it again")
    if any(ledger.serving(name) is not attempt for name in attempt.outputs):
        again = ": `leadscore score`, or `leadscore run --data DIR`" if STEPS[asset].group == CRM else ""
        return Obstacle(asset, partition, attempt, f"its table was made from another input; run it again{again}")
    return None


def obstacle_as_delivered(ledger: Ledger, asset: str) -> Obstacle | None:
    """Why a file of the CRM may not be read beside the others, or None: it does not hold, or they are newer.

    A run that was killed after the leads leaves associates and dials that were never delivered with these leads.
    """
    return obstacle_at(ledger, asset, None) or _outdated(ledger, asset, None)


def _outdated(ledger: Ledger, asset: str, partition: str | None) -> Obstacle | None:
    attempt = ledger.latest(asset, partition)
    assert attempt is not None, "it does not fail"
    if not ledger.outdated(attempt):
        return None
    why = "a step before it has another content since; run it again"
    if STEPS[asset].group == CRM:
        now = ledger.parents_of(asset, partition)
        newer = sorted(name.partition("/")[0] for name in now if now[name] != attempt.parents.get(name))
        why = (
            f"it was not delivered with {' and '.join(newer)}, a run ended between the two; take the delivery in "
            "again: `leadscore run --data DIR`, or `leadscore score --data DIR`"
        )
    return Obstacle(asset, partition, attempt, why)
