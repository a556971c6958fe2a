"""A finding that stays is told once a day, whatever the seconds, or hours, by which the check that finds it is late."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from leadscore_v6.alerting.alert import Alert
from leadscore_v6.alerting.delivery import Post, send
from leadscore_v6.alerting.outbox import Acknowledgement, Outbox
from leadscore_v6.alerting.settings import AlertingSettings, alerting_settings
from leadscore_v6.monitoring.settings import monitoring_settings

NEW_YORK = ZoneInfo("America/New_York")
DAYS = 7
# Winter, summer, and the weeks in which New York changes its clocks.
MONDAYS = [date(2026, 1, 12), date(2026, 3, 2), date(2026, 7, 13), date(2026, 10, 26)]


def asleep(at: datetime) -> bool:
    """The quiet hours of the configuration, written out: 20:00 to 07:00."""
    return not 7 <= at.astimezone(NEW_YORK).hour < 20


class Told:
    """Messages as they left: to whom, of what, when on the clock of those who read them."""

    def __init__(self, settings: AlertingSettings) -> None:
        self.now = datetime(1970, 1, 1, tzinfo=UTC)
        self.messages: list[tuple[str, str, datetime]] = []
        addresses = {to.address_from: "json://x" for to in settings.recipients.values()}
        self.post = Post(settings, addresses, self._take)

    def _take(self, channel: str, _address: str, title: str, _text: str) -> None:
        self.messages.append((channel, title, self.now.astimezone(NEW_YORK)))

    def send(self, outbox: Outbox, at: datetime) -> None:
        self.now = at
        send(outbox, self.post, at)


def found(severity: str, at: datetime) -> Alert:
    """What a check finds day after day."""
    to = ("operations",) if severity == "warning" else ("data_science",)
    return Alert(f"of_{severity}", severity, severity, "It stays.", {}, (), to, at)  # type: ignore[arg-type]


@effort(max_examples=8, deadline=None)
@given(
    monday=st.sampled_from(MONDAYS),
    late=st.lists(st.integers(0, 10 * 3600), min_size=DAYS, max_size=DAYS),
    seen=st.sets(st.integers(0, DAYS - 1)),
)
def test_a_daily_check_that_is_late_by_any_hours_tells_once_a_day(
    monday: date, late: list[int], seen: set[int]
) -> None:
    """Warnings in the morning, critical ones at once; of these what nobody saw is escalated once, and told next day."""
    settings = alerting_settings()
    told = Told(settings)
    begin = datetime(monday.year, monday.month, monday.day, 6, tzinfo=UTC)
    runs = [begin + timedelta(days=day, seconds=by) for day, by in enumerate(late)]
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder))
        for day, run in enumerate(runs):
            new = outbox.file([found("warning", run), found("critical", run)], settings)
            assert [one.alert.severity for one in new] == ["warning", "critical"], f"day {day}"
            told.send(outbox, run)
            if day in seen:
                outbox.acknowledge(new[1].id, Acknowledgement("Ann", run, ""))
            morning = datetime(run.year, run.month, run.day, 12, 15, tzinfo=UTC)  # after 07:00 there, all year
            for at in (morning, morning + timedelta(hours=8)):
                told.send(outbox, max(at, run))
    days = {(monday + timedelta(days=day)): 1 for day in range(DAYS)}
    warnings = [at for channel, _, at in told.messages if channel == "email"]
    assert Counter(at.date() for at in warnings) == days
    assert not any(asleep(at) for at in warnings)
    assert [at.astimezone(UTC) for channel, _, at in told.messages if channel == "slack"] == runs
    escalated = Counter(at.date() for channel, _, at in told.messages if channel == "webhook")
    assert escalated == {on: 1 for day, on in enumerate(days) if day not in seen}


@pytest.mark.parametrize("monday", [MONDAYS[1], MONDAYS[3]], ids=str)
def test_what_is_looked_for_all_day_is_told_once_a_day(monday: date, tmp_path: Path) -> None:
    """As `late` is, by the sensor: what is found in the evening and in the night after it is two days', told apart."""
    settings = alerting_settings()
    outbox, told = Outbox(tmp_path), Told(settings)
    begin = datetime(monday.year, monday.month, monday.day, 19, tzinfo=UTC)
    for look in range(12 * DAYS):
        at = begin + timedelta(hours=2 * look)
        outbox.file([found("warning", at)], settings)
        told.send(outbox, at)
    by_day = Counter(at.date() for _, _, at in told.messages)
    assert by_day == {monday + timedelta(days=day): 1 for day in range(DAYS + 1)}
    assert not any(asleep(at) for _, _, at in told.messages)


def test_told_every_other_day_if_the_configuration_says_so(tmp_path: Path) -> None:
    settings = replace(alerting_settings(), deduplicate=2)
    outbox, begin = Outbox(tmp_path), datetime(2026, 1, 12, 6, tzinfo=UTC)
    runs = [begin + timedelta(days=day, minutes=-day) for day in range(DAYS)]
    assert [len(outbox.file([found("critical", run)], settings)) for run in runs] == [1, 0, 1, 0, 1, 0, 1]


def test_no_schedule_that_is_shipped_begins_near_the_hour_at_which_a_day_begins() -> None:
    """Within five hours of it a check that is late would be counted to the next day, and missed on its own."""
    of = monitoring_settings()
    quiet = alerting_settings().quiet
    crons = (of.scoring.cron, of.class_balance.cron, of.drift.cron, of.performance.cron)
    for cron in crons:
        minute, hour, *_ = cron.split()
        for monday in MONDAYS:
            begins = datetime(monday.year, monday.month, monday.day, int(hour), int(minute), tzinfo=UTC)
            around = (begins - timedelta(hours=4, minutes=59), begins, begins + timedelta(hours=10))
            assert len({quiet.day(at) for at in around}) == 1, f"{cron} on {monday}"
