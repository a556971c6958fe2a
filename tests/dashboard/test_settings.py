"""config/production_health_dashboard_v6.json: the product's own, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.contracts import load_document
from leadscore_v6.dashboard.settings import DASHBOARD_FILE, DASHBOARD_SCHEMA, DashboardSettings
from leadscore_v6.dashboard_panels.assemble import PANELS
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.paths import config_root

OWN = config_root() / DASHBOARD_FILE


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    content = json.loads(OWN.read_text())
    change(content)
    file = tmp_path / DASHBOARD_FILE
    file.write_text(json.dumps(content, indent=1))
    return file


def test_the_file_describes_every_panel_that_there_is() -> None:
    settings = DashboardSettings.of(load_document(OWN, DASHBOARD_SCHEMA))
    assert [panel.panel for panel in settings.panels] == list(PANELS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda content: content["panels"][0].update(panel="weather"), "panels.0.panel: 'weather' is not one of"),
        (lambda content: content["panels"].clear(), "panels: "),
        (lambda content: content.update(colour="red"), "'colour' was unexpected"),
        (lambda content: content.update(days_shown=0), "days_shown: 0 is less than the minimum"),
        (lambda content: content["panels"][0].update(title=" "), "panels.0.title"),
    ],
)
def test_a_file_that_cannot_be_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(InputError, match=r"line \d+: .*" + says):
        load_document(changed(tmp_path, change), DASHBOARD_SCHEMA)


def test_a_panel_is_there_once(tmp_path: Path) -> None:
    file = changed(tmp_path, lambda content: content["panels"].append(content["panels"][0]))
    with pytest.raises(UsageError, match="'health' is there more than once"):
        DashboardSettings.of(load_document(file, DASHBOARD_SCHEMA))
