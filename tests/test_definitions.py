"""What Dagster loads, held against a list that was written by hand from the plan (steps 1.1 to 4.4)."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from leadscore_v6.assets import recipe
from leadscore_v6.definitions import build_defs

ROOT = Path(__file__).resolve().parents[1]

# asset: plan step, group, one partition per snapshot date?, what it is made from, its gates.
PLAN: dict[str, tuple[str, str, bool, set[str], set[str]]] = {
    "crm_leads": (
        "1.1",
        "leads",
        False,
        set(),
        {
            "leads_rows_equal_file",
            "leads_have_contacts",
            "leads_timestamps_parsed",
            "leads_one_row_per_id",
            "leads_match_contract",
        },
    ),
    "snapshot_reps_raw": (
        "1.3",
        "snapshots",
        True,
        set(),
        {"raw_has_rows", "raw_header_as_expected", "raw_table_named_by_file"},
    ),
    "snapshot_reps": (
        "1.5",
        "snapshots",
        True,
        {"snapshot_reps_raw"},
        {
            "raw_rows_equal_file",
            "reps_rows_equal_raw",
            "reps_flags_binary",
            "reps_snapshot_at",
            "reps_crd_valid",
            "reps_firm_crd_valid",
            "reps_typing_losses",
            "reps_domain_losses",
            "reps_match_contract",
        },
    ),
    "snapshot_firms": (
        "1.6",
        "snapshots",
        True,
        {"snapshot_reps"},
        {
            "firms_one_row_each",
            "firms_have_reps",
            "firms_snapshot_at",
            "firms_count_reasonable",
            "firms_count_at_plan_scale",
            "firms_reconcile_with_reps",
            "firms_match_contract",
        },
    ),
    "snapshot_schemas": (
        "1.7",
        "vintages",
        False,
        {"snapshot_reps", "snapshot_firms"},
        {"all_snapshots_match_contracts", "all_snapshots_present"},
    ),
    "v_discovery_reps_all_vintages": (
        "2.1",
        "vintages",
        False,
        {"snapshot_schemas", "snapshot_reps"},
        {"rep_vintages_rows_add_up", "rep_vintages_dates_complete"},
    ),
    "v_discovery_firms_all_vintages": (
        "2.2",
        "vintages",
        False,
        {"snapshot_schemas", "snapshot_firms"},
        {"firm_vintages_rows_add_up", "firm_vintages_dates_complete"},
    ),
    "step_3_1_staging_join_v6": (
        "3.1",
        "training_set",
        False,
        {"crm_leads", "v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"},
        {
            "staging_rows_equal_leads",
            "staging_populated",
            "staging_rep_match_rate",
            "staging_firm_match_rate",
            "staging_quarters_match",
            "staging_no_future_snapshot",
            "staging_latest_snapshot",
            "staging_matches_contract",
        },
    ),
    "step_3_3_training_dataset_v6": (
        "3.2",
        "training_set",
        False,
        {"step_3_1_staging_join_v6"},
        {
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
        },
    ),
    "v_latest_training_dataset_v6": (
        "3.3",
        "training_set",
        False,
        {"step_3_3_training_dataset_v6"},
        {"promoted_rows_equal_version"},
    ),
    "trained_model": (
        "4.1",
        "model",
        False,
        {"v_latest_training_dataset_v6"},
        {
            "model_cv_auc_pr",
            "model_train_test_gap",
            "model_cv_coefficient",
            "model_not_worse_than_baseline",
            "model_split_is_honest",
            "model_split_by_time",
            "model_features_allowed",
            "model_leak_canaries",
            "model_digest",
        },
    ),
    "calibrated_model": (
        "4.3",
        "model",
        False,
        {"trained_model"},
        {
            "calibration_ece",
            "calibration_ece_segments",
            "calibration_expected_observed",
            "calibration_slope",
            "calibration_brier_skill",
            "calibration_out_of_sample",
            "calibrated_model_digest",
        },
    ),
    "backtest": (
        "4.4",
        "model",
        False,
        {"calibrated_model"},
        {
            "backtest_train_test_gap",
            "backtest_cv_coefficient",
            "backtest_no_overfitting",
            "backtest_importance_stable",
            "backtest_digest",
        },
    ),
    "serving_advisors_v6": (
        "5.1",
        "shadow",
        False,
        {"v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"},
        {
            "serving_one_row_per_advisor",
            "serving_advisors_complete",
            "serving_snapshots_right",
            "serving_unmatched_row",
            "serving_matches_contract",
            "serving_file_equals_table",
        },
    ),
    "shadow_scores_v6": (
        "5.1",
        "shadow",
        True,
        {"crm_leads", "serving_advisors_v6", "backtest"},
        {
            "shadow_rows_equal_leads",
            "shadow_outcomes_accounted",
            "shadow_no_future_snapshot",
            "shadow_no_skew",
            "shadow_matches_contract",
        },
    ),
    "shadow_scoring": (
        "5.1",
        "shadow",
        False,
        {"shadow_scores_v6", "serving_advisors_v6", "backtest"},
        {
            "shadow_seven_days",
            "shadow_success_rate",
            "shadow_latency",
            "shadow_error_rate",
            "shadow_features_available",
            "shadow_metrics_digest",
            "shadow_stress",
        },
    ),
    "production_scores_v6": (
        "6.1",
        "production",
        True,
        {"crm_leads", "serving_advisors_v6"},
        {
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
        },
    ),
    "class_balance_v6": ("6.1", "production", False, {"crm_leads"}, {"class_balance_stable"}),
}
# Every other gate stops what follows.
WARNINGS = {
    "staging_quarters_match",
    "model_split_by_time",
    "shadow_stress",
    "production_leads_have_crd",
    "class_balance_stable",
}
OF_THE_MODEL = {"trained_model", "calibrated_model", "backtest"}
BY_THE_MODEL = {"shadow_scores_v6", "shadow_scoring", "production_scores_v6"}
BY_DAY = {"shadow_scores_v6", "production_scores_v6"}
OF_ONE_SNAPSHOT = {"snapshot_reps_raw", "snapshot_reps", "snapshot_firms"}


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs()


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def checks(defs: dg.Definitions) -> list[dg.AssetCheckSpec]:
    return [check for asset in defs.resolve_asset_graph().assets_defs for check in asset.check_specs]


def test_the_graph_is_the_plans(specs: dict[str, dg.AssetSpec], checks: list[dg.AssetCheckSpec]) -> None:
    loaded = {
        name: (
            re.findall(r"^Step ([\d.]+)\. ", spec.description or "")[0],
            spec.group_name,
            spec.partitions_def is not None,
            {dependency.asset_key.to_user_string() for dependency in spec.deps},
            {check.name for check in checks if check.asset_key == spec.key},
        )
        for name, spec in specs.items()
    }
    assert loaded == PLAN


def test_every_gate_but_the_warnings_blocks(checks: list[dg.AssetCheckSpec]) -> None:
    assert {check.name for check in checks if not check.blocking} == WARNINGS


def test_checks_are_the_gates_of_the_configuration(checks: list[dg.AssetCheckSpec]) -> None:
    declared = yaml.safe_load((ROOT / "config" / "gates.yaml").read_text())["gates"]
    assert sorted((check.asset_key.to_user_string(), check.name, check.description) for check in checks) == sorted(
        (gate["asset"], gate["name"], f"Step {gate['step']}: {gate['says']}") for gate in declared
    )


@pytest.mark.parametrize("name", PLAN)
def test_every_asset_says_who_and_what_it_is(specs: dict[str, dg.AssetSpec], name: str) -> None:
    spec = specs[name]
    assert len(spec.description or "") > len("Step 1.1. ") + 20
    assert spec.owners == ["team:leadscore"]
    model = {"python", "xgboost"} if name in OF_THE_MODEL | BY_THE_MODEL else set()
    assert spec.kinds == model | (set() if name in OF_THE_MODEL else {"sql", "duckdb"})
    assert re.fullmatch(r"[0-9a-f]{12}", spec.code_version or "")


def test_snapshots_share_one_set_of_dates_and_daily_steps_one_of_days(specs: dict[str, dg.AssetSpec]) -> None:
    """Dates are registered, never listed in the code (R12)."""
    sets = {spec.partitions_def for spec in specs.values() if spec.partitions_def}
    assert sets == {dg.DynamicPartitionsDefinition(name=name) for name in ("snapshot_date", "day")}
    assert {name for name, spec in specs.items() if spec.partitions_def} == OF_ONE_SNAPSHOT | BY_DAY


def test_code_version_follows_the_code_and_its_own_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: recipe.code_version(name) for name in PLAN}
    changed = Path(shutil.copytree(ROOT / "sql", tmp_path / "sql"))
    monkeypatch.setattr(recipe, "sql_root", lambda: changed)
    assert {name: recipe.code_version(name) for name in PLAN} == before
    with (changed / "snapshot_reps_YYYYMMDD" / "query.sql").open("a") as query:
        query.write("-- another mapping\n")
    assert {name for name in PLAN if recipe.code_version(name) != before[name]} == {"snapshot_reps"}
    monkeypatch.setattr(recipe, "code_hash", lambda: "other code")
    assert {name for name in PLAN if recipe.code_version(name) != before[name]} == set(PLAN)


@pytest.mark.parametrize(
    ("job", "selected"),
    [
        ("snapshot", OF_ONE_SNAPSHOT),
        ("leads", {"crm_leads"}),
        (
            "training_set",
            set(PLAN) - OF_ONE_SNAPSHOT - OF_THE_MODEL - BY_THE_MODEL - {"serving_advisors_v6", "class_balance_v6"},
        ),
        ("model", OF_THE_MODEL),
        ("serving", {"serving_advisors_v6"}),
        ("shadow_day", {"shadow_scores_v6"}),
        ("shadow", {"shadow_scoring"}),
        ("production_day", {"production_scores_v6"}),
        ("class_balance", {"class_balance_v6"}),
    ],
)
def test_jobs_run_what_belongs_together_with_all_its_gates(defs: dg.Definitions, job: str, selected: set[str]) -> None:
    layer = defs.resolve_job_def(job).asset_layer
    assert {key.to_user_string() for key in layer.selected_asset_keys} == selected
    gates = {gate for name in selected for gate in PLAN[name][4]}
    assert {key.name for key in layer.asset_graph.asset_check_keys} == gates


def test_the_sensor_is_off_until_someone_turns_it_on(defs: dg.Definitions) -> None:
    """Its runs take the default as_of: nobody is to be surprised by another training set on opening the UI."""
    sensor = defs.resolve_sensor_def("landing_sensor")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert {job.name for job in sensor.jobs} == {"snapshot", "leads", "training_set"}


def test_definitions_are_fresh_each_time_and_take_other_resources() -> None:
    class Sham(dg.ConfigurableResource):
        word: str = "sham"

    assert isinstance(build_defs(warehouse=Sham()).resources["warehouse"], Sham)
    assert not isinstance(build_defs().resources["warehouse"], Sham)


def test_dagster_validates_the_definitions(tmp_path: Path) -> None:
    """As its own command sees them, in the checkout and with nothing set up."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("LEADSCORE_", "DAGSTER_"))}
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location leadscore_v6" in done.stdout + done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/asset_graph.md"])
def test_the_picture_is_of_this_graph(page: str) -> None:
    """When it is not: `python docs/asset_graph.py`."""
    drawn = runpy.run_path(str(ROOT / "docs" / "asset_graph.py"))["mermaid"]()
    assert re.findall(r"```mermaid\n(.*?)\n```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL) == [drawn]
    for name, (_, _, _, parents, _) in PLAN.items():
        assert all(f"  {parent} --> {name}" in drawn.splitlines() for parent in parents)
