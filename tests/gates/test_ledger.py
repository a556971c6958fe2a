"""The ledger: what its lines add up to, read from the warehouse, from its mirror, or kept in memory all along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.gates.decisions import Waiver, rollback, waive, withdraw
from leadscore_v6.gates.judge import plain
from leadscore_v6.gates.ledger import Ledger, LedgerReader, LedgerStore, MirrorReader
from leadscore_v6.gates.registry import read_gates
from tests.gates.conftest import KEY, OTHER_KEY, TODAY, Lab

PROMOTED = "v_latest_training_dataset_v6"


def told(ledger: Ledger) -> dict[str, object]:
    """Everything that a ledger says."""
    return {
        "seq": ledger.seq,
        "attempts": ledger.attempts,
        "landed": ledger.landed,
        "withdrawn": ledger.withdrawals,
        "versions": ledger.versions(),
        "snapshots": ledger.snapshots(),
        "published": ledger.published(),
        "rollbacks": [line["payload"] for line in ledger.rollbacks],
    }


def story(lab: Lab) -> Ledger:
    """A life with everything in it: runs, a failure waived, a rollback, a withdrawal. The ledger kept in memory."""
    lab.run()
    first = lab.bench().ledger.serving(f"LeadScoring.{PROMOTED}").facts["promoted_version"]
    lab.run(crm_leads="b")
    failed = lab.attempt("snapshot_reps", KEY, "b", loss=0.5).attempt
    waive(lab.bench(), Waiver("reps_losses", failed.key, "Ann", "known", TODAY))
    bench = lab.bench()
    rollback(bench, first, "Ann")
    withdraw(bench, f"RIARepDataFeed_{OTHER_KEY}.csv", "wrong month")
    bench.attempt(lab.work("snapshot_reps_raw", KEY, "c"))
    return bench.ledger


def read(lab: Lab, reader: LedgerReader) -> Ledger:
    return Ledger(reader, read_gates(lab.gates), TODAY)


def test_memory_warehouse_and_mirror_tell_the_same(lab: Lab) -> None:
    kept = story(lab)
    assert kept.snapshots() == [KEY]
    assert len(kept.attempts) == 15 + 6 + 1 + 1
    assert len(kept.rollbacks) == 1
    from_warehouse = read(lab, LedgerStore(lab.warehouse))
    from_mirror = read(lab, MirrorReader(lab.settings.ledger_mirror))
    assert told(from_warehouse) == told(kept)
    assert told(from_mirror) == told(kept)
    assert "Ann" in {waiver["by"] for attempt in from_mirror.attempts.values() for waiver in attempt.waivers.values()}


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_mirror_that_was_cut_off_is_read_to_its_last_whole_line_and_mended(lab: Lab, cut: int) -> None:
    story(lab)
    mirror = lab.settings.ledger_mirror
    whole = mirror.read_bytes()
    mirror.write_bytes(whole[:-cut])
    before = read(lab, LedgerStore(lab.warehouse)).seq
    assert read(lab, MirrorReader(mirror)).seq == before - 1
    lab.bench()
    assert mirror.read_bytes() == whole


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [b"\xff\x00" * 40 + b"\n", *lines[1:]],
        lambda lines: [lines[0][: len(lines[0]) // 2] + b"\n", *lines[1:]],
        lambda lines: [b"5\n", *lines[1:]],
        lambda lines: [b"{}\n", *lines[1:]],
        lambda lines: [lines[0].replace(b'"payload": "{', b'"payload": "'), *lines[1:]],
    ],
    ids=["bytes", "half a line", "a number", "no line of ours", "payload"],
)
def test_a_damaged_mirror_is_named_to_a_reader_and_written_anew_by_a_writer(
    lab: Lab, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    story(lab)
    mirror = lab.settings.ledger_mirror
    whole = mirror.read_bytes()
    mirror.write_bytes(b"".join(damage(whole.splitlines(keepends=True))))
    with pytest.raises(InputError, match=r"mirror.*is damaged \(file .*ledger.jsonl, row 1\)\n  what to do: wait"):
        read(lab, MirrorReader(mirror))
    lab.bench()
    assert mirror.read_bytes() == whole


def test_a_mirror_that_says_something_else_is_written_anew(lab: Lab) -> None:
    story(lab)
    mirror = lab.settings.ledger_mirror
    whole = mirror.read_text()
    mirror.write_text(whole.replace("wrong month", "right month"))
    lab.bench()
    assert mirror.read_text() == whole


def test_a_mirror_that_ran_ahead_of_the_warehouse_is_mended(lab: Lab) -> None:
    story(lab)
    mirror = lab.settings.ledger_mirror
    whole = mirror.read_text()
    mirror.write_text(whole + whole.splitlines(keepends=True)[-1].replace('"seq": ', '"seq": 9'))
    lab.bench()
    assert mirror.read_text() == whole


def test_a_home_without_a_mirror_or_a_warehouse_is_an_empty_ledger(lab: Lab) -> None:
    assert told(read(lab, MirrorReader(lab.settings.ledger_mirror)))["attempts"] == {}
    assert told(read(lab, LedgerStore(lab.warehouse)))["attempts"] == {}


def test_one_line_per_gate_and_attempt_for_people_and_sql(lab: Lab) -> None:
    failed = lab.attempt("crm_leads", leads=9, lost=1, age=30).attempt
    lines = lab.warehouse.query(
        "SELECT gate, step, verdict, figure, threshold, severity, attempt, run_id "
        "FROM `LeadScoring.gate_ledger` ORDER BY gate"
    )
    assert [tuple(line.values()) for line in lines] == [
        ("leads_complete", "1.1", "fail", 1.0, "== 0", "error", failed.key, "run-1"),
        ("leads_enough", "1.1", "fail", 9.0, ">= 10", "error", failed.key, "run-1"),
        ("leads_fresh", "1.1", "warn", 30.0, "<= 7", "warn", failed.key, "run-1"),
    ]


def test_a_changed_threshold_is_judged_again_from_the_stored_figure_and_told(lab: Lab) -> None:
    lab.attempt("crm_leads", leads=9)
    lab.change_gates("value: 10}", "value: 9}")
    outcome = lab.attempt("crm_leads", leads=9)
    assert outcome.recognised
    assert lab.built == ["crm_leads"]
    lines = lab.warehouse.query(
        "SELECT verdict, figure, threshold FROM `LeadScoring.gate_ledger` WHERE gate = 'leads_enough' ORDER BY seq"
    )
    assert [tuple(line.values()) for line in lines] == [("fail", 9.0, ">= 10"), ("pass", 9.0, ">= 9")]
    # Once is enough.
    lab.attempt("crm_leads", leads=9)
    assert len(lab.warehouse.query("SELECT 1 AS n FROM `LeadScoring.gate_ledger` WHERE gate = 'leads_enough'")) == 2


@pytest.mark.parametrize(("day", "covered"), [(-1, True), (0, True), (1, False)])
def test_a_waiver_covers_its_last_day_and_no_more(lab: Lab, day: int, covered: bool) -> None:
    failed = lab.attempt("crm_leads", leads=9).attempt
    waive(lab.bench(), Waiver("leads_enough", failed.key, "Ann", "a small pilot", TODAY + timedelta(days=3)))
    lab.today = TODAY + timedelta(days=3 + day)
    ledger = lab.bench().ledger
    attempt = ledger.attempts[failed.key]
    assert ledger.waived(attempt, "leads_enough") == covered
    assert [verdict.gate.name for verdict in ledger.blocking(attempt)] == ([] if covered else ["leads_enough"])
    assert not ledger.waived(attempt, "leads_complete")


def test_lines_are_ordered_by_their_number_not_by_the_clock(lab: Lab) -> None:
    lab.attempt("crm_leads")
    set_back = replace(lab.bench(), clock=lambda: datetime(2001, 1, 1, tzinfo=UTC))
    set_back.attempt(lab.work("crm_leads", content="b"))
    ledger = lab.bench().ledger
    assert ledger.latest("crm_leads").source == "digest of b"
    numbers = [line["seq"] for line in LedgerStore(lab.warehouse).lines()]
    assert numbers == list(range(1, 7))


def test_figures_as_json_holds_them() -> None:
    figures = {"rate": Decimal("0.25"), "day": date(2024, 1, 7), "none": None, "list": [Decimal(1), ("b",)]}
    assert plain(figures) == {"rate": 0.25, "day": "2024-01-07", "none": None, "list": [1.0, ["b"]]}
