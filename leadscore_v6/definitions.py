"""What Dagster loads: `defs`. `build_defs` gives tests and the CLI a fresh one; nothing else belongs here."""

from typing import Any

import dagster as dg

from leadscore_v6.assets import dials, leads, snapshots, training_set, vintages
from leadscore_v6.assets.experiment import design, enrolment, reading
from leadscore_v6.assets.model import steps as model
from leadscore_v6.assets.monitoring import drift, performance
from leadscore_v6.assets.production import balance
from leadscore_v6.assets.production import scores as production
from leadscore_v6.assets.shadow import scores, serving, week
from leadscore_v6.jobs import JOBS, LEADS, SNAPSHOT, TRAINING_SET
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.schedules import monitoring_schedules
from leadscore_v6.sensors import Jobs, landing_sensor


def build_defs(**overrides: Any) -> dg.Definitions:
    """All assets, jobs, sensors, schedules. `overrides` replace resources by name: `warehouse`, `options`."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules(
            [
                *(leads, dials, snapshots, vintages, training_set, model),
                *(serving, scores, week),
                *(design, enrolment, reading),
                *(production, balance),
                *(drift, performance),
            ]
        ),
        jobs=list(JOBS.values()),
        schedules=monitoring_schedules(JOBS),
        sensors=[landing_sensor(Jobs(JOBS[SNAPSHOT], JOBS[LEADS], JOBS[TRAINING_SET]))],
        resources={"warehouse": WarehouseResource(), "options": RunOptions(), **overrides},
        # A step costs 0.07 s in process and 1.5 s in a process of its own, and DuckDB has one writer anyway.
        executor=dg.in_process_executor,
    )


defs = build_defs()
