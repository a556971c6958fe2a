"""What a person reads first in the model's reports: the verdict in words, and what would make it worth less."""

from __future__ import annotations

from typing import Any

import pytest

from leadscore_v6.reports.sections import headlines, sections, topic

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


# --- the model card, and the report of what was validated: sentences that the data could contradict ------------------

UNSURE = [0.3, None, None]
NO_DIALS = {"logged": 0, "undialled": 0, "unknown": 0}
CARD: dict[str, Any] = {
    "dataset_version": "20251101",
    "dials": NO_DIALS,
    "trained": {
        "names": FACTS["names"],
        "rounds": 120,
        "matrix_columns": 60,
        "as_of": "2025-11-01",
        "blocks": [],
        "empty": ["TotalAssetsInMillions", "AUMGrowthRate_1Year"],
    },
    "calibrated": {
        "segment_column": "firm_rep_count_bin",
        "tiers_known": False,
        "estimates": dict.fromkeys(("auc_pr", "auc_roc", "lift_top_decile"), UNSURE),
        "after": dict.fromkeys(("expected_observed", "slope"), UNSURE),
        "holdout": {"prevalence": 0.04},
        "subgroups": [],
        "deciles": [{"leads": 200, "positives": 130, "rate": 0.65}],
    },
}


def card_of(**other: Any) -> str:
    given = {**CARD, **other}
    return "\n".join(sections("model_card", {}, given))


def test_the_card_says_which_figures_are_of_leads_that_no_snapshot_knows() -> None:
    """All of them get one score: among each other they are in no order."""
    row = {
        "subgroup": "num_prior_firms_is_missing = 1", "leads": 437, "positives": 43, "prevalence": 0.0984,
        "auc_pr": [0.098, None, None], "auc_roc": [0.5, None, None], "expected_observed": [1.14, None, None],
    }  # fmt: skip
    card = card_of(calibrated={**CARD["calibrated"], "subgroups": [row]})
    assert "| num_prior_firms_is_missing = 1 | 437 | 43 |" in card
    assert "among each other such leads cannot be ranked." in card
    assert "above is of them alone: 437 leads, 43 positive, AUC-ROC 0.500;" in card
    assert "no figure here is of such leads alone" not in card
    assert "no figure here is of such leads alone" in card_of()


def test_the_card_says_what_was_empty_and_whom_the_log_left_out() -> None:
    card = card_of()
    assert "2 features were empty for all training leads, and are no part of it: TotalAssetsInMillions, AUM" in card
    assert "No AUM tier is known" in card
    assert "one dial per lead: no dials are recorded." in card
    assert "None was left out" in card
    assert "of the 200 leads of the holdout's highest decile 130 (65.0%) scheduled a call" in card
    logged = card_of(dials={"logged": 4000, "undialled": 1500, "unknown": 300})
    assert "dials are recorded of 4,000 leads, and how often each was dialled is not looked at" in logged
    assert "Left out were 1,500 leads that nobody dialled, and 300 of which it is not known." in logged
    assert "no dials are recorded" not in logged


def test_a_feed_with_assets_is_not_said_to_have_none() -> None:
    filled = card_of(
        trained={**CARD["trained"], "empty": []}, calibrated={**CARD["calibrated"], "tiers_known": True}
    )
    assert "empty" not in filled
    assert "No AUM tier" not in filled


@pytest.mark.parametrize(
    ("dials", "says"),
    [(NO_DIALS, "(no dials are recorded, R50)"), ({**NO_DIALS, "logged": 4000}, "(dials are recorded of 4,000 leads")],
)
def test_what_one_dial_per_lead_stands_on(dials: dict[str, int], says: str) -> None:
    decile = {"decile": 1, "leads": 20, "positives": 1, "rate": 0.05, "lift": 1.0, "gain": 1.0}
    more = dict.fromkeys(("auc_pr_over_prevalence", "precision_at_capacity", "mqls_per_100_dials"), UNSURE)
    calibrated = {
        **CARD["calibrated"],
        "estimates": {**CARD["calibrated"]["estimates"], **more},
        "deciles": [decile] * 3,
        "random_mqls_per_100_dials": 4.0,
    }
    facts = {"calibrated": calibrated, "business": [{"period": "1"}], "capacity_share": 0.2, "dials": dials}
    text = "\n".join(sections("performance_validation_report", {}, facts))
    assert says in text
    assert ("no dials are recorded" in text) == (dials["logged"] == 0)
