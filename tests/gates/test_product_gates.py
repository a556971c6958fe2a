"""The product's own gates on figures as they are known from real and broken feeds (gates.yaml; R11, R14, R38, R46)."""

from __future__ import annotations

import pytest

from leadscore_v6.gates.judge import judge
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.gates.steps import STEPS

Figures = dict[str, float | None]


def word(gate: str, **figures: float | None) -> str:
    """The verdict of one gate of the product."""
    return judge(load_gates()[gate], figures).word


@pytest.mark.parametrize("gate", ["staging_rep_match_rate", "training_rep_match_rate"])
def test_rep_matches_are_judged_where_a_match_was_possible(gate: str) -> None:
    """90.6 % of all is the published share of leads since the first snapshot: it says nothing about the join (R11)."""
    literal = load_gates()[gate].literal.figure
    assert word(gate, **{literal: 0.906}, rep_match_rate=0.84) == "fail"
    assert word(gate, **{literal: 0.5}, rep_match_rate=0.85) == "pass"
    assert word(gate, **{literal: 0.906}, rep_match_rate=None) == "not judgeable"


@pytest.mark.parametrize("gate", ["staging_firm_match_rate", "training_firm_match_rate"])
def test_firm_matches_are_judged_where_a_match_was_possible(gate: str) -> None:
    literal = load_gates()[gate].literal.figure
    assert word(gate, **{literal: 0.906}, firm_match_rate=0.74) == "fail"
    assert word(gate, **{literal: 0.5}, firm_match_rate=0.75) == "pass"


def test_a_quarter_with_few_matches_is_a_warning() -> None:
    assert word("staging_quarters_match", worst_quarter_rep_match_rate=0.84) == "warn"


# Firms and rows of the plan's first and last snapshot; a feed that lost half of its firms; a sample of 600 advisors.
@pytest.mark.parametrize(
    ("firms", "rows", "count", "scale"),
    [
        (40_443, 469_600, "pass", "pass"),
        (41_862, 493_800, "pass", "pass"),
        (20_900, 493_800, "fail", "fail"),
        (29_999, 300_000, "pass", "fail"),
        (45_001, 493_800, "pass", "fail"),
        (45_000, 493_800, "pass", "pass"),
        (55, 620, "pass", "not applicable"),
        (400, 620, "fail", "not applicable"),
    ],
)
def test_the_firm_count_is_judged_at_any_size(firms: int, rows: int, count: str, scale: str) -> None:
    figures: Figures = {"firms": firms, "rep_rows": rows, "rows_per_firm": rows / firms}
    assert word("firms_count_reasonable", **figures) == count
    assert word("firms_count_at_plan_scale", **figures) == scale


@pytest.mark.parametrize(
    ("gate", "figure"),
    [("reps_typing_losses", "worst_typing_loss"), ("reps_domain_losses", "worst_domain_loss")],
)
def test_half_a_percent_may_be_lost_and_no_more(gate: str, figure: str) -> None:
    assert word(gate, **{figure: 0.005}) == "pass"
    assert word(gate, **{figure: 0.0051}) == "fail"


def test_one_rep_crd_that_is_none_stops_a_feed() -> None:
    assert word("reps_crd_valid", invalid_rep_crd=0) == "pass"
    assert word("reps_crd_valid", invalid_rep_crd=1) == "fail"


GOOD_MODEL: Figures = {
    "cv_average_precision": 0.27,
    "ap_over_prevalence_low": 7.0,
    "train_test_gap": 0.05,
    "cv_coefficient": 0.12,
    "logit_minus_model_low": -0.2,
    "ece": 0.004,
    "ece_beyond_null": -0.003,
    "worst_segment_ece": 0.09,
    "worst_judged_segment_ece": 0.01,
    "expected_observed_low": 0.93,
    "expected_observed_high": 1.08,
    "slope_low": 0.9,
    "slope_high": 1.1,
    "brier_skill_low": 0.05,
    "overfitting_indicators": 0,
    "importance_spearman": 0.9,
    "importance_jaccard": 0.8,
}


@pytest.mark.parametrize(
    ("gate", "figure", "value"),
    [
        # R18: what honest models on the real data reach; one that is no better than the prevalence.
        ("model_cv_auc_pr", "cv_average_precision", 0.075),
        ("model_cv_auc_pr", "cv_average_precision", 0.15),
        ("model_cv_auc_pr", "ap_over_prevalence_low", 1.0),
        ("model_not_worse_than_baseline", "logit_minus_model_low", 0.001),
        # R17
        ("model_train_test_gap", "train_test_gap", 0.15),
        ("model_cv_coefficient", "cv_coefficient", 0.20),
        ("backtest_train_test_gap", "train_test_gap", 0.15),
        ("backtest_cv_coefficient", "cv_coefficient", 0.20),
        # R20: a constant, noise and doubled odds all have an ECE below 0.05.
        ("calibration_ece", "ece", 0.051),
        ("calibration_ece", "ece_beyond_null", 0.0001),
        ("calibration_ece_segments", "worst_judged_segment_ece", 0.051),
        ("calibration_expected_observed", "expected_observed_low", 1.11),
        ("calibration_expected_observed", "expected_observed_high", 0.89),
        ("calibration_slope", "slope_low", 1.26),
        ("calibration_slope", "slope_high", 0.79),
        ("calibration_brier_skill", "brier_skill_low", 0.0),
        # R40
        ("backtest_no_overfitting", "overfitting_indicators", 1),
        ("backtest_importance_stable", "importance_spearman", 0.59),
        ("backtest_importance_stable", "importance_jaccard", 0.49),
    ],
)
def test_a_model_passes_by_every_figure_or_not_at_all(gate: str, figure: str, value: float) -> None:
    assert word(gate, **GOOD_MODEL) == "pass"
    assert word(gate, **{**GOOD_MODEL, figure: value}) == "fail"
    assert word(gate, **{**GOOD_MODEL, figure: None}) == "not judgeable"


def test_an_interval_that_meets_the_band_passes_whatever_its_point() -> None:
    """With 300 positives the point of a perfect model leaves the band one time in ten (R20)."""
    assert word("calibration_slope", slope_low=0.6, slope_high=0.81) == "pass"
    assert word("calibration_expected_observed", expected_observed_low=1.09, expected_observed_high=1.4) == "pass"


# Future data, one row per lead, contracts, leak canaries, model digests (R38).
# A CRD that is none is NULL where the contract allows none (R46): a waiver of that gate alone could not help.
NEVER_WAIVED = {
    "model_split_is_honest",
    "model_features_allowed",
    "model_leak_canaries",
    "model_digest",
    "calibration_out_of_sample",
    "calibrated_model_digest",
    "backtest_digest",
    "reps_crd_valid",
    "leads_one_row_per_id",
    "staging_rows_equal_leads",
    "training_rows_accounted_for",
    "staging_dials_right",
    "staging_no_future_snapshot",
    "training_no_future_features",
    "training_snapshot_dates_valid",
    "raw_header_as_expected",
    "reps_match_contract",
    "leads_match_contract",
    "staging_matches_contract",
    "firms_match_contract",
    "all_snapshots_match_contracts",
    "training_matches_contract",
}


def test_what_no_human_may_waive() -> None:
    gates = load_gates()
    waivable = {gate.name for asset in STEPS for gate in gates.of(asset) if gate.waivable}
    assert waivable & NEVER_WAIVED == set()
    assert {"staging_rep_match_rate", "model_cv_auc_pr", "calibration_slope"} <= waivable
