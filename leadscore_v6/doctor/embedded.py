"""The embedded warehouse: does its file open, who holds it, is what readers see meanwhile what it says."""

from __future__ import annotations

from collections.abc import Iterator

from leadscore_v6.doctor.finding import Finding, missing, ok, unchecked
from leadscore_v6.doctor.tables import lead_table, newest_snapshot
from leadscore_v6.errors import LeadscoreError, WarehouseBusy
from leadscore_v6.gates.ledger import LedgerStore, MirrorReader
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.warehouse.lease import holder
from leadscore_v6.warehouse.protocol import Warehouse

_REST = ("ledger", "Lead table", "newest reps", "newest firms")


def warehouse(settings: Settings) -> Iterator[Finding]:
    """Lease, file, ledger and tables; nothing is made, and no writer is kept waiting longer than a look takes."""
    held = holder(settings.home)
    yield ok("lease", f"held by {held}" if held else "free")
    if not settings.warehouse_file.exists():
        yield ok("warehouse", f"{settings.warehouse_file} (not there yet; the first run makes it)")
        return
    try:
        with open_warehouse(settings, read_only=True) as opened:
            yield ok("warehouse", f"{settings.warehouse_file} opens")
            yield _ledger(opened, settings)
            if opened.exists(f"{opened.crm_dataset}.Lead"):
                yield lead_table(opened, f"{opened.crm_dataset}.Lead")
            yield from newest_snapshot(opened, opened.dataset)
    except WarehouseBusy as busy:
        if held:
            yield ok("warehouse", "in use by the holder of the lease")
        else:
            yield missing("warehouse", str(busy), "close it there: a run would wait for it, and then give up")
        yield from (unchecked(check, "the warehouse's file for itself") for check in _REST)
    except LeadscoreError as error:
        yield missing("warehouse", str(error), "restore the home from its backup, or name another one (LEADSCORE_HOME)")
        yield from (unchecked(check, "a warehouse that opens") for check in _REST)


def _ledger(opened: Warehouse, settings: Settings) -> Finding:
    """The mirror is what `status` reads while a run holds the warehouse (R44)."""
    in_warehouse = [line["seq"] for line in LedgerStore(opened).lines()]
    mirrored = [line["seq"] for line in MirrorReader(settings.ledger_mirror).lines()]
    if in_warehouse == mirrored:
        return ok("ledger", f"{len(in_warehouse)} lines, the mirror agrees")
    says = f"{len(in_warehouse)} lines, {len(mirrored)} in the mirror ({settings.ledger_mirror.name})"
    return missing("ledger", says, "run any command that writes, e.g. leadscore run: it writes the mirror anew")
