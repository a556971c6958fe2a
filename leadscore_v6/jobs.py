"""What is run together: a snapshot, the CRM's files, all to the promoted view, the model, a day, a week of the test."""

import dagster as dg

from leadscore_v6.gates.steps import SNAPSHOT as PER_SNAPSHOT
from leadscore_v6.gates.steps import STEPS, upstream

SNAPSHOT, LEADS, TRAINING_SET, MODEL = "snapshot", "leads", "training_set", "model"
SERVING, SHADOW_DAY, SHADOW = "serving", "shadow_day", "shadow"
PLAN, WEEK, INTERIM, FINAL = "experiment_plan", "experiment_week", "experiment_interim", "experiment_final"
_PROMOTED = "v_latest_training_dataset_v6"
PRODUCTION_DAY, CLASS_BALANCE = "production_day", "class_balance"

snapshot_job = dg.define_asset_job(
    SNAPSHOT,
    selection=[asset for asset, step in STEPS.items() if step.partition == PER_SNAPSHOT],
    description="Steps 1.1-1.7 of one snapshot date: land, type, aggregate. One partition per run.",
)
leads_job = dg.define_asset_job(
    LEADS,
    selection=[asset for asset, step in STEPS.items() if step.group == LEADS],
    description="Land and gate what is new of the CRM: leads, associates, dials. It rebuilds nothing (R49, R50).",
)
training_set_job = dg.define_asset_job(
    TRAINING_SET,
    selection=[_PROMOTED, *(step.asset for step in upstream(_PROMOTED) if not step.partitioned)],
    description="Steps 1.7-3.3 over all registered snapshots: views, join, training set, promotion.",
)
model_job = dg.define_asset_job(
    MODEL,
    selection=[asset for asset, step in STEPS.items() if step.group == MODEL],
    description="Steps 4.1-4.4 on the promoted training set: train, calibrate, backtest. It changes no table.",
)
serving_job = dg.define_asset_job(
    SERVING,
    selection=["serving_advisors_v6"],
    description="Step 5.1: the newest features of every advisor, for the look-up of one lead. Once per snapshot.",
)
shadow_day_job = dg.define_asset_job(
    SHADOW_DAY,
    selection=["shadow_scores_v6"],
    description="Step 5.1 of one day: each lead that entered Contacting, scored in shadow. One partition per run.",
)
shadow_job = dg.define_asset_job(
    SHADOW,
    selection=["shadow_scoring"],
    description="Step 5.1: the newest seven days of shadow scores judged together, and the path under stress.",
)
plan_job = dg.define_asset_job(
    PLAN,
    selection=["ab_test_power_analysis_v6"],
    description="Step 5.2: how large the experiment is, and with which model and settings it will be run. Once a test.",
)
week_job = dg.define_asset_job(
    WEEK,
    selection=["ab_test_assignments_v6", "ab_test_queue_v6", "ab_test_daily_metrics_v6"],
    description="Step 5.3, week by week: arms for the leads that came, the queue to dial from, how the test goes.",
)
interim_job = dg.define_asset_job(
    INTERIM,
    selection=["ab_test_interim_analysis_v6"],
    description="Step 5.3: the interim look. Refused before it is due.",
)
final_job = dg.define_asset_job(
    FINAL,
    selection=["ab_test_final_analysis_v6"],
    description="Step 5.3: the final analysis, go or no-go. Refused before it is due.",
)
production_day_job = dg.define_asset_job(
    PRODUCTION_DAY,
    selection=["production_scores_v6"],
    description="Step 6.1 of one day: open leads and prospects, scored by the champion. One partition per run.",
)
class_balance_job = dg.define_asset_job(
    CLASS_BALANCE,
    selection=["class_balance_v6"],
    description="Step 6.1, weekly: the rate of conversions among matured leads against training's.",
)
JOBS = [
    *(snapshot_job, leads_job, training_set_job, model_job),
    *(serving_job, shadow_day_job, shadow_job),
    *(plan_job, week_job, interim_job, final_job),
    *(production_day_job, class_balance_job),
]
