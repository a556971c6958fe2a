"""The product's settings."""

from __future__ import annotations

import pytest

from leadscore_v6.monitoring.settings import MonitoringSettings, monitoring_settings


@pytest.fixture(scope="session")
def settings() -> MonitoringSettings:
    return monitoring_settings()
