"""What is late is told, and what is due is sent, though no step runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from leadscore_v6 import alert_sensor
from leadscore_v6.alerting.delivery import Post, send
from leadscore_v6.alerting.outbox import EXPIRED, SENT, Outbox
from leadscore_v6.alerting.raising import raise_finding
from leadscore_v6.alerting.rules import Finding
from leadscore_v6.alerting.settings import AlertingSettings, alerting_settings
from leadscore_v6.assets.production import alarms
from leadscore_v6.assets.production.alarms import lateness
from leadscore_v6.definitions import build_defs
from leadscore_v6.monitoring.settings import monitoring_settings
from tests.dashboard_panels.story import BEGUN, SCORES, TODAY, Story

NEW_YORK = ZoneInfo("America/New_York")


def served() -> Story:
    """A champion that has scored a day."""
    story = Story()
    story.extract()
    story.snapshot()
    story.model("20260101")
    story.day(f"{TODAY:%Y%m%d}")
    return story


def late(story: Story, hours: float) -> set[str]:
    return set(lateness(story.ledger(), BEGUN + timedelta(hours=hours)).subjects["assets_late"])


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (24, set()),
        (32, {SCORES}),
        (50, {SCORES, "crm_leads"}),
        (800, set(monitoring_settings().freshness)),
    ],
)
def test_what_was_not_built_for_longer_than_its_hours_is_late(hours: float, expected: set[str]) -> None:
    assert late(served(), hours) == expected


def test_nothing_is_late_where_no_model_serves() -> None:
    story = Story()
    story.extract()
    assert late(story, 5_000) == set()


def test_a_build_that_a_gate_stopped_is_none() -> None:
    story = served()
    first = len(story.said)
    story.day("20260303")
    for line in story.said[first:]:
        line["at"] += timedelta(hours=40)
    assert late(story, 60) == {"crm_leads"}
    assert story.said.pop()["event"] == "published"
    assert late(story, 60) == {"crm_leads", SCORES}


# --- the sensor -------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The home of a champion; what is written of the dashboard is told by a file."""
    story = served()
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path))
    (tmp_path / "warehouse.duckdb").touch()
    monkeypatch.setattr(alarms, "read_ledger", lambda _settings: (story.ledger(), False))
    monkeypatch.setattr(alert_sensor, "write_dashboard", lambda settings: (settings.home / "page").touch())
    for name in ("OPERATIONS", "DATA_SCIENCE", "SALES_LEAD", "ON_CALL"):
        monkeypatch.delenv(f"LEADSCORE_ALERT_{name}", raising=False)
    return story


def tick(monkeypatch: pytest.MonkeyPatch, at: datetime) -> str:
    monkeypatch.setattr(alert_sensor, "wall_clock", lambda: at)
    sensor = build_defs().resolve_sensor_def("alert_sensor")
    result = sensor(dg.build_sensor_context())
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""


def test_a_feed_that_stopped_is_told_once_a_day_and_shows_on_the_page(
    home: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tick(monkeypatch, BEGUN + timedelta(hours=2)) == "Nothing is due."
    assert not (tmp_path / "page").exists()
    for hours in (50, 50.25, 60):
        tick(monkeypatch, BEGUN + timedelta(hours=hours))
    (filed,) = Outbox(tmp_path / "outbox").filed()
    assert filed.alert.subjects == ("crm_leads", SCORES)
    assert (tmp_path / "page").exists()
    tick(monkeypatch, BEGUN + timedelta(hours=80))
    assert len(Outbox(tmp_path / "outbox").filed()) == 2


def test_without_a_home_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "none"))
    assert "none" in tick(monkeypatch, BEGUN)


# --- the clock and the quiet hours ------------------------------------------------------------------------------------


def of_a_week(looks: list[datetime], settings: AlertingSettings, outbox: Path) -> str:
    """What became of a warning that the first of these looks at the outbox raised."""
    sent: list[str] = []

    def take(_channel: str, _address: str, title: str, _text: str) -> None:
        sent.append(title)

    env = {to.address_from: "json://localhost" for to in settings.recipients.values()}
    figures = {"features_drifted": 1}
    box = Outbox(outbox)
    raise_finding(outbox, Finding("drift", figures, {"features_drifted": ("AUM",)}), looks[0])
    for at in looks:
        send(box, Post(settings, env, take), at)
    (filed,) = box.filed()
    return filed.deliveries[0].state


def test_warnings_of_the_night_are_sent_by_day_only_if_somebody_looks(tmp_path: Path) -> None:
    """Every scheduled check ends in quiet hours: without the sensor a warning grows too old to be sent."""
    settings, monitored = alerting_settings(), monitoring_settings()
    crons = (monitored.scoring, monitored.class_balance, monitored.drift, monitored.performance)
    begins = sorted({int(one.cron.split()[1]) for one in crons})
    checks = [datetime(2026, 3, 2 + day, hour, tzinfo=UTC) for day in range(7) for hour in begins]
    assert all(settings.quiet.holds(at) for at in checks)
    assert of_a_week(checks, settings, tmp_path / "without") == EXPIRED
    ticks = [checks[0] + timedelta(seconds=alert_sensor.SECONDS * number) for number in range(96)]
    assert of_a_week(ticks, settings, tmp_path / "with") == SENT
