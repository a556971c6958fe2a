"""What Dagster loads, held against a list that was written by hand from the plan (steps 1.1 to 6.1)."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from leadscore_v6.assets import recipe
from leadscore_v6.definitions import build_defs
from tests.plan_graph import PLAN

ROOT = Path(__file__).resolve().parents[1]

# Every other gate stops what follows.
WARNINGS = {"staging_quarters_match", "model_split_by_time", "shadow_stress"}
WARNINGS |= {"daily_sample_ratio", "daily_process_guardrails"}
WARNINGS |= {"production_leads_have_crd", "class_balance_stable", "drift_within_bounds", "performance_as_promised"}
WARNINGS |= {"performance_expected_not_above", "performance_expected_not_below"}
OF_THE_MODEL = {"trained_model", "calibrated_model", "backtest"}
BY_DAY = {"shadow_scores_v6", "production_scores_v6", "feature_drift_v6", "model_performance_v6"}
BY_THE_MODEL = BY_DAY | {"shadow_scoring"}
OF_THE_TEST = {name for name, (_, group, *_) in PLAN.items() if group == "experiment"}
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


ADVICE = ("cause", "check", "remedy")


def test_every_gate_but_the_warnings_blocks(checks: list[dg.AssetCheckSpec]) -> None:
    assert {check.name for check in checks if not check.blocking} == WARNINGS


def test_checks_are_the_gates_of_the_configuration(checks: list[dg.AssetCheckSpec]) -> None:
    declared = yaml.safe_load((ROOT / "config" / "gates.yaml").read_text())["gates"]
    assert sorted((check.asset_key.to_user_string(), check.name, check.description) for check in checks) == sorted(
        (
            gate["asset"],
            gate["name"],
            "\n\n".join(
                [f"Step {gate['step']}: {gate['says']}", *(f"{word.title()}: {gate[word]}" for word in ADVICE)]
            ),
        )
        for gate in declared
    )


@pytest.mark.parametrize("name", PLAN)
def test_every_asset_says_who_and_what_it_is(specs: dict[str, dg.AssetSpec], name: str) -> None:
    spec = specs[name]
    assert len(spec.description or "") > len("Step 1.1. ") + 20
    assert spec.owners == ["team:leadscore"]
    assert re.fullmatch(r"[0-9a-f]{12}", spec.code_version or "")
    model = {"python", "xgboost"} if name in OF_THE_MODEL | BY_THE_MODEL else set()
    if name in OF_THE_TEST:
        assert spec.kinds == {"python", "statsmodels"}
        return
    assert spec.kinds == model | (set() if name in OF_THE_MODEL else {"sql", "duckdb"})


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
        ("leads", {"crm_leads", "crm_associates", "crm_dials"}),
        ("training_set", {name for name, of in PLAN.items() if of[1] in ("leads", "vintages", "training_set")}),
        ("model", OF_THE_MODEL),
        ("serving", {"serving_advisors_v6"}),
        ("shadow_day", {"serving_advisors_v6", "shadow_scores_v6"}),
        ("shadow", {"shadow_scoring"}),
        ("experiment_plan", {"ab_test_power_analysis_v6"}),
        ("experiment_week", {"ab_test_assignments_v6", "ab_test_queue_v6", "ab_test_daily_metrics_v6"}),
        ("experiment_interim", {"ab_test_interim_analysis_v6"}),
        ("experiment_final", {"ab_test_final_analysis_v6"}),
        ("production_day", {"serving_advisors_v6", "production_scores_v6"}),
        ("class_balance", {"class_balance_v6"}),
        ("feature_drift", {"feature_drift_v6"}),
        ("model_performance", {"model_performance_v6"}),
    ],
)
def test_jobs_run_what_belongs_together_with_all_its_gates(defs: dg.Definitions, job: str, selected: set[str]) -> None:
    layer = defs.resolve_job_def(job).asset_layer
    assert {key.to_user_string() for key in layer.selected_asset_keys} == selected
    gates = {gate for name in selected for gate in PLAN[name][4]}
    assert {key.name for key in layer.asset_graph.asset_check_keys} == gates


def test_what_may_be_late_is_shown_as_late_after_the_hours_of_the_configuration(specs: dict[str, dg.AssetSpec]) -> None:
    hours = yaml.safe_load((ROOT / "config" / "monitoring_schedule_v6.yaml").read_text())["freshness"]
    assert set(hours) <= set(specs)
    policies = {name: spec.freshness_policy for name, spec in specs.items() if spec.freshness_policy is not None}
    assert policies == {name: dg.FreshnessPolicy.time_window(timedelta(hours=most)) for name, most in hours.items()}


def test_schedules_are_off_until_someone_turns_them_on_and_keep_the_times_of_the_configuration(
    defs: dg.Definitions,
) -> None:
    times = yaml.safe_load((ROOT / "config" / "monitoring_schedule_v6.yaml").read_text())
    found = {schedule.name: schedule for schedule in defs.get_repository_def().schedule_defs}
    assert {name: (schedule.cron_schedule, schedule.execution_timezone) for name, schedule in found.items()} == {
        "production_daily": (times["scoring"]["cron"], "UTC"),
        "shadow_daily": (times["scoring"]["shadow_cron"], "UTC"),
        "class_balance_weekly": (times["class_balance"]["cron"], "UTC"),
        "drift_monthly": (times["drift"]["cron"], "UTC"),
        "performance_monthly": (times["performance"]["cron"], "UTC"),
    }
    assert {schedule.default_status for schedule in found.values()} == {dg.DefaultScheduleStatus.STOPPED}


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("landing_sensor", {"snapshot", "leads", "training_set"}),
        (
            "refresh_sensor",
            {"training_set", "leads", "model", "serving", "shadow_day", "shadow", "champion_decision"},
        ),
    ],
)
def test_a_sensor_is_off_until_someone_turns_it_on(defs: dg.Definitions, name: str, jobs: set[str]) -> None:
    """Its runs take the default as_of: nobody is to be surprised by another training set on opening the UI."""
    sensor = defs.resolve_sensor_def(name)
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert {job.name for job in sensor.jobs} == jobs


def test_the_alert_sensor_is_off_and_starts_no_run(defs: dg.Definitions) -> None:
    sensor = defs.resolve_sensor_def("alert_sensor")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert not sensor.targets


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
