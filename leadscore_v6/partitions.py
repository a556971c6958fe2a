"""Snapshot dates and days as Dagster partitions. The keys are `YYYYMMDD`, in the words of the file names."""

from datetime import date, timedelta

import dagster as dg

from leadscore_v6.gates.steps import DAY, SNAPSHOT

snapshot_dates = dg.DynamicPartitionsDefinition(name="snapshot_date")
# Registered as they come, too: which days there are is what the CRM extract says, not what a calendar says.
days = dg.DynamicPartitionsDefinition(name="day")
PARTITIONS = {SNAPSHOT: snapshot_dates, DAY: days}


def register(instance: dg.DagsterInstance, definition: dg.DynamicPartitionsDefinition, keys: list[str]) -> None:
    """Add keys that are missing, in the order of their dates. Dagster keeps insertion order (dagster_facts.md)."""
    name = str(definition.name)
    missing = sorted(set(keys) - set(instance.get_dynamic_partitions(name)))
    if missing:
        instance.add_dynamic_partitions(name, missing)


def last_days(extracted: date, count: int) -> list[str]:
    """Keys of the `count` days up to that of a CRM extract, in order."""
    return [f"{extracted - timedelta(days=back):%Y%m%d}" for back in reversed(range(count))]
