"""What a person reads first in the model's reports: the verdict in words, and what would make it worth less."""

from __future__ import annotations

from typing import Any

import pytest

from leadscore_v6.reports.sections import headlines, topic

FACTS: dict[str, Any] = {
    "names": {"model": "XGBoost", "baseline": "logistic regression"},
    "holdout": {"leads": 12_137, "prevalence": 0.035},
    "cv_prevalence": 0.034,
    "estimates": {"auc_pr": [0.286, 0.25, 0.332], "auc_pr_over_prevalence": [8.2, 7.3, 9.4]},
    "baseline_estimates": {"auc_pr": [0.103, 0.09, 0.12]},
    "logit_minus_model": [-0.183, -0.216, -0.153],
    "baseline_verdict": "worse",
}


def said(figures: dict[str, Any] | None = None, **facts: Any) -> tuple[str, ...]:
    given = {"cv_average_precision": 0.275, "random_folds": 0, **(figures or {})}
    return headlines("model_training_report", given, {**FACTS, **facts})


def test_a_report_is_known_by_its_file() -> None:
    assert topic("model_training_report_v6_{version}.md") == "model_training_report"
    assert topic("step_1_5_validation_report.md") == "step_1_5_validation_report"


def test_the_verdict_comes_with_intervals_and_with_what_a_random_order_gives() -> None:
    first, baseline = said()
    assert "average CV AUC-PR (average precision) is **0.275**; the plan asks for more than 0.15" in first
    assert "**0.286 (0.250 to 0.332, 95 %)**" in first
    assert "0.035" in first
    assert baseline == (
        "XGBoost is better than the logistic regression: on the holdout it reaches 0.103, less by 0.153 to 0.216 (95 %,"
        " paired)."
    )


@pytest.mark.parametrize(
    ("verdict", "difference", "words"),
    [
        ("equal", [0.001, -0.01, 0.012], "is as good**: on the holdout it reaches 0.103"),
        ("better", [0.05, 0.01, 0.09], "is better**: on the holdout it reaches 0.103, beyond the paired interval"),
        ("not judgeable", [0.05, None, None], "is not judgeable"),
    ],
)
def test_a_baseline_that_is_as_good_or_better_is_said_in_the_first_lines(
    verdict: str, difference: list[float | None], words: str
) -> None:
    assert words in said(baseline_verdict=verdict, logit_minus_model=difference)[1]


def test_a_model_that_misses_the_plans_figure_is_told_as_what_it_is() -> None:
    last = said({"cv_average_precision": 0.061})[-1]
    assert last.startswith("**Nothing was promoted, and that is the product working.**")
    assert "leaks" in last
    assert not any("Nothing was promoted" in line for line in said())


def test_random_folds_are_told_in_red_before_anything_else() -> None:
    assert said({"random_folds": 5})[0].startswith('<span style="color:red">**RANDOM FOLDS.**')
    assert not any("RANDOM" in line for line in said())
