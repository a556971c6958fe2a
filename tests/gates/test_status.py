"""The table of gates: the latest attempt at every place, in the plan's order, with the word that counts today."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadscore_v6.gates.decisions import Waiver, waive, withdraw
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.gates.status import served_versions, status_lines
from leadscore_v6.reports.status import render_gate, render_status
from tests.gates.conftest import KEY, OTHER_KEY, STAGING, TODAY, Lab


def words(lab: Lab) -> dict[tuple[str, str | None], str]:
    return {(line.gate, line.partition): line.verdict for line in status_lines(lab.bench().ledger)}


def test_a_finished_home_has_every_gate_in_the_plans_order(lab: Lab) -> None:
    lab.run()
    lines = status_lines(lab.bench().ledger)
    assert [(line.step, line.gate, line.partition) for line in lines] == [
        ("1.1", "leads_enough", None),
        ("1.1", "leads_complete", None),
        ("1.1", "leads_fresh", None),
        ("1.3", "raw_rows", KEY),
        ("1.3", "raw_rows", OTHER_KEY),
        ("1.5", "reps_losses", KEY),
        ("1.5", "reps_losses", OTHER_KEY),
        ("3.2", "labels_agree", None),
    ]
    assert {line.verdict for line in lines} == {"pass"}
    losses = lines[5]
    assert (losses.figure, losses.threshold, losses.when) == ("loss 0.001", "<= 0.01", "2026-01-05 10:30")
    assert lines[7].version == "20260105_1030"
    assert served_versions(lab.bench().ledger) == {
        "v_latest_training_dataset_v6": "version 20260105_1030, as of 2024-05-05"
    }


def test_the_word_is_todays(lab: Lab) -> None:
    failed = lab.attempt("crm_leads", leads=9, age=30, lost=None).attempt
    assert words(lab) == {
        ("leads_enough", None): "fail",
        ("leads_complete", None): "not judgeable",
        ("leads_fresh", None): "warn",
    }
    assert {line.gate: line.stops for line in status_lines(lab.bench().ledger)} == {
        "leads_enough": True,
        "leads_complete": True,
        "leads_fresh": False,
    }
    waive(lab.bench(), Waiver("leads_enough", failed.key, "Ann", "pilot", TODAY))
    assert words(lab)["leads_enough", None] == "waived"
    lab.today += timedelta(days=1)
    assert words(lab)["leads_enough", None] == "fail"
    lab.change_gates("value: 10}", "value: 9}")
    assert words(lab)["leads_enough", None] == "pass"


def test_a_refused_and_an_unfinished_attempt_are_told(lab: Lab) -> None:
    lab.run()
    lab.bench().refuse(("snapshot_reps_raw", KEY), "key", "A record has 5 fields\n  what to do: …", {})
    told = {line.verdict: line for line in status_lines(lab.bench().ledger)}
    assert (told["REFUSED"].gate, told["REFUSED"].figure) == ("-", "A record has 5 fields")


def test_only_the_latest_attempt_is_shown_unless_all_are_wanted(lab: Lab) -> None:
    lab.attempt("snapshot_reps_raw", KEY)
    lab.attempt("snapshot_reps_raw", KEY, "b", rows=0)
    assert words(lab) == {("raw_rows", KEY): "fail"}
    ledger = lab.bench().ledger
    assert [line.verdict for line in status_lines(ledger, everything=True)] == ["pass", "fail"]
    withdraw(lab.bench(), f"RIARepDataFeed_{KEY}.csv", "")
    assert words(lab) == {("raw_rows", KEY): "pass"}
    ledger = lab.bench().ledger
    assert [line.verdict for line in status_lines(ledger, everything=True)] == ["pass", "withdrawn"]


def test_a_home_where_nothing_was_promoted_serves_nothing(lab: Lab) -> None:
    lab.attempt("crm_leads")
    assert served_versions(lab.bench().ledger) == {}
    assert not [line for line in status_lines(lab.bench().ledger) if line.asset == STAGING]


def test_where_a_gate_stops_or_warns_the_table_says_how_to_ask_about_it(lab: Lab) -> None:
    lab.attempt("crm_leads", leads=9, age=30)
    said = render_status(status_lines(lab.bench().ledger), {})
    assert said.rstrip().endswith("What to do, and why: `leadscore gate NAME`, of leads_enough, leads_fresh.")
    lab.attempt("crm_leads", content="b")
    assert "leadscore gate" not in render_status(status_lines(lab.bench().ledger), {})


def test_a_gate_is_told_with_how_it_stands_wherever_it_was_judged_last(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps_raw", KEY, "b", rows=0)
    ledger = lab.bench().ledger
    gate = ledger.gates["raw_rows"]
    lines = [line for line in status_lines(ledger) if line.gate == gate.name]
    said = render_gate(gate.name, gate.told, lines).splitlines()
    assert said[0] == "raw_rows"
    assert [line.split()[:2] for line in said if "attempt" in line] == [["FAIL", KEY], ["pass", OTHER_KEY]]


@pytest.mark.parametrize(
    ("name", "word", "told"),
    [
        ("staging_rep_match_rate", "must be", "rep_match_rate >= 0.85 (the plan's >= 0.85 is printed only)"),
        ("class_balance_stable", "warns if", "class_balance_change > 0.05 and class_balance_p_value <= 0.01"),
        ("production_success_rate", "judged if", "open_leads >= 100"),
        ("class_balance_stable", "a miss", "a warning: nothing is stopped"),
        ("reps_crd_valid", "a miss", "stops what follows; nobody can waive it"),
        ("reps_typing_losses", "a miss", "stops what follows; a person may waive it"),
    ],
)
def test_what_is_told_of_a_gate(name: str, word: str, told: str) -> None:
    assert load_gates()[name].told[word] == told
