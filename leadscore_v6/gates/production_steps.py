"""Step 6.1, production and what watches it: part of the graph in steps.py, which is where all others ask."""

from __future__ import annotations

from leadscore_v6.gates.step import DAY, MODEL, SQL, Step

PRODUCTION_STEPS = (
    Step(
        "production_scores_v6",
        "6.1",
        "production",
        "Open leads and prospects of a day, scored by the champion: percentile, trend, reasons, warnings.",
        parents=("crm_leads", "serving_advisors_v6"),
        partition=DAY,
        gates=(
            "production_success_rate",
            "production_error_rate",
            "production_leads_have_crd",
            "production_latency",
            "production_features_available",
            "production_leads_accounted",
            "production_one_row_each",
            "production_outcomes_accounted",
            "production_percentiles_complete",
            "production_no_future_snapshot",
            "production_no_skew",
            "production_matches_contract",
        ),
        report="production_scores_report_v6.md",
        kinds=SQL | MODEL,
    ),
    Step(
        "class_balance_v6",
        "6.1",
        "production",
        "Weekly rate of conversions among matured leads, held against the rate that the champion learned from.",
        parents=("crm_leads", "crm_dials"),
        gates=("class_balance_stable",),
        report="class_balance_report_v6.md",
    ),
    Step(
        "feature_drift_v6",
        "6.1",
        "production",
        "How far each feature of the champion and its score have moved from training, as of a day.",
        parents=("v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages", "crm_leads", "crm_dials"),
        partition=DAY,
        gates=(
            "drift_within_bounds",
            "drift_rows_complete",
            "drift_matches_contract",
        ),
        report="feature_drift_report_v6_{version}.md",
        kinds=SQL | MODEL,
    ),
    Step(
        "model_performance_v6",
        "6.1",
        "production",
        "What the champion was worth on matured leads, and what its scores promise of young ones, as of a day.",
        parents=("v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages", "crm_leads", "crm_dials"),
        partition=DAY,
        gates=(
            "performance_as_promised",
            "performance_expected_not_above",
            "performance_expected_not_below",
            "performance_counts_consistent",
            "performance_matches_contract",
        ),
        report="model_performance_report_v6_{version}.md",
        kinds=SQL | MODEL,
    ),
)
