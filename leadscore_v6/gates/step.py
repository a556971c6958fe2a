"""What a step of the plan is, as the graph knows it. Which steps there are is in steps.py."""

from __future__ import annotations

from dataclasses import dataclass

SNAPSHOT, DAY = "snapshot", "day"
SQL, MODEL, EXPERIMENT = frozenset({"sql"}), frozenset({"python", "xgboost"}), frozenset({"python", "statsmodels"})


@dataclass(frozen=True)
class Step:
    """One asset of the plan.

    parents: steps that it is made from; another content of theirs makes it outdated, and what they stand on with it.
    pinned: steps whose latest result is used as it is, however old: it must hold, but what *it* was made from may have
        moved on since. A new CRM extract triggers the daily steps, not another model (R49).
    partition: "snapshot" (one table per snapshot date), "day" (rows of one day in a table of all days), or "" for one
        whole. Keys are `YYYYMMDD`.
    gates: names of those that the plan and the rulings ask for here; what they say and their thresholds are in
    config/gates.yaml. report, manifest: names of the step's files among the artifacts; steps of one report share it.
    further: names of other reports that the plan asks of the same step. kinds: what it is made with, for Dagster.
    """

    asset: str
    number: str
    group: str
    says: str
    parents: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    partition: str = ""
    gates: tuple[str, ...] = ()
    report: str = ""
    further: tuple[str, ...] = ()
    manifest: str = ""
    kinds: frozenset[str] = SQL

    @property
    def partitioned(self) -> bool:
        """Whether there is one attempt per key."""
        return bool(self.partition)

    @property
    def before(self) -> tuple[str, ...]:
        """All steps that it is made from."""
        return self.parents + self.pinned
