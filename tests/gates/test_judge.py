"""Figures in, verdicts out: each operator at its threshold, what NULL means, and how literal and companion combine."""

from __future__ import annotations

from decimal import Decimal

import pytest

from leadscore_v6.gates.judge import judge, show
from leadscore_v6.gates.registry import Condition, Gate

LITERAL = Condition("rate", ">=", 0.85)
COMPANION = Condition("true_rate", ">=", 0.75)


def gate(
    literal: Condition = LITERAL,
    companion: Condition | None = None,
    when: Condition | None = None,
    combine: str = "literal_and_companion",
    severity: str = "error",
) -> Gate:
    return Gate("g", "3.1", "staging", "Says.", literal, companion, when, combine, severity, waivable=True)


@pytest.mark.parametrize(
    ("op", "value", "passes", "fails"),
    [
        ("==", 0, [0, 0.0], [1, -1, 0.000001]),
        ("<=", 0.005, [0, 0.005, -1], [0.0050001, 1]),
        (">=", 0.85, [0.85, 1], [0.8499999, 0]),
        ("<", 5, [4.999], [5, 6]),
        (">", 5, [5.001], [5, 4]),
        ("between", [5, 20], [5, 20, 11.5], [4.999, 20.001]),
    ],
)
def test_an_operator_at_its_threshold(op: str, value: object, passes: list[float], fails: list[float]) -> None:
    judged = gate(Condition("rate", op, value))
    assert {judge(judged, {"rate": figure}).word for figure in passes} == {"pass"}
    assert {judge(judged, {"rate": figure}).word for figure in fails} == {"fail"}
    assert all(judge(judged, {"rate": figure}).blocks for figure in fails)


@pytest.mark.parametrize("figures", [{}, {"rate": None}, {"rate": float("nan")}])
def test_what_was_not_measured_blocks(figures: dict[str, float]) -> None:
    verdict = judge(gate(), figures)
    assert (verdict.word, verdict.blocks) == ("not judgeable", True)


@pytest.mark.parametrize(
    ("combine", "rate", "true_rate", "word"),
    [
        ("literal_and_companion", 0.9, 0.8, "pass"),
        ("literal_and_companion", 0.9, 0.7, "fail"),
        ("literal_and_companion", 0.8, 0.8, "fail"),
        ("literal_and_companion", 0.9, None, "not judgeable"),
        ("literal_and_companion", None, 0.8, "not judgeable"),
        ("companion_replaces", 0.1, 0.8, "pass"),
        ("companion_replaces", None, 0.8, "pass"),
        ("companion_replaces", 0.9, 0.7, "fail"),
        ("companion_replaces", 0.9, None, "not judgeable"),
        ("alert_if_both", 0.9, 0.8, "warn"),
        ("alert_if_both", 0.9, 0.7, "pass"),
        ("alert_if_both", 0.8, 0.8, "pass"),
        ("alert_if_both", None, None, "not judgeable"),
        ("alert_if_both", None, 0.8, "not judgeable"),
        ("alert_if_both", 0.9, None, "not judgeable"),
    ],
)
def test_how_literal_and_companion_combine(
    combine: str, rate: float | None, true_rate: float | None, word: str
) -> None:
    verdict = judge(gate(companion=COMPANION, combine=combine), {"rate": rate, "true_rate": true_rate})
    assert verdict.word == word
    assert verdict.blocks == (word in ("fail", "not judgeable") and combine != "alert_if_both")
    assert (verdict.figure, verdict.companion) == (rate, true_rate)


@pytest.mark.parametrize(("rows", "word"), [(300_000, "fail"), (299_999, "not applicable"), (None, "not judgeable")])
def test_a_gate_that_applies_only_sometimes(rows: int | None, word: str) -> None:
    verdict = judge(gate(when=Condition("rows", ">=", 300_000)), {"rate": 0.1, "rows": rows})
    assert verdict.word == word
    assert verdict.blocks == (word != "not applicable")


@pytest.mark.parametrize(("rate", "word"), [(0.9, "pass"), (0.1, "warn"), (None, "not judgeable")])
def test_a_warning_never_blocks(rate: float | None, word: str) -> None:
    verdict = judge(gate(severity="warn"), {"rate": rate})
    assert (verdict.word, verdict.blocks) == (word, False)


def test_a_verdict_says_gate_step_figures_and_thresholds() -> None:
    verdict = judge(gate(companion=COMPANION), {"rate": Decimal("0.9"), "true_rate": 0.7123456789})
    assert str(verdict) == "g (step 3.1): rate 0.9, true_rate 0.712346; must be >= 0.85 and true_rate >= 0.75"


def test_a_figure_that_is_no_number_is_a_mistake_of_the_step() -> None:
    with pytest.raises(TypeError, match="not str"):
        judge(gate(), {"rate": "0.9"})


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(None, "not measured"), (0, "0"), (41900, "41,900"), (3.0, "3"), (0.005, "0.005"), (1234.567, "1,234.57")],
)
def test_figures_as_a_person_reads_them(figure: float | None, shown: str) -> None:
    assert show(figure) == shown
