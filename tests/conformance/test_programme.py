"""Phases 3 and 4 by the command line on both engines: shadow days, a test to its end, a champion's day, its month.

Played once, in turns with the world, whose weeks the queue of DuckDB's home decides: on BigQuery it must be the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.conformance.both import QUEUE_FILE, Both
from tests.conformance.proxy import Proxy
from tests.conformance.statements import judged

pytestmark = pytest.mark.prove

DAY = "2025-11-04"  # of the world's first extract
# What names the minute or measures time, and nothing else.
MEASURED = ("shadow_latency", "production_latency")
WITHOUT: Mapping[str, tuple[str, ...]] = {
    "shadow_scores_v6": ("latency_ms", "dataset_version"),
    "production_scores_v6": ("dataset_version",),
}
TABLES = (
    "crm_leads",
    "crm_associates",
    "crm_dials",
    "serving_advisors_v6",
    "shadow_scores_v6",
    "ab_test_power_analysis_v6",
    "ab_test_assignments_v6",
    "ab_test_queue_v6",
    "ab_test_daily_metrics_v6",
    "production_scores_v6",
    "feature_drift_v6",
    "model_performance_v6",
)


@dataclass
class Played:
    """The world and its homes at the end; queues: the files that were published, week by week, of each engine."""

    both: Both
    queues: list[list[str]] = field(default_factory=list)

    def week(self, command: str, weeks: int = 1, *, dial: bool = True) -> None:
        """Weeks of the world, then a week's steps, and the look with `analyse`."""
        self.both.let_pass(weeks, by_queue=dial)
        self.both.land("experiment", command)
        self.queues.append([side.artifact(QUEUE_FILE) for side in self.both.sides])


@pytest.fixture(scope="module")
def played(both: Both) -> Played:
    """From the backtested model to a champion's first month."""
    played = Played(both)
    both.let_pass(4, drifts=("base-rate:4",))
    both.land("shadow")
    both.do("experiment", "plan")
    played.week("assign", dial=False)
    played.week("assign")
    played.week("analyse", weeks=4)
    played.week("analyse", weeks=2)
    (version,) = {model["version"] for side in both.sides for model in json.loads(side.do("model", "list", "--json"))}
    both.do("promote", version, "--by", "Ann", "--reason", "passed all")
    # Played leads without a CRD are too many for the gate of a day's scores in so small a world; those before are not.
    both.do("score", "--day", DAY)
    both.do("monitor", "weekly", "monthly")
    both.do("call-list", "--associates", both.feed / "Associates.csv", "--day", DAY)
    return played


def test_every_gate_says_the_same_with_the_same_figure(played: Played) -> None:
    ours, theirs = (
        {place: said for place, said in side.gates().items() if place[2] not in MEASURED} for side in played.both.sides
    )
    assert ours == theirs
    assert {asset for asset, *_ in ours} >= {"shadow_scoring", "ab_test_final_analysis_v6", "class_balance_v6"}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_the_same_row_for_row(played: Played, table: str) -> None:
    ours, theirs = (side.rows(table, WITHOUT.get(table, ())) for side in played.both.sides)
    assert ours[1]
    assert ours == theirs


def test_the_same_leads_get_the_same_arm_and_the_same_place_in_the_queue(played: Played) -> None:
    """What associates dial from, week by week, and the plan's file of assignments: the same bytes (issue 5)."""
    assert len(played.queues) == 4
    for ours, theirs in played.queues:
        assert ours == theirs
    assert all(len(ours.splitlines()) > 100 for ours, _ in played.queues[:2])
    ours, theirs = (side.artifact("ab_test_assignments_v6.csv") for side in played.both.sides)
    assert ours == theirs


@pytest.mark.parametrize("name", ["ab_test_interim_decision_v6.json", "ab_test_decision_v6.json"])
def test_a_look_comes_to_the_same_decision(played: Played, name: str) -> None:
    ours, theirs = (json.loads(side.artifact(name)) for side in played.both.sides)
    assert ours.keys() == theirs.keys()
    # What was read, whether it holds, and what follows; which attempt of which home said so is each home's own.
    of_home = {"attempt", "content_key", "plan_attempt"}
    assert {name: said for name, said in ours.items() if name not in of_home} == {
        name: said for name, said in theirs.items() if name not in of_home
    }
    assert ours["decision"]


def test_the_call_list_is_the_same_byte_for_byte(played: Played) -> None:
    names = [sorted(path.name for path in side.folder.glob("call_list_v6_*")) for side in played.both.sides]
    assert names[0] == names[1]
    assert len(names[0]) == 3
    for name in names[0]:
        ours, theirs = (side.artifact(name) for side in played.both.sides)
        assert ours == theirs


def test_every_statement_is_one_of_googlesql(played: Played, wire: Proxy) -> None:
    """Analysed by the reference engine with BigQuery's rules: of Phases 3 and 4 too."""
    found = judged(wire.sent, str(played.both.cloud.settings.project))
    assert found.refused == []
    assert {"SELECT", "WITH", "INSERT", "MERGE"} <= found.kinds
