"""What is run together: a snapshot, the CRM's files, all to the promoted view, the model, a day, a week of the test."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

from leadscore_v6.assets.carry_out import stops
from leadscore_v6.assets.hooks import after_failure, after_success
from leadscore_v6.gates.steps import SNAPSHOT as PER_SNAPSHOT
from leadscore_v6.gates.steps import STEPS, upstream
from leadscore_v6.resources import WarehouseResource

SNAPSHOT, LEADS, TRAINING_SET, MODEL = "snapshot", "leads", "training_set", "model"
SERVING, SHADOW_DAY, SHADOW = "serving", "shadow_day", "shadow"
PLAN, WEEK, INTERIM, FINAL = "experiment_plan", "experiment_week", "experiment_interim", "experiment_final"
PRODUCTION_DAY, CLASS_BALANCE = "production_day", "class_balance"
DRIFT, PERFORMANCE = "feature_drift", "model_performance"
DECISION = "champion_decision"
_PROMOTED = "v_latest_training_dataset_v6"


def _of_group(group: str) -> Sequence[str]:
    return [asset for asset, step in STEPS.items() if step.group == group]


# Name of the job: its assets, and what a person reads of it in the UI.
_RUN_TOGETHER: Final[Mapping[str, tuple[Sequence[str], str]]] = {
    SNAPSHOT: (
        [asset for asset, step in STEPS.items() if step.partition == PER_SNAPSHOT],
        "Steps 1.1-1.7 of one snapshot date: land, type, aggregate. One partition per run.",
    ),
    LEADS: (
        _of_group(LEADS),
        "Land and gate what is new of the CRM: leads, associates, dials. It rebuilds nothing (R49, R50).",
    ),
    TRAINING_SET: (
        [_PROMOTED, *(step.asset for step in upstream(_PROMOTED) if not step.partitioned)],
        "Steps 1.7-3.3 over all registered snapshots: views, join, training set, promotion.",
    ),
    MODEL: (
        _of_group(MODEL),
        "Steps 4.1-4.4 on the promoted training set: train, calibrate, backtest. It changes no table.",
    ),
    SERVING: (
        ["serving_advisors_v6"],
        "Step 5.1: the newest features of every advisor, for the look-up of one lead. Once per snapshot.",
    ),
    # With the serving copy that a day's scores need, which is known but once a quarter.
    SHADOW_DAY: (
        ["serving_advisors_v6", "shadow_scores_v6"],
        "Step 5.1 of one day: each lead that entered Contacting, scored in shadow. One partition per run.",
    ),
    SHADOW: (
        ["shadow_scoring"],
        "Step 5.1: the newest seven days of shadow scores judged together, and the path under stress.",
    ),
    PLAN: (
        ["ab_test_power_analysis_v6"],
        "Step 5.2: how large the experiment is, and with which model and settings it will be run. Once a test.",
    ),
    WEEK: (
        ["ab_test_assignments_v6", "ab_test_queue_v6", "ab_test_daily_metrics_v6"],
        "Step 5.3, week by week: arms for the leads that came, the queue to dial from, how the test goes.",
    ),
    INTERIM: (["ab_test_interim_analysis_v6"], "Step 5.3: the interim look. Refused before it is due."),
    FINAL: (["ab_test_final_analysis_v6"], "Step 5.3: the final analysis, go or no-go. Refused before it is due."),
    PRODUCTION_DAY: (
        ["serving_advisors_v6", "production_scores_v6"],
        "Step 6.1 of one day: open leads and prospects, scored by the champion. One partition per run.",
    ),
    CLASS_BALANCE: (
        ["class_balance_v6"],
        "Step 6.1, weekly: the rate of conversions among matured leads against training's.",
    ),
    DRIFT: (
        ["feature_drift_v6"],
        "Step 6.1, monthly, as of a day: how far features and score have moved. One partition per run.",
    ),
    PERFORMANCE: (
        ["model_performance_v6"],
        "Step 6.1, monthly, as of a day: what the champion was worth on matured leads. One partition per run.",
    ),
}


@dg.op(description="Champion or challenger (R31, R58): carried out, and written down.")
def decide_about_the_newest_model(context: dg.OpExecutionContext, warehouse: WarehouseResource) -> None:
    """Step 6.2. Where a refresh made no model there is nothing to decide; where the newest serves, that is told."""
    from leadscore_v6.decision import decide, nothing_judged

    if why := nothing_judged(warehouse.bench.ledger):
        context.log.info(why)
        return
    with stops():
        done = decide(warehouse.bench, warehouse.settings, DECISION, context.log.info)
    told = {"outcome": done.report.outcome, "decision": dg.MetadataValue.path(str(done.path))}
    context.add_output_metadata({**told, "headline": done.report.headline})


@dg.job(
    name=DECISION,
    description="Step 6.2: what becomes of the newest model; what serves stays unless it is beaten.",
    # Bound here: Dagster would make the sensor anew to bind it, with a warning at every start.
    resource_defs={"warehouse": WarehouseResource()},
    hooks={after_success, after_failure},
)
def _decision_job() -> None:
    decide_about_the_newest_model()


JOBS: Final[Mapping[str, Any]] = {
    **{
        name: dg.define_asset_job(name, selection=assets, description=description)
        for name, (assets, description) in _RUN_TOGETHER.items()
    },
    DECISION: _decision_job,
}
