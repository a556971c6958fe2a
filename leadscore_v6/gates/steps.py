"""The plan's steps as a graph: which asset follows which, and the plan's names for their reports.

The one place where lineage is written down: Dagster's `deps` and the guard both read it, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One asset of the plan. `partitioned`: one table per snapshot date, key `YYYYMMDD`."""

    asset: str
    number: str
    group: str
    says: str
    parents: tuple[str, ...] = ()
    partitioned: bool = False
    report: str = ""


_STEPS = (
    Step(
        "crm_leads",
        "1.1",
        "leads",
        "The CRM extract: landed, typed, one row per lead.",
        report="crm_leads_validation_report.md",
    ),
    Step(
        "snapshot_reps_raw",
        "1.3",
        "snapshots",
        "The vendor's file as it came: every column a STRING, nothing dropped.",
        partitioned=True,
        report="step_1_3_validation_report.md",
    ),
    Step(
        "snapshot_reps",
        "1.5",
        "snapshots",
        "Advisors of one snapshot, typed: one row per advisor and RIA firm.",
        parents=("snapshot_reps_raw",),
        partitioned=True,
        report="step_1_5_validation_report.md",
    ),
    Step(
        "snapshot_firms",
        "1.6",
        "snapshots",
        "Firms of one snapshot, aggregated from its advisors: one row per RIAFirmCRD.",
        parents=("snapshot_reps",),
        partitioned=True,
        report="step_1_6_validation_report.md",
    ),
    Step(
        "snapshot_schemas",
        "1.7",
        "vintages",
        "Every published snapshot table held against its data contract.",
        parents=("snapshot_reps", "snapshot_firms"),
        report="step_1_7_schema_validation_report.md",
    ),
    Step(
        "v_discovery_reps_all_vintages",
        "2.1",
        "vintages",
        "All advisor snapshots as one view.",
        parents=("snapshot_schemas", "snapshot_reps"),
        report="step_2_master_view_report_reps.md",
    ),
    Step(
        "v_discovery_firms_all_vintages",
        "2.2",
        "vintages",
        "All firm snapshots as one view.",
        parents=("snapshot_schemas", "snapshot_firms"),
        report="step_2_master_view_report_firms.md",
    ),
    Step(
        "step_3_1_staging_join_v6",
        "3.1",
        "training_set",
        "Each lead beside what was known about its advisor on the day of contact.",
        parents=("crm_leads", "v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"),
        report="step_3_1_staging_join_report_v6_{version}.md",
    ),
    Step(
        "step_3_3_training_dataset_v6",
        "3.2",
        "training_set",
        "Features, label and audit columns of the matured leads.",
        parents=("step_3_1_staging_join_v6",),
        report="step_3_3_class_imbalance_analysis_v6_{version}.md",
    ),
    Step(
        "v_latest_training_dataset_v6",
        "3.3",
        "training_set",
        "The promoted training set: the newest version that passed every gate.",
        parents=("step_3_3_training_dataset_v6",),
        report="step_3_3_promotion_report_v6.md",
    ),
)

STEPS: dict[str, Step] = {step.asset: step for step in _STEPS}


def ancestors(asset: str) -> Iterator[Step]:
    """Every step before `asset`, each once, nearest first."""
    seen: set[str] = set()
    waiting = list(STEPS[asset].parents)
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield STEPS[name]
            waiting.extend(STEPS[name].parents)
