"""What the panels read: the ledger, the warehouse if it can be had, the outbox, and the day that ages are counted to.

Belongs here: opening these for a reader, who never waits on a writer (R44). Does not belong here: what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date

from leadscore_v6.alerting.outbox import Filed, Outbox
from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.contracts import load_document
from leadscore_v6.dashboard.settings import DASHBOARD_FILE, DASHBOARD_SCHEMA, DashboardSettings
from leadscore_v6.errors import UsageError, WarehouseBusy
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.extract import days_reached, known_extract_day
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.lineage import is_synthetic
from leadscore_v6.monitoring.settings import MonitoringSettings, monitoring_settings
from leadscore_v6.paths import config_root
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.warehouse.protocol import Warehouse

SCORES = "production_scores_v6"


@dataclass(frozen=True)
class Home:
    """One home as it is now. `warehouse` None: a run holds it, and what only tables know cannot be told.

    as_of: the day that ages are counted to; nothing else depends on it. watched: how old what may grow. folders: where
    models are; None: nobody asks whether their files are whole.
    """

    ledger: Ledger
    warehouse: Warehouse | None
    alerts: tuple[Filed, ...]
    as_of: date
    settings: DashboardSettings
    watched: MonitoringSettings
    folders: FolderStore | None = None

    def days(self, asset: str) -> list[str]:
        """The newest days that `asset` has attempts at, oldest first, as many as are shown; none after the extract."""
        return days_reached(self.ledger, asset)[-self.settings.days_shown :]

    @property
    def is_synthetic(self) -> bool:
        """Whether anything that scores are made from came from the sample world."""
        return is_synthetic(self.ledger, SCORES)


def dashboard_settings() -> DashboardSettings:
    """`config/production_health_dashboard_v6.json`, checked. Raises InputError with file and line."""
    return DashboardSettings.of(load_document(config_root() / DASHBOARD_FILE, DASHBOARD_SCHEMA))


@contextmanager
def open_home(settings: Settings, as_of: date | None) -> Iterator[Home]:
    """The home of `settings`, for a reader. Raises UsageError where no run has been, or for a day before the extract.

    `as_of` None: the day of the CRM extract (R47).
    """
    ledger, from_mirror = read_ledger(settings)
    alerts = Outbox(settings.outbox).filed()
    day, configured = _as_of(ledger, as_of), dashboard_settings()
    with ExitStack() as held:
        warehouse = None
        if not from_mirror:
            with suppress(WarehouseBusy):
                warehouse = held.enter_context(open_warehouse(settings, read_only=True))
        folders = FolderStore(settings.model_folders)
        yield Home(ledger, warehouse, alerts, day, configured, monitoring_settings(), folders)


def home_of(ledger: Ledger, warehouse: Warehouse, settings: Settings) -> Home:
    """The same for who holds the warehouse: a step that has just ended."""
    filed, day = Outbox(settings.outbox).filed(), counted_to(ledger)
    folders = FolderStore(settings.model_folders)
    return Home(ledger, warehouse, filed, day, dashboard_settings(), monitoring_settings(), folders)


def judged(attempt: Attempt | None) -> Attempt | None:
    """The attempt if it has figures: it was neither refused nor broken off."""
    return attempt if attempt is not None and attempt.state in ("judged", "published") else None


def counted_to(ledger: Ledger) -> date:
    """The day that ages are counted to: that of the CRM extract (R47); where none is known, of the newest line."""
    return known_extract_day(ledger) or (ledger.newest["at"].date() if ledger.newest else ledger.today)


def _as_of(ledger: Ledger, asked: date | None) -> date:
    extracted = known_extract_day(ledger)
    if asked is not None and extracted is not None and asked < extracted:
        raise UsageError(
            f"{asked} lies before the CRM extract ({extracted}), of which the home knows already: a page as of then "
            "cannot be had any more. Name that day or a later one."
        )
    return asked or counted_to(ledger)
