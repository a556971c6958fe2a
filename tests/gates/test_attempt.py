"""One attempt's life: what is written in which order, what is built again, what is kept, and what a crash leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from leadscore_v6.errors import GateBlocked, InputError
from leadscore_v6.gates.attempt import require
from leadscore_v6.gates.decisions import Waiver, waive
from leadscore_v6.gates.guard import find_obstacles
from leadscore_v6.gates.ledger import LedgerStore
from tests.gates.conftest import KEY, TODAY, Lab, with_build

STAGING, TRAINING = "step_3_1_staging_join_v6", "step_3_3_training_dataset_v6"
LEADS = "LeadScoring.crm_leads"


def events(lab: Lab) -> list[str]:
    return [line["event"] for line in LedgerStore(lab.warehouse).lines()]


def test_verdicts_then_publication(lab: Lab) -> None:
    outcome = lab.attempt("crm_leads")
    assert events(lab) == ["started", "judged", "published"]
    assert (outcome.recognised, outcome.blocking, outcome.attempt.state) == (False, [], "published")
    assert lab.content("crm_leads") == "a"
    assert lab.names("candidate__") == []
    require(outcome)


def test_a_failed_attempt_publishes_nothing_and_keeps_its_candidate(lab: Lab) -> None:
    good = lab.attempt("crm_leads").attempt
    failed = lab.attempt("crm_leads", content="b", leads=9)
    with pytest.raises(GateBlocked, match=r"crm_leads: a gate failed.*\n.*leads_enough \(step 1.1\): leads 9; must be"):
        require(failed)
    assert lab.content("crm_leads") == "a"
    assert lab.bench().ledger.serving(LEADS).key == good.key
    assert lab.names("candidate__") == [f"candidate__crm_leads__{failed.attempt.key}"]
    assert lab.content(f"candidate__crm_leads__{failed.attempt.key}") == "b"


def test_a_step_whose_parents_do_not_hold_is_not_even_started(lab: Lab) -> None:
    lab.attempt("snapshot_reps_raw", KEY, rows=0)
    with pytest.raises(GateBlocked, match="raw_rows"):
        lab.attempt("snapshot_reps", KEY)
    assert events(lab) == ["started", "judged"]
    assert lab.built == ["snapshot_reps_raw"]


def test_the_same_content_is_recognised(lab: Lab) -> None:
    lab.run()
    built = len(lab.built)
    lab.run()
    assert len(lab.built) == built
    assert events(lab).count("recognised") == 0


def test_what_stands_is_what_an_attempt_would_recognise_without_a_word(lab: Lab) -> None:
    assert lab.bench().standing(lab.work("crm_leads")) is None
    lab.run()
    before = events(lab)
    for asset in ("crm_leads", STAGING, TRAINING):
        stands, latest = lab.bench().standing(lab.work(asset)), lab.bench().ledger.latest(asset)
        assert stands is not None
        assert stands.key == latest.key
    assert lab.bench().standing(lab.work("crm_leads", content="b")) is None
    assert events(lab) == before


def test_nothing_stands_before_whose_parent_there_is_an_obstacle(lab: Lab) -> None:
    lab.run()
    lab.attempt("crm_leads", content="b", leads=0)
    assert lab.bench().standing(lab.work(STAGING)) is None


def test_a_table_that_somebody_dropped_stands_no_more(lab: Lab) -> None:
    lab.attempt("crm_leads")
    lab.warehouse.drop(LEADS)
    assert lab.bench().standing(lab.work("crm_leads")) is None


def test_what_other_gates_judged_does_not_stand(lab: Lab) -> None:
    lab.run()
    lab.change_gates("value: 7, severity: warn}", "value: 8, severity: warn}")
    assert lab.bench().standing(lab.work("crm_leads")) is None
    lab.attempt("crm_leads")
    assert lab.bench().standing(lab.work("crm_leads")) is not None


def test_content_follows_the_parents(lab: Lab) -> None:
    lab.run()
    lab.attempt("crm_leads", content="b")
    assert not lab.attempt("crm_associates").recognised
    assert not lab.attempt("crm_dials").recognised
    assert not lab.attempt(STAGING).recognised
    lab.built.clear()
    lab.run(crm_leads="b")
    assert lab.built == [TRAINING, "v_latest_training_dataset_v6"]


def test_what_was_superseded_is_built_again(lab: Lab) -> None:
    for content in ("a", "b", "a"):
        assert not lab.attempt("crm_leads", content=content).recognised
        assert lab.content("crm_leads") == content
    assert lab.built == ["crm_leads"] * 3


def test_a_table_that_somebody_dropped_is_built_again(lab: Lab) -> None:
    lab.attempt("crm_leads")
    lab.warehouse.drop(LEADS)
    assert not lab.attempt("crm_leads").recognised
    assert lab.content("crm_leads") == "a"


def test_a_rebuild_gets_a_name_of_its_own(lab: Lab) -> None:
    lab.run()
    first = lab.bench().ledger.latest(STAGING)
    assert first.version == "20260105_1030"
    versions = [lab.bench().attempt(lab.work(STAGING), rebuild=True).attempt.version for _ in range(2)]
    assert versions == ["20260105_1030_2", "20260105_1030_3"]
    assert lab.names(STAGING) == [f"{STAGING}_20260105_1030{suffix}" for suffix in ("", "_2", "_3")]
    keys = {attempt.content_key for attempt in lab.bench().ledger.attempts.values() if attempt.asset == STAGING}
    assert keys == {first.content_key}


def test_a_name_that_two_steps_share_is_one_build(lab: Lab) -> None:
    """Training takes the name of the staging that it is made from, and never that of another one."""
    lab.run()

    def rebuilt(asset: str, wish: str) -> str:
        work = replace(lab.work(asset), version=wish)
        return str(lab.bench().attempt(work, rebuild=True).attempt.version)

    # The same minute throughout, as the clock of the lab stands still.
    minute = "20260105_1030"
    assert lab.bench().ledger.latest(TRAINING).version == minute
    assert rebuilt(TRAINING, minute) == f"{minute}_2"
    staged = rebuilt(STAGING, minute)
    assert staged == f"{minute}_3"
    assert rebuilt(TRAINING, staged) == staged


def test_a_published_name_is_never_replaced(lab: Lab) -> None:
    lab.run()
    lab.run(crm_leads="b", step_3_1_staging_join_v6="b")
    assert lab.content(f"{STAGING}_20260105_1030") == "a"
    assert lab.content(f"{STAGING}_20260105_1030_2") == "b"


def test_failed_candidates_are_kept_bounded_in_number_but_for_waived_ones(lab: Lab) -> None:
    first = lab.attempt("crm_leads", content="0", leads=0).attempt
    waive(lab.bench(), Waiver("leads_enough", first.key, "Ann", "pilot", TODAY))
    others = [lab.attempt("crm_leads", content=str(number), leads=number).attempt.key for number in range(1, 6)]
    assert lab.names("candidate__") == sorted(f"candidate__crm_leads__{key}" for key in (first.key, *others[-2:]))
    lab.built.clear()
    published = lab.attempt("crm_leads", content="0", leads=0)
    assert (published.recognised, lab.built, published.waived) == (True, [], {"leads_enough"})
    assert lab.content("crm_leads") == "0"


def test_a_waiver_publishes_exactly_what_was_judged(lab: Lab) -> None:
    failed = lab.attempt("crm_leads", content="b", leads=9).attempt
    waive(lab.bench(), Waiver("leads_enough", failed.key, "Ann", "pilot", TODAY))
    assert not lab.warehouse.exists(LEADS)
    outcome = lab.attempt("crm_leads", content="b", leads=0)
    assert (outcome.recognised, lab.built, outcome.attempt.key) == (True, ["crm_leads"], failed.key)
    # The figures are those that were judged, not those that a new build would have given.
    assert outcome.attempt.figures["leads"] == 9
    assert lab.content("crm_leads") == "b"


def test_one_waiver_does_not_cover_another_gate(lab: Lab) -> None:
    failed = lab.attempt("crm_leads", leads=9, lost=1).attempt
    waive(lab.bench(), Waiver("leads_enough", failed.key, "Ann", "pilot", TODAY))
    outcome = lab.attempt("crm_leads", leads=9, lost=1)
    assert [verdict.gate.name for verdict in outcome.blocking] == ["leads_complete"]
    assert not lab.warehouse.exists(LEADS)


def test_what_cannot_be_read_is_refused_and_judged_by_no_gate(lab: Lab) -> None:
    def unreadable(candidates: object) -> dict[str, object]:
        raise InputError("A record has 5 fields", row=7)

    lab.run()
    work = with_build(lab.work(STAGING, content="b"), unreadable)
    judged = len(lab.warehouse.query("SELECT 1 AS n FROM `LeadScoring.gate_ledger`"))
    for _ in range(2):
        with pytest.raises(InputError):
            lab.bench().attempt(work)
    with pytest.raises(InputError):
        lab.bench().attempt(with_build(lab.work(STAGING, content="c"), unreadable))
    assert events(lab)[-2:] == ["started", "refused"]
    assert len(lab.warehouse.query("SELECT 1 AS n FROM `LeadScoring.gate_ledger`")) == judged
    mended = lab.attempt(STAGING, content="b").attempt
    assert mended.state == "published"
    # The first one is taken; what was refused took none.
    assert mended.version == "20260105_1030_2"


# --- crashes: the process ends before or after each thing that it writes ---------------------------------------------


class Killed(BaseException):
    """The process ends here."""


class Fuse:
    """Burns through at the given write."""

    def __init__(self, at: int) -> None:
        self.left = at

    @contextmanager
    def around(self) -> Iterator[None]:
        """Both sides of one write count."""
        self.burn()
        yield
        self.burn()

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class FusedWarehouse:
    """Every write of the warehouse burns the fuse."""

    def __init__(self, warehouse: Any, fuse: Fuse) -> None:
        self._warehouse = warehouse
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._warehouse, name)
        return self._fused(found) if name in ("create_table", "publish", "drop", "insert") else found

    def _fused(self, write: Callable[..., None]) -> Callable[..., None]:
        def fused(*given: Any) -> None:
            with self._fuse.around():
                write(*given)

        return fused

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The commit is a write too."""
        with self._fuse.around(), self._warehouse.transaction():
            yield


class FusedStore(LedgerStore):
    """The mirror is written after the commit: the process may end in between."""

    fuse: Fuse

    def reflect(self, lines: Sequence[Mapping[str, Any]]) -> None:  # type: ignore[override]
        """Half a line is what a process leaves that ends while it writes."""
        self.fuse.burn()
        whole = self.mirror.read_bytes()
        super().reflect(lines)
        try:
            self.fuse.burn()
        except Killed:
            self.mirror.write_bytes(self.mirror.read_bytes()[: len(whole) + 10])
            raise


def die(lab: Lab, at: int) -> bool:
    """Build content "b" in a process that ends at its `at`-th write; False when it has fewer."""
    fuse = Fuse(at=10**9)
    warehouse = FusedWarehouse(lab.warehouse, fuse)
    store = FusedStore(warehouse, lab.settings.ledger_mirror)
    store.fuse = fuse
    bench = lab.bench(warehouse, store)
    work = with_build(lab.work("crm_leads", content="b"), lambda given: build_through(warehouse, given))
    fuse.left = at
    try:
        bench.attempt(work)
    except Killed:
        return True
    return False


def build_through(warehouse: FusedWarehouse, candidates: Mapping[str, str]) -> dict[str, object]:
    (candidate,) = candidates.values()
    warehouse.create_table(candidate, "SELECT 'b' AS content")
    return {}


def test_a_crash_at_any_write_leaves_the_last_good_version_and_the_next_run_heals(lab: Lab) -> None:
    good = lab.attempt("crm_leads").attempt
    crashes = 0
    while die(lab, crashes + 1):
        crashes += 1
        ledger = lab.bench().ledger
        # What is served is whole, and the ledger knows which it is.
        served = lab.content("crm_leads")
        assert served in ("a", "b")
        assert (ledger.serving(LEADS).key == good.key) == (served == "a")
        latest = ledger.latest("crm_leads")
        assert (served == "b") <= (latest.state == "published")
        # Downstream waits, unless nothing of "b" was written yet, or all of it.
        lab.attempt("snapshot_reps_raw", KEY)
        waits = [str(found) for found in find_obstacles(ledger, STAGING, None) if found.asset == "crm_leads"]
        assert bool(waits) == (latest.content_key != good.content_key and latest.state != "published")
        # The same again, at once, and once more from where this test began.
        healed = lab.attempt("crm_leads", content="b")
        assert healed.attempt.state == "published"
        assert lab.content("crm_leads") == "b"
        assert lab.bench().ledger.serving(LEADS).key == healed.attempt.key
        assert lab.names("candidate__") == []
        good = lab.bench().attempt(lab.work("crm_leads", content="a"), rebuild=True).attempt
    assert crashes > 15


def test_a_crashed_attempt_keeps_its_version(lab: Lab) -> None:
    def killed(candidates: object) -> dict[str, object]:
        raise Killed

    lab.run()
    with pytest.raises(Killed):
        lab.bench().attempt(with_build(lab.work(STAGING, content="b"), killed))
    assert lab.attempt(STAGING, content="b").attempt.version == "20260105_1030_2"
    later = replace(lab.work(STAGING, content="c"), version="20260105_1030")
    assert lab.bench().attempt(later).attempt.version == "20260105_1030_3"


def test_a_gate_added_since_is_measured_not_only_missed(lab: Lab) -> None:
    lab.run()
    figure = 'figure: age, op: "<=", value: 7, severity: warn}'
    lab.change_gates(
        figure,
        figure
        + """
  - {name: leads_young, step: "1.1", asset: crm_leads, says: New., figure: oldest, op: "<=", value: 9}""",
    )
    measured = lab.bench().attempt(lab.work("crm_leads", oldest=3))
    assert not measured.recognised
    assert not measured.blocking
    assert lab.bench().attempt(lab.work("crm_leads", oldest=3)).recognised
