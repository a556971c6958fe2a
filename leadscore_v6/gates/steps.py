"""The plan's steps as a graph: which asset follows which, and the plan's names for their reports.

The one place where lineage is written down: Dagster's `deps` and the guard both read it, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from leadscore_v6.gates.experiment_steps import EXPERIMENT_STEPS
from leadscore_v6.gates.production_steps import PRODUCTION_STEPS
from leadscore_v6.gates.step import DAY, MODEL, SNAPSHOT, SQL, Step

__all__ = ["DAY", "SNAPSHOT", "STEPS", "Step", "ancestors", "pinned", "upstream"]

_STEPS = (
    Step(
        "crm_leads",
        "1.1",
        "leads",
        "The CRM extract: landed, typed, one row per lead.",
        gates=(
            "leads_rows_equal_file",
            "leads_have_contacts",
            "leads_timestamps_parsed",
            "leads_one_row_per_id",
            "leads_of_before_still_there",
            "leads_last_time_not_alone",
            "leads_match_contract",
        ),
        report="crm_leads_validation_report.md",
    ),
    Step(
        "crm_associates",
        "1.1",
        "leads",
        "Who dials, and how much in a week (R50); empty where the CRM does not say.",
        # None of the leads is in it. The files of a delivery are taken in one after the other, so that a run that is
        # killed on the way leaves associates that are known to be older than the leads.
        parents=("crm_leads",),
        gates=(
            "associates_rows_equal_file",
            "associates_one_row_each",
            "associates_words_known",
            "associates_capacities_valid",
            "associates_match_contract",
        ),
        report="crm_associates_validation_report.md",
    ),
    Step(
        "crm_dials",
        "1.1",
        "leads",
        "The CRM's dials: landed, typed, one row per dial (R50); empty where the CRM logs none.",
        parents=("crm_leads", "crm_associates"),
        gates=(
            "dials_rows_equal_file",
            "dials_timestamps_parsed",
            "dials_of_known_leads",
            "dials_crds_match",
            "dials_no_duplicate",
            "dials_queue_known",
            "dials_by_known_associates",
            "dials_not_before_contact",
            "dials_log_begins_as_before",
            "dials_match_contract",
        ),
        report="crm_dials_validation_report.md",
    ),
    Step(
        "snapshot_reps_raw",
        "1.3",
        "snapshots",
        "The vendor's file as it came: every column a STRING, nothing dropped.",
        partition=SNAPSHOT,
        gates=(
            "raw_has_rows",
            "raw_header_as_expected",
            "raw_table_named_by_file",
        ),
        report="step_1_3_validation_report.md",
    ),
    Step(
        "snapshot_reps",
        "1.5",
        "snapshots",
        "Advisors of one snapshot, typed: one row per advisor and RIA firm.",
        parents=("snapshot_reps_raw",),
        partition=SNAPSHOT,
        gates=(
            "raw_rows_equal_file",
            "reps_rows_equal_raw",
            "reps_flags_binary",
            "reps_snapshot_at",
            "reps_crd_valid",
            "reps_firm_crd_valid",
            "reps_typing_losses",
            "reps_domain_losses",
            "reps_match_contract",
        ),
        report="step_1_5_validation_report.md",
    ),
    Step(
        "snapshot_firms",
        "1.6",
        "snapshots",
        "Firms of one snapshot, aggregated from its advisors: one row per RIAFirmCRD.",
        parents=("snapshot_reps",),
        partition=SNAPSHOT,
        gates=(
            "firms_one_row_each",
            "firms_have_reps",
            "firms_snapshot_at",
            "firms_count_reasonable",
            "firms_count_at_plan_scale",
            "firms_reconcile_with_reps",
            "firms_match_contract",
        ),
        report="step_1_6_validation_report.md",
    ),
    Step(
        "snapshot_schemas",
        "1.7",
        "vintages",
        "Every published snapshot table held against its data contract.",
        parents=("snapshot_reps", "snapshot_firms"),
        gates=(
            "all_snapshots_match_contracts",
            "all_snapshots_present",
        ),
        report="step_1_7_schema_validation_report.md",
    ),
    Step(
        "v_discovery_reps_all_vintages",
        "2.1",
        "vintages",
        "All advisor snapshots as one view.",
        parents=("snapshot_schemas", "snapshot_reps"),
        gates=(
            "rep_vintages_rows_add_up",
            "rep_vintages_dates_complete",
        ),
        report="step_2_master_view_report.md",
    ),
    Step(
        "v_discovery_firms_all_vintages",
        "2.2",
        "vintages",
        "All firm snapshots as one view.",
        parents=("snapshot_schemas", "snapshot_firms"),
        gates=(
            "firm_vintages_rows_add_up",
            "firm_vintages_dates_complete",
        ),
        report="step_2_master_view_report.md",
    ),
    Step(
        "step_3_1_staging_join_v6",
        "3.1",
        "training_set",
        "Each lead beside what was known about its advisor on the day of contact.",
        parents=("crm_leads", "crm_dials", "v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"),
        gates=(
            "staging_rows_equal_leads",
            "staging_populated",
            "staging_rep_match_rate",
            "staging_firm_match_rate",
            "staging_quarters_match",
            "staging_no_future_snapshot",
            "staging_latest_snapshot",
            "staging_dials_right",
            "staging_calls_were_dialled",
            "staging_matches_contract",
        ),
        report="step_3_1_staging_join_report_v6_{version}.md",
    ),
    Step(
        "step_3_3_training_dataset_v6",
        "3.2",
        "training_set",
        "Features, label and audit columns of the matured leads that were dialled.",
        parents=("step_3_1_staging_join_v6",),
        gates=(
            "training_no_negative_days",
            "training_rep_match_rate",
            "training_firm_match_rate",
            "training_snapshot_dates_valid",
            "training_no_future_features",
            "training_flags_binary",
            "training_rep_count_bin_valid",
            "training_missing_flags_valid",
            "training_matches_contract",
            "training_only_matured",
            "training_rows_accounted_for",
            "training_labels_agree",
            "training_has_both_classes",
        ),
        report="step_3_3_class_imbalance_analysis_v6_{version}.md",
        manifest="step_3_3_training_dataset_manifest_v6_{version}.json",
    ),
    Step(
        "v_latest_training_dataset_v6",
        "3.3",
        "training_set",
        "The promoted training set: the newest version that passed every gate.",
        parents=("step_3_3_training_dataset_v6",),
        gates=("promoted_rows_equal_version",),
        report="step_3_3_promotion_report_v6.md",
    ),
    Step(
        "trained_model",
        "4.1",
        "model",
        "The model, trained on the promoted set's first 65 % of time and judged on leads that it has not seen.",
        parents=("v_latest_training_dataset_v6",),
        gates=(
            "model_cv_auc_pr",
            "model_train_test_gap",
            "model_cv_coefficient",
            "model_not_worse_than_baseline",
            "model_split_is_honest",
            "model_split_by_time",
            "model_features_allowed",
            "model_leak_canaries",
            "model_digest",
        ),
        report="model_training_report_v6_{version}.md",
        further=("feature_selection_report_v6_{version}.md",),
        kinds=MODEL,
    ),
    Step(
        "calibrated_model",
        "4.3",
        "model",
        "The trained model with calibrators fitted on a later block of time, so that a score is a probability.",
        parents=("trained_model",),
        gates=(
            "calibration_ece",
            "calibration_ece_segments",
            "calibration_expected_observed",
            "calibration_slope",
            "calibration_brier_skill",
            "calibration_out_of_sample",
            "calibrated_model_digest",
        ),
        report="calibration_report_v6_{version}.md",
        further=("shap_feature_comparison_report_v6_{version}.md",),
        kinds=MODEL,
    ),
    Step(
        "backtest",
        "4.4",
        "model",
        "Model and calibrator fitted anew in each of several periods of the past, and judged on the period after it.",
        parents=("calibrated_model",),
        gates=(
            "backtest_train_test_gap",
            "backtest_cv_coefficient",
            "backtest_no_overfitting",
            "backtest_importance_stable",
            "backtest_digest",
        ),
        report="backtesting_report_v6_{version}.md",
        further=(
            "performance_validation_report_v6_{version}.md",
            "overfitting_analysis_v6_{version}.md",
            "model_card_v6_{version}.md",
        ),
        kinds=MODEL,
    ),
    Step(
        "serving_advisors_v6",
        "5.1",
        "shadow",
        "The newest known features of every advisor, as a table and as a local file: the look-up of one lead.",
        parents=("v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"),
        gates=(
            "serving_one_row_per_advisor",
            "serving_advisors_complete",
            "serving_snapshots_right",
            "serving_unmatched_row",
            "serving_matches_contract",
            "serving_file_equals_table",
        ),
        report="serving_copy_report_v6_{version}.md",
    ),
    Step(
        "shadow_scores_v6",
        "5.1",
        "shadow",
        "Every lead that entered Contacting on a day, scored one by one as production would; nobody acts on it.",
        parents=("crm_leads", "serving_advisors_v6"),
        pinned=("backtest",),
        partition=DAY,
        gates=(
            "shadow_rows_equal_leads",
            "shadow_outcomes_accounted",
            "shadow_no_future_snapshot",
            "shadow_no_skew",
            "shadow_matches_contract",
        ),
        report="shadow_day_report.md",
        kinds=SQL | MODEL,
    ),
    Step(
        "shadow_scoring",
        "5.1",
        "shadow",
        "Seven days of shadow scores judged together: success, latency, errors, availability of features, stress.",
        pinned=("shadow_scores_v6", "serving_advisors_v6", "backtest"),
        gates=(
            "shadow_seven_days",
            "shadow_success_rate",
            "shadow_latency",
            "shadow_error_rate",
            "shadow_features_available",
            "shadow_metrics_digest",
            "shadow_stress",
        ),
        report="shadow_scoring_report_v6_{version}.md",
        kinds=SQL | MODEL,
    ),
    *EXPERIMENT_STEPS,
    *PRODUCTION_STEPS,
)

STEPS: dict[str, Step] = {step.asset: step for step in _STEPS}


def ancestors(asset: str) -> Iterator[Step]:
    """Every step before `asset`, each once, nearest first."""
    return _reached(STEPS[asset].before, lambda step: step.before)


def upstream(asset: str) -> Iterator[Step]:
    """Those of them that `asset` follows: all but pinned steps and what only they were made from."""
    return _reached(STEPS[asset].parents, lambda step: step.parents)


def pinned(asset: str) -> Iterator[Step]:
    """Steps that `asset`, or a step that it follows, uses as they are, and that it does not follow anyway."""
    followed = [STEPS[asset], *upstream(asset)]
    names = dict.fromkeys(name for step in followed for name in step.pinned)
    yield from (STEPS[name] for name in names if STEPS[name] not in followed)


def _reached(first: tuple[str, ...], further: Callable[[Step], tuple[str, ...]]) -> Iterator[Step]:
    seen: set[str] = set()
    waiting = list(first)
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield STEPS[name]
            waiting.extend(further(STEPS[name]))
