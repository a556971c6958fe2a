"""The product's rules, an outbox, an alert."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.alerting.alert import Alert
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.alerting.settings import AlertingSettings, alerting_settings

# Noon in New York, a Tuesday: not within quiet hours.
NOON = datetime(2025, 11, 4, 17, 0, tzinfo=UTC)


def later(**by: float) -> datetime:
    """So much after noon."""
    return NOON + timedelta(**by)


@pytest.fixture(scope="session")
def settings() -> AlertingSettings:
    return alerting_settings()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def alert() -> Callable[..., Alert]:
    def made(key: str = "feature_drift", severity: Any = "warning", at: datetime = NOON, **changes: Any) -> Alert:
        of = {"title": "Features have drifted", "says": "No feature may.", "figures": {"max_psi": 0.31}, "subjects": ()}
        return Alert(key, severity, raised_at=at, **(of | {"to": ("operations",)} | changes))

    return made
