"""What `config/production_health_dashboard_v6.json` says, as checked values (plan step 6.1).

Belongs here: one dataclass per part of the file. Does not belong here: reading the file (its reader hands the content
in, already held against its schema), or what a panel shows (dashboard_panels/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadscore_v6.errors import UsageError

DASHBOARD_FILE: Final = "production_health_dashboard_v6.json"  # in the configuration folder
DASHBOARD_SCHEMA: Final = "production_health_dashboard"
PAGE_FILE: Final = "production_health_dashboard_v6.html"  # among the artifacts


@dataclass(frozen=True)
class PanelSettings:
    """One panel: its words, the command that makes what it shows, and what to do when it is not well."""

    panel: str
    title: str
    asks: str
    made_by: str
    remedy: str


@dataclass(frozen=True)
class DashboardSettings:
    """All of the file. Panels come in its order; one that is left out is not shown, nor judged."""

    title: str
    days_shown: int
    features_shown: int
    panels: tuple[PanelSettings, ...]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> DashboardSettings:
        """From the content of the file. Raises UsageError where a panel is there twice."""
        panels = tuple(PanelSettings(**panel) for panel in content["panels"])
        twice = [name for name, times in Counter(one.panel for one in panels).items() if times > 1]
        if twice:
            raise UsageError(f"{DASHBOARD_FILE}: the panel {twice[0]!r} is there more than once.")
        return cls(**{**content, "panels": panels})
