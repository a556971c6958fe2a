"""What is run together: a snapshot, the CRM extract, all snapshots to the promoted view, the model, a day of scores."""

import dagster as dg

from leadscore_v6.gates.steps import SNAPSHOT as PER_SNAPSHOT
from leadscore_v6.gates.steps import STEPS

SNAPSHOT, LEADS, TRAINING_SET, MODEL = "snapshot", "leads", "training_set", "model"
SERVING, SHADOW_DAY, SHADOW = "serving", "shadow_day", "shadow"
PRODUCTION_DAY, CLASS_BALANCE = "production_day", "class_balance"
_FAN_IN = ("leads", "vintages", TRAINING_SET)

snapshot_job = dg.define_asset_job(
    SNAPSHOT,
    selection=[asset for asset, step in STEPS.items() if step.partition == PER_SNAPSHOT],
    description="Steps 1.1-1.7 of one snapshot date: land, type, aggregate. One partition per run.",
)
leads_job = dg.define_asset_job(
    LEADS,
    selection=["crm_leads"],
    description="Land and gate a new CRM extract. It rebuilds nothing (R49).",
)
training_set_job = dg.define_asset_job(
    TRAINING_SET,
    selection=[asset for asset, step in STEPS.items() if not step.partitioned and step.group in _FAN_IN],
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
    snapshot_job,
    leads_job,
    training_set_job,
    model_job,
    serving_job,
    shadow_day_job,
    shadow_job,
    production_day_job,
    class_balance_job,
]
