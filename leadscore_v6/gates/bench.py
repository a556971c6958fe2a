"""Opening the place where attempts are carried out: lease, warehouse, ledger, in that order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.errors import UsageError, WarehouseBusy
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.ledger import Ledger, LedgerReader, LedgerStore, MirrorReader
from leadscore_v6.gates.mending import mend
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.locations import make_folder
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_for_writing, open_lease, open_warehouse


def wall_clock() -> datetime:
    """Now, UTC. It names versions and lines of the ledger, and decides nothing else (R39)."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock, for names and receipt only


def lease(settings: Settings, progress: Callable[[str], None]) -> AbstractContextManager[object]:
    """The right to write; while another process has it, `progress` hears who."""
    return open_lease(settings, progress)


@contextmanager
def open_bench(
    settings: Settings, run_id: str, progress: Callable[[str], None], clock: Callable[[], datetime] = wall_clock
) -> Iterator[Bench]:
    """Hold the warehouse's lease and open it for writing. Raises WarehouseBusy, naming the holder, after the wait."""
    make_folder(settings.home)
    with (
        lease(settings, progress),
        open_for_writing(settings, progress) as warehouse,
    ):
        # BigQuery's readers never wait, so that they need no mirror.
        store = LedgerStore(warehouse, settings.ledger_mirror if settings.engine == "duckdb" else None)
        store.create()
        ledger = Ledger(store, load_gates(), clock().date())
        bench = Bench(warehouse, store, ledger, run_id, clock, FolderStore(settings.model_folders))
        mend(bench)
        yield bench


def require_home(settings: Settings) -> None:
    """Raise UsageError, with nothing created, where no run has been: a mistyped home is no empty one."""
    if settings.engine == "duckdb" and not settings.warehouse_file.exists():
        raise UsageError(
            f"There is no warehouse in {settings.home}. Name its home with --home or LEADSCORE_HOME, or make it: "
            "`leadscore run --data DIR`, `leadscore demo`."
        )


def read_ledger(settings: Settings, clock: Callable[[], datetime] = wall_clock) -> tuple[Ledger, bool]:
    """The ledger for a reader, who never waits on a write (R44); True when read from the mirror.

    The warehouse itself is asked first; while another process has it open, its mirror answers. Raises UsageError if
    there is none.
    """
    require_home(settings)
    gates, today = load_gates(), clock().date()
    try:
        with open_warehouse(settings, read_only=True) as warehouse:
            reader: LedgerReader = LedgerStore(warehouse)
            return Ledger(reader, gates, today), False
    except WarehouseBusy:
        return Ledger(MirrorReader(settings.ledger_mirror), gates, today), True
