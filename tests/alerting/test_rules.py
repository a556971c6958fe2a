"""Which figures alert: the plan's thresholds, and that nothing is left unread or said that could be personal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.alerting.alert import Alert, without_values
from leadscore_v6.alerting.rules import Finding, alerts_for
from leadscore_v6.alerting.settings import ALERTING_FILE, AlertingSettings
from leadscore_v6.contracts import load_document
from leadscore_v6.errors import InputError, LeadscoreError, UsageError
from leadscore_v6.monitoring.champion import Contender, Evidence, Holdout, decide
from leadscore_v6.monitoring.class_balance import class_balance
from leadscore_v6.monitoring.health import Day, health
from leadscore_v6.monitoring.performance import Scored, performance
from leadscore_v6.monitoring.psi import drift
from leadscore_v6.monitoring.settings import MONITORING_FILE, MonitoringSettings
from leadscore_v6.paths import config_root
from tests.alerting.conftest import NOON

HEALTHY = {"success_rate": 0.995, "error_rate": 0.001, "latency_mean_ms": 3.0, "features_unavailable": 0}


def names(check: str, figures: dict[str, Any], settings: AlertingSettings) -> list[str]:
    """Rules that are missed."""
    about = {rule.figure: ("20251103",) for rule in settings.rules if rule.again == "never"}
    return [alert.key.partition("-")[0] for alert in alerts_for(Finding(check, figures, about), settings, NOON)]


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        ({}, []),
        ({"success_rate": 0.99}, ["scoring_success"]),
        ({"error_rate": 0.005}, ["scoring_errors"]),
        ({"latency_mean_ms": 500.0}, ["scoring_latency"]),
        ({"features_unavailable": 1}, ["feature_availability"]),
        ({"success_rate": 0.5, "error_rate": 0.5}, ["scoring_success", "scoring_errors"]),
        ({"latency_mean_ms": None, "features_unavailable": None}, []),
        ({"success_rate": float("nan")}, ["scoring_success"]),
    ],
)
def test_health_is_the_plans(change: dict[str, Any], raised: list[str], settings: AlertingSettings) -> None:
    """Plan 6.1: success > 99 %, latency < 500 ms, errors < 0.5 %."""
    assert names("health", HEALTHY | change, settings) == raised


def test_a_day_without_leads_is_an_alert(settings: AlertingSettings) -> None:
    assert names("health", dict.fromkeys(HEALTHY), settings) == ["scoring_success"]


def test_each_checks_figures_are_what_its_rules_read(settings: AlertingSettings) -> None:
    """A figure that is renamed would be an alarm that never sounds."""
    of = MonitoringSettings.of(load_document(config_root() / MONITORING_FILE, "monitoring_schedule"))
    today = date(2025, 11, 3)
    nobody = Scored(np.empty(0), np.empty(0, dtype=np.int64))
    no_days = np.array([], dtype="datetime64[D]")
    empty = np.array([], dtype=np.int8)
    one = Contender("20250502", date(2025, 5, 2), today, 0.01, 0.1, 0.1)
    leads = Holdout(empty, empty.astype(np.int64), no_days, np.empty(0), np.empty(0))
    figures = {
        "health": health([Day(today, 0, 0, 0, np.empty(0))], today, (), of.health).figures(),
        "class_balance": class_balance(no_days, empty, 0.04, today, of.class_balance).figures(),
        "drift": drift((), pd.DataFrame(), of.drift, 1).figures(),
        "performance": performance(nobody, empty, nobody, of.performance, 1).figures(),
        "champion": decide((one, one), Evidence(leads, None), today, of.champion, 1).figures(),
        "input": {"inputs_refused": 0},
        "freshness": {"assets_late": 0},
        "run": {"steps_failed": 0},
    }
    assert {rule.check for rule in settings.rules} == set(figures)
    raised = {check: names(check, found, settings) for check, found in figures.items()}
    alerting = {check: found for check, found in raised.items() if found}
    assert alerting == {"health": ["scoring_success"], "champion": ["champion_age"]}


def test_a_figure_that_is_not_given_and_a_check_without_a_rule_are_said(settings: AlertingSettings) -> None:
    with pytest.raises(LeadscoreError, match="does not give success_rate"):
        alerts_for(Finding("health", {name: 0 for name in HEALTHY if name != "success_rate"}), settings, NOON)
    with pytest.raises(LeadscoreError, match="weather"):
        alerts_for(Finding("weather", {}), settings, NOON)
    with pytest.raises(LeadscoreError, match="class_balance is told once per finding"):
        alerts_for(Finding("class_balance", {"class_balance_alerts": 1}), settings, NOON)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("A lead has no Id.\n  what to do: call Ann", "A lead has no Id."),
        ("The header has a column twice: Ann Lee (column 1)", "The header has a column twice: … … (column 1)"),
        ("'last week' is no day in dialled_at (row 3)", "… is no day in dialled_at (row 3)"),
        ("Ask ann@x.example or 0551234567 of Lee-Ray", "Ask … or … of …"),
    ],
)
def test_of_a_message_an_alert_says_our_own_words_lines_and_columns(message: str, shown: str) -> None:
    assert without_values(message) == shown == without_values(shown)


def test_a_reason_with_a_value_in_it_is_no_alert(alert: Callable[..., Alert]) -> None:
    with pytest.raises(LeadscoreError, match="R57"):
        alert(why="Two leads have the Id 00Q5g00000AbCdE")
    told = alert(why="The last record is cut off (line 7).")
    assert "Why: The last record is cut off (line 7)." in told.text()
    assert Alert.of(json.loads(json.dumps(told.as_dict()))) == told


def test_other_subjects_are_another_alert(settings: AlertingSettings) -> None:
    def key(*features: str) -> str:
        about = {"features_drifted": features}
        (alert,) = alerts_for(Finding("drift", {"features_drifted": len(features)}, about), settings, NOON)
        assert alert.subjects == features
        return alert.key

    assert key("a", "b") == key("b", "a")
    assert key("a") != key("b")
    assert key("a").startswith("feature_drift-")


def test_the_same_file_refused_for_another_reason_is_another_alert(settings: AlertingSettings) -> None:
    def key(why: str) -> str:
        about = {"inputs_refused": ("crm_leads", "Lead.csv")}
        (alert,) = alerts_for(Finding("input", {"inputs_refused": 1}, about, why=why), settings, NOON)
        return alert.key

    assert key("The file is empty.") == key("The file is empty.\n  what to do: export it again")
    assert key("The file is empty.") != key("The file lacks column Id.")


def test_of_a_week_that_is_the_newest_for_days_people_are_told_once(settings: AlertingSettings) -> None:
    week = Finding("class_balance", {"class_balance_alerts": 1}, {"class_balance_alerts": ("2025-09-29",)})
    (alert,) = alerts_for(week, settings, NOON)
    assert alert.once
    assert Alert.of(json.loads(json.dumps(alert.as_dict()))).once
    (drifted,) = alerts_for(Finding("drift", {"features_drifted": 1}), settings, NOON)
    assert not drifted.once


# --- what may stand in an alert ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "Ann Example",
        "ann@example.com",
        "1234567",
        "00Q5e00001AbCdEFGH",
        "+1 212 555 0100",
        "https://example.com/in/ann",
        "",
    ],
)
def test_what_could_be_personal_is_no_subject(subject: str, alert: Callable[..., Alert]) -> None:
    with pytest.raises(LeadscoreError) as refused:
        alert(subjects=(subject,))
    assert not subject or subject not in str(refused.value)


@pytest.mark.parametrize(
    "subject", ["DateBecameRep_NumberOfYears", "score", "20251103_1200", "2025-10-13", "crm_leads"]
)
def test_features_steps_versions_and_days_are_subjects(subject: str, alert: Callable[..., Alert]) -> None:
    assert subject in alert(subjects=(subject,)).text()


def test_a_text_is_no_figure_and_a_time_has_a_zone(alert: Callable[..., Alert]) -> None:
    with pytest.raises(LeadscoreError, match="figure"):
        alert(figures={"worst": "Ann"})
    with pytest.raises(LeadscoreError, match="zone"):
        alert(at=datetime(2025, 11, 4))  # noqa: DTZ001 - the case


def test_an_alert_is_readable_and_comes_back_from_json(alert: Callable[..., Alert]) -> None:
    one = alert(
        figures={"max_psi": 0.312345, "leads": 1234, "score_psi": None}, subjects=("tenure",), is_synthetic=True,
        about_day=date(2025, 11, 1),
    )  # fmt: skip
    assert one.subject_line == "[warning] Features have drifted (SYNTHETIC DATA)"
    said = one.text().splitlines()
    assert {"- max_psi: 0.3123", "- leads: 1,234", "- score_psi: not judgeable"} <= set(said)
    assert {"As of 2025-11-01", "About: tenure"} <= set(said)
    assert Alert.of(json.loads(json.dumps(one.as_dict()))) == one


def test_the_day_is_told_and_makes_no_other_alert(settings: AlertingSettings) -> None:
    """A month later the same features have drifted: the same alert. One from before days were told can be read."""
    days = (date(2025, 11, 1), date(2025, 12, 1))
    figures, about = {"features_drifted": 1}, {"features_drifted": ("tenure",)}
    first, second = (
        alerts_for(Finding("drift", figures, about, about_day=day), settings, NOON)[0] for day in days
    )  # fmt: skip
    assert (first.about_day, second.about_day) == days
    assert first.key == second.key
    without = {name: value for name, value in first.as_dict().items() if name != "about_day"}
    assert Alert.of(without).about_day is None


# --- the configuration ------------------------------------------------------------------------------------------------


def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((config_root() / ALERTING_FILE).read_text(encoding="utf-8"))
    return found


def test_no_secret_can_stand_in_the_file(tmp_path: Path) -> None:
    changed = content()
    changed["recipients"]["on_call"]["address_from"] = "jsons://token@example.com"
    file = tmp_path / ALERTING_FILE
    file.write_text(json.dumps(changed, indent=2), encoding="utf-8")
    with pytest.raises(InputError, match="does not match"):
        load_document(file, "alerting_config")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda of: of["rules"][0].update(to=["nobody"]), "nobody"),
        (lambda of: of["escalation"].update(to=["someone"]), "someone"),
        (lambda of: of["rules"].append(of["rules"][0]), "scoring_success"),
        (lambda of: of["quiet_hours"].update(zone="Atlantis/Town"), "Atlantis/Town"),
    ],
)
def test_what_a_schema_cannot_say_is_refused(change: Callable[[dict[str, Any]], None], says: str) -> None:
    changed = content()
    change(changed)
    with pytest.raises(UsageError, match=says):
        AlertingSettings.of(changed)
