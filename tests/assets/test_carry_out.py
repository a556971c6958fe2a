"""How an attempt's end is told to Dagster: errors as failures with an exit code, verdicts as check results."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import pytest

from leadscore_v6.assets.carry_out import _check, stops
from leadscore_v6.errors import GateBlocked, InputError, LeadscoreError
from leadscore_v6.gates.attempt import Outcome
from leadscore_v6.gates.judge import judge
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.registry import Condition, Gate

GATE = Gate(
    name="enough_rows",
    step="1.5",
    asset="snapshot_reps",
    says="There are rows.",
    literal=Condition("rows", ">=", 10),
    companion=None,
    when=None,
    combine="literal_and_companion",
    severity="error",
    waivable=True,
)
ATTEMPT = Attempt("abc123", "snapshot_reps", "20240107", None, "content")


def told(gate: Gate, figures: dict[str, float | None], *waived: str) -> dg.AssetCheckResult:
    """The check result of one gate on some figures."""
    verdict = judge(gate, figures)
    outcome = Outcome(ATTEMPT, (verdict,), recognised=False, waived=frozenset(waived))
    return _check(verdict, outcome, {})


def shown(result: dg.AssetCheckResult) -> dict[str, object]:
    return {name: entry.value for name, entry in result.metadata.items()}


def test_a_gate_that_holds_passes_and_shows_figure_and_threshold() -> None:
    result = told(GATE, {"rows": 12})
    assert result.passed
    assert shown(result) == {"rows": 12, "threshold": ">= 10", "verdict": "pass", "attempt": "abc123"}


@pytest.mark.parametrize(("figure", "verdict", "value"), [(3, "fail", 3), (None, "not judgeable", "not measured")])
def test_one_that_does_not_hold_stops_the_run(figure: float | None, verdict: str, value: object) -> None:
    result = told(GATE, {"rows": figure})
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (shown(result)["verdict"], shown(result)["rows"]) == (verdict, value)


def test_a_waived_one_lets_the_run_go_on_and_still_shows_as_failed() -> None:
    result = told(GATE, {"rows": 3}, "enough_rows")
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert shown(result)["verdict"] == "waived"


def test_a_waiver_of_a_gate_that_holds_changes_nothing() -> None:
    result = told(GATE, {"rows": 12}, "enough_rows")
    assert result.passed
    assert shown(result)["verdict"] == "pass"


def test_a_warning_shows_and_lets_the_run_go_on() -> None:
    result = told(replace(GATE, severity="warn"), {"rows": 3})
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert shown(result)["verdict"] == "warn"


def test_a_companion_is_shown_beside_the_plans_literal_figure() -> None:
    both = replace(GATE, companion=Condition("share", "<=", 0.5))
    metadata = shown(told(both, {"rows": 12, "share": 0.75}))
    assert (metadata["rows"], metadata["share"], metadata["verdict"]) == (12, 0.75, "fail")
    assert metadata["threshold"] == ">= 10 and share <= 0.5"


@pytest.mark.parametrize(
    ("error", "exit_code"), [(InputError("No file"), 2), (GateBlocked("A gate"), 3), (LeadscoreError("Other"), 1)]
)
def test_an_error_for_a_person_becomes_a_failure_that_is_not_retried(error: LeadscoreError, exit_code: int) -> None:
    with pytest.raises(dg.Failure) as raised, stops(report_path="report.md"):
        raise error
    assert raised.value.description == str(error)
    assert raised.value.allow_retries is False
    metadata = {name: entry.value for name, entry in raised.value.metadata.items()}
    assert metadata == {"exit_code": exit_code, "report_path": "report.md"}


def test_any_other_error_goes_through_with_its_stack_trace() -> None:
    with pytest.raises(ZeroDivisionError), stops():
        1 / 0  # noqa: B018
