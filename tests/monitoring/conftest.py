"""The product's settings."""

from __future__ import annotations

import pytest

from leadscore_v6.contracts import load_document
from leadscore_v6.monitoring.settings import MONITORING_FILE, MonitoringSettings
from leadscore_v6.paths import config_root


@pytest.fixture(scope="session")
def settings() -> MonitoringSettings:
    return MonitoringSettings.of(load_document(config_root() / MONITORING_FILE, "monitoring_schedule"))
