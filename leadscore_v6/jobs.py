"""What is run together: one snapshot, the CRM extract, or everything from all snapshots to the promoted view."""

import dagster as dg

from leadscore_v6.gates.steps import STEPS

SNAPSHOT, LEADS, TRAINING_SET = "snapshot", "leads", "training_set"

snapshot_job = dg.define_asset_job(
    SNAPSHOT,
    selection=[asset for asset, step in STEPS.items() if step.partitioned],
    description="Steps 1.1-1.7 of one snapshot date: land, type, aggregate. One partition per run.",
)
leads_job = dg.define_asset_job(
    LEADS,
    selection=["crm_leads"],
    description="Land and gate a new CRM extract. It rebuilds nothing (R49).",
)
training_set_job = dg.define_asset_job(
    TRAINING_SET,
    selection=[asset for asset, step in STEPS.items() if not step.partitioned],
    description="Steps 1.7-3.3 over all registered snapshots: views, join, training set, promotion.",
)
