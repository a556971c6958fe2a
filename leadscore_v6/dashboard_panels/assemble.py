"""The page put together in the order of its description, and written among the artifacts.

Belongs here: which function makes which panel, what stands above and below them. Does not belong here: any panel.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.dashboard.page import Page, Panel
from leadscore_v6.dashboard.render import render_page
from leadscore_v6.dashboard.settings import PAGE_FILE, PanelSettings
from leadscore_v6.dashboard_panels.alerts import alerts
from leadscore_v6.dashboard_panels.calibration import calibration
from leadscore_v6.dashboard_panels.drift import drift
from leadscore_v6.dashboard_panels.experiment import experiment
from leadscore_v6.dashboard_panels.gates import gates
from leadscore_v6.dashboard_panels.health import health
from leadscore_v6.dashboard_panels.home import Home, open_home
from leadscore_v6.dashboard_panels.models import models
from leadscore_v6.dashboard_panels.scores import scores
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.extract import known_extract_day, why_no_extract
from leadscore_v6.locations import Location
from leadscore_v6.settings import Settings

PANELS: dict[str, Callable[[Home, PanelSettings], Panel]] = {
    "health": health,
    "alerts": alerts,
    "scores": scores,
    "calibration": calibration,
    "drift": drift,
    "experiment": experiment,
    "gates": gates,
    "models": models,
}


_NOTES = (
    (
        "Made by `leadscore dashboard` from the ledger, the tables and the outbox of one home, as they were at the "
        "line of the ledger named above; ages are counted to the day named there. No lead and no advisor is named here."
    ),
    (
        "What each panel shows is set in `config/production_health_dashboard_v6.json`, thresholds of gates in "
        "`config/gates.yaml`, of alerts in `config/alerting_config_v6.json`. What to do is in the production runbook."
    ),
)


def page_of(home: Home) -> Page:
    """The page of a home: the same for the same ledger, tables, outbox and day."""
    reign, newest = champion(home.ledger), home.ledger.newest
    extracted = known_extract_day(home.ledger)
    facts = (
        ("As of", str(home.as_of)),
        ("CRM extract", str(extracted) if extracted is not None else why_no_extract(home.ledger)),
        ("Model", f"{reign.version}, since {reign.since:%Y-%m-%d}" if reign is not None else "none serves yet"),
        ("Ledger", f"line {home.ledger.seq}, {newest['at']:%Y-%m-%d %H:%M} UTC" if newest else "empty"),
    )
    panels = tuple(PANELS[one.panel](home, one) for one in home.settings.panels)
    return Page(home.settings.title, facts, home.is_synthetic, panels, _NOTES)


def write_page(home: Home, folder: Location, name: str = PAGE_FILE) -> Location:
    """Write the page of a home, in place of an older one."""
    return ArtifactStore(folder).write(name, render_page(page_of(home)))


def write_dashboard(settings: Settings, as_of: date | None = None, out: Location | None = None) -> Location:
    """The page of the home of `settings`, for a reader; `out`: a file elsewhere than among the artifacts.

    Raises as `open_home`.
    """
    with open_home(settings, as_of) as home:
        if out is None:
            return write_page(home, settings.artifacts)
        return write_page(home, out.parent, out.name)
