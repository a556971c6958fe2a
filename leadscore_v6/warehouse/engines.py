"""Which engine: the one place that knows there is more than one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from leadscore_v6.errors import WarehouseBusy
from leadscore_v6.locations import make_folder
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.protocol import Warehouse

if TYPE_CHECKING:
    from leadscore_v6.warehouse.bigquery_engine import BigQueryWarehouse
    from leadscore_v6.warehouse.bigquery_jobs import Jobs
    from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool = False) -> Iterator[Warehouse]:
    """The warehouse of `settings`, closed at the end.

    Raises WarehouseBusy if another process has DuckDB's file open; UsageError if BigQuery cannot be reached as it is
    set up.
    """
    opened = (_bigquery if settings.engine == "bigquery" else _duckdb)(settings, read_only=read_only)
    try:
        yield opened
    finally:
        opened.close()


def _duckdb(settings: Settings, *, read_only: bool) -> DuckDBWarehouse:
    from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse

    make_folder(settings.home)
    return DuckDBWarehouse(
        settings.warehouse_file,
        datasets=(settings.dataset, settings.crm_dataset),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        read_only=read_only,
    )


def _bigquery(settings: Settings, *, read_only: bool) -> BigQueryWarehouse:
    from leadscore_v6.warehouse import bigquery_lease
    from leadscore_v6.warehouse.bigquery_client import connect, settle
    from leadscore_v6.warehouse.bigquery_engine import BigQueryWarehouse

    jobs = connect(settings)
    settle(jobs, settings, create=not read_only)
    token = None if read_only else bigquery_lease.token((str(settings.project), settings.dataset))
    lease = (bigquery_lease.lease_table(settings.dataset), token) if token else None
    return BigQueryWarehouse(jobs, (settings.dataset, settings.crm_dataset), settings.home, lease)


def open_lease(settings: Settings, progress: Callable[[str], None]) -> AbstractContextManager[object]:
    """The right to write to the warehouse of `settings` (R44); while another process has it, `progress` hears who."""
    if settings.engine == "duckdb":
        from leadscore_v6.warehouse.lease import Lease

        return Lease(settings.home, settings.lease_wait_seconds, progress)
    from leadscore_v6.warehouse.bigquery_client import connect, settle
    from leadscore_v6.warehouse.bigquery_lease import RowLease

    def jobs() -> Jobs:
        made = connect(settings)
        settle(made, settings, create=True)
        return made

    return RowLease((str(settings.project), settings.dataset), jobs, settings.lease_wait_seconds, progress)


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
