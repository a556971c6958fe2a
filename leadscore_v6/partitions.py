"""Snapshot dates as Dagster partitions. The keys are `YYYYMMDD`, in the words of the file names."""

import dagster as dg

snapshot_dates = dg.DynamicPartitionsDefinition(name="snapshot_date")


def register(instance: dg.DagsterInstance, keys: list[str]) -> None:
    """Add keys that are missing, in the order of their dates. Dagster keeps insertion order (dagster_facts.md)."""
    known = set(instance.get_dynamic_partitions(snapshot_dates.name))  # type: ignore[arg-type]
    missing = sorted(set(keys) - known)
    if missing:
        instance.add_dynamic_partitions(snapshot_dates.name, missing)  # type: ignore[arg-type]
