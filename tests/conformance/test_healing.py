"""A crash between any two writes of an attempt, which on BigQuery are no transaction: the next run makes it good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.gates.attempt import Bench, Candidates, Outcome, Work
from leadscore_v6.gates.decisions import rollback
from leadscore_v6.gates.ledger import Ledger, LedgerStore
from leadscore_v6.gates.mending import mend
from leadscore_v6.gates.registry import read_gates
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.protocol import Warehouse
from tests.conformance.conftest import writing
from tests.gates.conftest import GATES, TODAY

PLACE = "LeadScoring.crm_leads"
VIEW, TABLE = "v_latest_training_dataset_v6", "step_3_3_training_dataset_v6"


class Killed(BaseException):
    """The process is gone: nothing of ours catches this."""


class Lab:
    """One dataset; `process()` is what a new process sees, mending included. `die_at` names the write that kills it."""

    def __init__(self, warehouse: Warehouse, gates: Path) -> None:
        self.warehouse, self.gates = warehouse, gates
        self.built = 0

    @contextmanager
    def process(self, die_at: str = "") -> Iterator[Bench]:
        dying = _Dying(self.warehouse)
        store = LedgerStore(dying)  # type: ignore[arg-type]
        store.create()
        clock = datetime(TODAY.year, TODAY.month, TODAY.day, 10, 30, tzinfo=UTC)
        ledger, folders = Ledger(store, read_gates(self.gates), TODAY), FolderStore(self.gates.parent / "artifacts")
        bench = Bench(dying, store, ledger, "run-1", lambda: clock, folders)  # type: ignore[arg-type]
        mend(bench)
        dying.die_at = die_at
        yield bench

    def attempt(self, die_at: str = "", content: str = "a") -> Outcome | None:
        def build(candidates: Candidates) -> Mapping[str, Any]:
            self.built += 1
            (candidate,) = candidates.values()
            self.warehouse.create_table(candidate, f"SELECT '{content}' AS content")
            return {"rows": 1}

        work = Work(
            "crm_leads", None, {"content": content}, (PLACE,), build, lambda _: {"leads": 10, "lost": 0, "age": 1}
        )
        try:
            with self.process(die_at) as bench:
                return bench.attempt(work)
        except Killed:
            return None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.warehouse.query(sql)]


class _Dying:
    """The warehouse, until the write that is named by `die_at`."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse, self.die_at = warehouse, ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def publish(self, candidate: str, name: str) -> None:
        self._maybe("before publish")
        self._warehouse.publish(candidate, name)
        self._maybe("after publish")

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        event = next((row["event"] for row in rows if "event" in row), "verdicts")
        self._maybe(f"before {event}")
        self._warehouse.insert(name, rows)
        self._maybe(f"after {event}")

    def drop(self, name: str) -> None:
        self._maybe("before drop")
        self._warehouse.drop(name)

    def create_view(self, name: str, select: str, layout: Any = None) -> None:
        self._maybe("before view")
        self._warehouse.create_view(name, select, layout)

    def _maybe(self, point: str) -> None:
        if point == self.die_at:
            raise Killed


@pytest.fixture
def lab(settings: Settings, tmp_path: Path) -> Iterator[Lab]:
    gates = tmp_path / "gates.yaml"
    gates.write_text(GATES)
    with writing(settings) as warehouse:
        yield Lab(warehouse, gates)


# A crash takes eight seconds on the emulator: those between two writes always, the others by `make prove`.
QUICK = ["after judged", "after publish", "after published"]
POINTS = ["before started", "after started", "before judged", "before verdicts", "after verdicts"]
POINTS += ["before publish", "before published"]


@pytest.mark.parametrize("point", [*QUICK, *(pytest.param(point, marks=pytest.mark.prove) for point in POINTS)])
def test_after_any_crash_the_next_run_ends_where_it_would_have(lab: Lab, point: str) -> None:
    lab.attempt(content="old")
    assert lab.attempt(point, content="new") is None, f"{point} was not reached"
    served = lab.rows(f"SELECT content FROM `{PLACE}`")
    assert served in ([("old",)], [("new",)])  # whole, whichever it is
    outcome = lab.attempt(content="new")
    assert outcome is not None
    assert outcome.attempt.state == "published"
    assert lab.rows(f"SELECT content FROM `{PLACE}`") == [("new",)]
    # Nothing doubled: each line once, three verdicts for each judging, each of them about a line that is there.
    lines = lab.rows("SELECT seq FROM `LeadScoring.attempt_ledger` ORDER BY seq")
    assert [seq for (seq,) in lines] == list(range(1, len(lines) + 1))
    judged = lab.rows("SELECT seq FROM `LeadScoring.attempt_ledger` WHERE event IN ('judged', 'rejudged') ORDER BY seq")
    verdicts = lab.rows("SELECT seq, COUNT(*) AS n FROM `LeadScoring.gate_ledger` GROUP BY seq ORDER BY seq")
    assert verdicts == [(seq, 3) for (seq,) in judged]
    assert lab.attempt(content="new").recognised
    assert not [name for name in lab.warehouse.names("LeadScoring") if name.startswith("candidate__")]


def test_what_was_judged_is_not_built_again_after_a_crash_in_publication(lab: Lab) -> None:
    lab.attempt("after publish")
    lab.attempt()
    assert lab.built == 1


def promoted(lab: Lab, version: str) -> None:
    """A version, promoted as a run does."""
    lab.warehouse.create_table(f"LeadScoring.{TABLE}_{version}", f"SELECT '{version}' AS content")

    def build(candidates: Candidates) -> Mapping[str, Any]:
        (candidate,) = candidates.values()
        lab.warehouse.create_view(candidate, f"SELECT * FROM `LeadScoring.{TABLE}_{version}`")
        return {"as_of": "2024-05-05", "promoted_version": version}

    with lab.process() as bench:
        # The guard asks for every step before it; this test is about the view alone.
        outcome = Work(VIEW, None, {"version": version}, (f"LeadScoring.{VIEW}",), build, lambda _: {})
        attempt = bench._start(outcome, bench.content_key(outcome))
        facts = build(attempt.outputs)
        attempt.facts = dict(facts)
        bench._write("judged", attempt, {"figures": {}, "facts": facts}, judged=True)
        bench._conclude(attempt, recognised=False)


@pytest.mark.parametrize("point", ["before rolled_back", "after rolled_back", "before view"])
def test_the_promoted_view_serves_what_the_ledger_says(lab: Lab, point: str) -> None:
    promoted(lab, "20260101_0000")
    promoted(lab, "20260102_0000")
    with pytest.raises(Killed), lab.process(point) as bench:
        rollback(bench, "20260101_0000", "me")
    with lab.process() as bench:
        said = bench.ledger.serving(f"LeadScoring.{VIEW}").facts["promoted_version"]
    assert lab.rows(f"SELECT content FROM `LeadScoring.{VIEW}`") == [(said,)]
    # DuckDB takes all of it back; on BigQuery it counts when its line is written.
    kept = not lab.warehouse.atomic and point == "after rolled_back"
    assert said == ("20260101_0000" if kept else "20260102_0000")
