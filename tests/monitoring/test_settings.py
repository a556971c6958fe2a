"""The schedule's file says what the plan and the rulings say, and is refused where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from leadscore_v6.contracts import load_document
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.modeling.settings import MODEL_FILE
from leadscore_v6.monitoring.settings import MONITORING_FILE, MonitoringSettings
from leadscore_v6.paths import config_root


def test_thresholds_are_the_plans_and_the_rulings(settings: MonitoringSettings) -> None:
    assert (settings.drift.psi, settings.class_balance.relative_change) == (0.25, 0.05)
    assert (settings.health.min_leads_day, settings.health.pooled_days) == (100, 7)
    assert (settings.health.top_features, settings.health.missing_points) == (20, 0.10)
    champion = settings.champion
    assert (champion.ece, champion.train_test_gap, champion.cv_coefficient) == (0.05, 0.15, 0.20)
    assert (champion.policy, champion.quarters) == ("superior", 2)


def test_leads_mature_as_the_model_has_it(settings: MonitoringSettings) -> None:
    split = load_document(config_root() / MODEL_FILE, "model")["split"]
    balance = settings.class_balance
    assert (balance.label_window_days, balance.entry_lag_days) == (split["label_window_days"], split["entry_lag_days"])


def test_each_check_has_its_rhythm(settings: MonitoringSettings) -> None:
    rhythm = {name: getattr(settings, name).cron.split() for name in ("scoring", "class_balance", "drift")}
    assert rhythm["scoring"][2:] == settings.scoring.shadow_cron.split()[2:] == ["*", "*", "*"]
    assert rhythm["class_balance"][2:] == ["*", "*", "1"]
    assert rhythm["drift"][2:] == settings.performance.cron.split()[2:] == ["1", "*", "*"]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("drift", "psi", 0),
        ("drift", "significance", 0.5),
        ("champion", "policy", "newest"),
        ("scoring", "cron", "daily"),
        ("freshness", "crm_leads", 0),
        ("class_balance", "label_window_days", 0),
        ("performance", "unheard_of", 1),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_line(section: str, key: str, value: object, tmp_path: Path) -> None:
    content = yaml.safe_load((config_root() / MONITORING_FILE).read_text(encoding="utf-8"))
    content[section][key] = value
    file = tmp_path / MONITORING_FILE
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(InputError, match=rf"line \d+: {section}"):
        load_document(file, "monitoring_schedule")


def test_intervals_need_no_fewer_positives_than_figures() -> None:
    content = yaml.safe_load((config_root() / MONITORING_FILE).read_text(encoding="utf-8"))
    content["performance"] |= {"min_positives": 200, "min_positives_interval": 100}
    with pytest.raises(UsageError, match="min_positives"):
        MonitoringSettings.of(content)
