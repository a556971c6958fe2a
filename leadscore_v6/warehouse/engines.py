"""Which engine: the one place that knows there is more than one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from leadscore_v6.errors import UsageError, WarehouseBusy
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


# Readers have the file open for milliseconds. Even a writer that may not wait tries again for this long.
_READ_SECONDS = 1.0
_POLL_SECONDS = 0.05
_PROGRESS_SECONDS = 5.0


@contextmanager
def open_for_writing(settings: Settings, progress: Callable[[str], None]) -> Iterator[Warehouse]:
    """The warehouse of `settings` for the holder of its lease (R44).

    DuckDB lets no writer in while any other process has the file open: `leadscore status` for a moment, a DuckDB shell
    for as long as a person likes. It is waited for as for the lease; then WarehouseBusy names its process.
    """
    with ExitStack() as opened:
        yield _opened(settings, progress, opened)


def _opened(settings: Settings, progress: Callable[[str], None], opened: ExitStack) -> Warehouse:
    started, told = time.monotonic(), -_PROGRESS_SECONDS
    while True:
        try:
            return opened.enter_context(open_warehouse(settings))
        except WarehouseBusy as busy:
            waited = time.monotonic() - started
            if waited >= max(settings.lease_wait_seconds, _READ_SECONDS):
                raise
            if waited >= max(told + _PROGRESS_SECONDS, _READ_SECONDS):
                told = waited
                progress(f"waiting: {busy}")
            time.sleep(_POLL_SECONDS)
