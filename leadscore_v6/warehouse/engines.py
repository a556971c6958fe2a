"""Which engine: the one place that knows there is more than one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from leadscore_v6.errors import UsageError
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.protocol import Warehouse


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool = False) -> Iterator[Warehouse]:
    """The warehouse of `settings`, closed at the end. Raises WarehouseBusy if another process has it open."""
    if settings.engine != "duckdb":
        raise UsageError(
            "LEADSCORE_WAREHOUSE=bigquery: this version has the embedded engine only. "
            "Unset LEADSCORE_WAREHOUSE, or set it to duckdb."
        )
    from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse

    settings.home.mkdir(parents=True, exist_ok=True)
    warehouse = DuckDBWarehouse(
        settings.warehouse_file,
        datasets=(settings.dataset, settings.crm_dataset),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        read_only=read_only,
    )
    try:
        yield warehouse
    finally:
        warehouse.close()
