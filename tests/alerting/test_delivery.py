"""Who is told when: once, later, at night, again, and what is left when nobody could be."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from leadscore_v6.alerting.alert import Alert
from leadscore_v6.alerting.delivery import FAILED, HELD, WAITING, Post, send, send_test
from leadscore_v6.alerting.outbox import ESCALATION, EXPIRED, UNDELIVERABLE, Acknowledgement, Outbox
from leadscore_v6.alerting.settings import AlertingSettings, QuietHours
from leadscore_v6.errors import UsageError
from tests.alerting.conftest import NOON, later

Made = Callable[..., Alert]
ADDRESSES = {
    "LEADSCORE_ALERT_OPERATIONS": "mailtos://u:secret@example.com",
    "LEADSCORE_ALERT_DATA_SCIENCE": "slack://secret",
    "LEADSCORE_ALERT_ON_CALL": "jsons://secret",
}
NIGHT = later(hours=10)  # 22:00 in New York


class Channel:
    """Takes what it is given while it is up, and remembers it."""

    def __init__(self) -> None:
        self.up = True
        self.tried: list[tuple[str, str]] = []
        self.taken: list[tuple[str, str]] = []

    def __call__(self, channel: str, address: str, title: str, text: str) -> str | None:
        assert address in ADDRESSES.values()
        assert "Alert " in text
        self.tried.append((channel, title))
        if not self.up:
            return "the channel could not be reached"
        self.taken.append((channel, title))
        return None


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
def post(settings: AlertingSettings, channel: Channel) -> Post:
    return Post(settings, ADDRESSES, channel)


def test_each_recipient_is_told_once(outbox: Outbox, post: Post, channel: Channel, alert: Made) -> None:
    outbox.file([alert(to=("operations", "data_science"))], post.settings)
    assert send(outbox, post, NOON).lines() == ["2 sent"]
    assert [kind for kind, _ in channel.taken] == ["email", "slack"]
    assert send(outbox, post, later(hours=1)).lines() == ["Nothing is due."]
    assert len(channel.taken) == 2


def test_the_same_alert_on_the_same_day_is_counted_not_sent(
    outbox: Outbox, post: Post, channel: Channel, alert: Made
) -> None:
    """NOON's day ends at 20:00 in New York, eight hours on."""
    assert len(outbox.file([alert(), alert()], post.settings)) == 1
    for hours in (1, 7.9):
        assert outbox.file([alert(at=later(hours=hours))], post.settings) == ()
        send(outbox, post, later(hours=hours))
    (one,) = outbox.filed()
    assert (one.times, one.last_raised, len(channel.taken)) == (4, later(hours=7.9), 1)
    assert len(outbox.file([alert(at=later(hours=8))], post.settings)) == 1
    for hours, told in ((8, 1), (19, 2), (20, 2)):
        send(outbox, post, later(hours=hours))
        assert len(channel.taken) == told


def test_what_gets_worse_or_is_about_something_else_is_new(
    outbox: Outbox, settings: AlertingSettings, alert: Made
) -> None:
    outbox.file([alert()], settings)
    assert len(outbox.file([alert(severity="critical")], settings)) == 1
    assert outbox.file([alert()], settings) == ()
    assert len(outbox.file([alert(key="feature_drift-0a1b2c3d")], settings)) == 1
    assert len({one.id for one in outbox.filed()}) == 3


def test_an_acknowledged_alert_is_not_raised_again_on_the_same_day(
    outbox: Outbox, settings: AlertingSettings, alert: Made
) -> None:
    (one,) = outbox.file([alert()], settings)
    outbox.acknowledge(one.id, Acknowledgement("Ann", NOON, ""))
    assert outbox.file([alert(at=later(hours=2))], settings) == ()


def test_a_failed_message_is_tried_again_with_growing_pauses(
    outbox: Outbox, post: Post, channel: Channel, alert: Made
) -> None:
    channel.up = False
    outbox.file([alert(severity="critical")], post.settings)
    post = replace(post, settings=replace(post.settings, escalate_after=timedelta(days=9)))
    tried_at = [minute for minute in range(0, 700, 5) if send(outbox, post, later(minutes=minute)).counts[FAILED]]
    assert tried_at == [0, 5, 20, 80, 320, 560]
    channel.up = True
    assert send(outbox, post, later(minutes=799)).lines() == [f"1 {WAITING}"]
    assert send(outbox, post, later(minutes=800)).lines() == ["1 sent"]
    (delivery,) = outbox.filed()[0].deliveries
    assert (delivery.attempts, delivery.trouble) == (7, None)


def test_delivery_that_stays_down_is_given_up_and_said(
    outbox: Outbox, post: Post, channel: Channel, alert: Made
) -> None:
    channel.up = False
    (one,) = outbox.file([alert()], post.settings)
    first = send(outbox, post, NOON)
    assert first.failed
    assert first.lines() == [f"1 {FAILED}", f"{one.id} to operations: the channel could not be reached"]
    last = send(outbox, post, later(hours=72))
    assert last.failed
    assert last.counts == {UNDELIVERABLE: 1}
    assert "operations: undeliverable after 2 attempts, the channel could not be reached" in outbox.filed()[0].page()
    assert send(outbox, post, later(hours=99)).lines() == ["Nothing is due."]


def test_one_recipient_that_is_down_keeps_no_other_from_being_told(
    outbox: Outbox, post: Post, channel: Channel, alert: Made
) -> None:
    outbox.file([alert(to=("operations", "data_science"))], post.settings)
    down = replace(post, notify=lambda kind, *rest: "down" if kind == "email" else channel(kind, *rest))
    assert send(outbox, down, NOON).counts == {FAILED: 1, "sent": 1}
    assert [kind for kind, _ in channel.taken] == ["slack"]


def test_quiet_hours_hold_back_all_but_the_critical(outbox: Outbox, post: Post, channel: Channel, alert: Made) -> None:
    outbox.file([alert(at=NIGHT), alert("scoring_success", "critical", NIGHT)], post.settings)
    assert send(outbox, post, NIGHT).counts == {HELD: 1, "sent": 1}
    assert channel.taken == [("email", "[critical] Features have drifted")]
    morning = datetime(2025, 11, 5, 12, 0, tzinfo=UTC)
    assert send(outbox, post, morning - timedelta(minutes=1)).counts[HELD] == 1
    assert send(outbox, post, morning).counts["sent"] == 1


@pytest.mark.parametrize(
    ("begins", "ends", "hour", "quiet"),
    [
        (20, 7, 20, True),
        (20, 7, 6, True),
        (20, 7, 7, False),
        (20, 7, 12, False),
        (1, 5, 3, True),
        (1, 5, 5, False),
        (8, 8, 8, False),
    ],
)
def test_quiet_hours_go_over_midnight(begins: int, ends: int, hour: int, quiet: bool) -> None:
    hours = QuietHours(time(begins), time(ends), ZoneInfo("America/New_York"))
    for month in (1, 7):  # winter and summer time
        assert (
            hours.holds(datetime(2025, month, 9, hour, 30, tzinfo=ZoneInfo("America/New_York"))) == quiet
            or hour == ends
        )


def test_what_nobody_acknowledges_is_escalated_once(outbox: Outbox, post: Post, channel: Channel, alert: Made) -> None:
    outbox.file([alert("scoring_success", "critical"), alert()], post.settings)
    for hours in (0, 3.9, 4, 4.1, 30):
        send(outbox, post, later(hours=hours))
    assert channel.taken[2:] == [("webhook", "[not acknowledged] [critical] Features have drifted")]
    assert [one.why for one in outbox.filed()[1].deliveries] == ["first", ESCALATION]


def test_what_was_acknowledged_is_not_escalated(outbox: Outbox, post: Post, channel: Channel, alert: Made) -> None:
    (one,) = outbox.file([alert("scoring_success", "critical")], post.settings)
    send(outbox, post, NOON)
    outbox.acknowledge(one.id, Acknowledgement("Ann", later(hours=1), "restarting"))
    outbox.acknowledge(one.id, Acknowledgement("Bob", later(hours=2), ""))
    send(outbox, post, later(hours=9))
    assert len(channel.taken) == 1
    assert "acknowledged by Ann, 2025-11-04 18:00 UTC: restarting" in outbox.filed()[0].page()


def test_without_addresses_alerts_are_files_and_are_sent_when_one_comes(
    outbox: Outbox, post: Post, channel: Channel, alert: Made
) -> None:
    (one,) = outbox.file([alert()], post.settings)
    told = send(outbox, replace(post, env={}), NOON)
    assert told.lines() == ["1 for operations in the outbox only (LEADSCORE_ALERT_OPERATIONS is not set)"]
    assert not told.failed
    assert "Features have drifted" in (outbox.folder / f"{one.id}.md").read_text()
    assert json.loads((outbox.folder / f"{one.id}.json").read_text())["alert"]["figures"] == {"max_psi": 0.31}
    assert send(outbox, post, later(hours=1)).lines() == ["1 sent"]


def test_an_address_that_comes_late_is_not_flooded_with_what_is_old(
    outbox: Outbox, post: Post, channel: Channel, alert: Made
) -> None:
    for day in range(10):
        outbox.file([alert(at=later(days=day))], post.settings)
        send(outbox, replace(post, env={}), later(days=day))
    told = send(outbox, post, later(days=10))
    assert len(channel.taken) == 3  # of the last 72 hours
    assert any(f"7 {EXPIRED}" in line for line in told.lines())
    assert not told.failed
    assert "operations: too old to be sent, it was older than 72 hours" in outbox.filed()[0].page()
    assert send(outbox, post, later(days=11)).lines() == ["Nothing is due."]


def test_what_is_told_once_is_not_told_again_however_long_ago(
    outbox: Outbox, settings: AlertingSettings, alert: Made
) -> None:
    assert len(outbox.file([alert("class_balance-1", once=True)], settings)) == 1
    for days in (1, 6, 40):
        assert outbox.file([alert("class_balance-1", once=True, at=later(days=days))], settings) == ()
    assert len(outbox.file([alert("class_balance-2", once=True, at=later(days=7))], settings)) == 1
    assert sorted(one.times for one in outbox.filed()) == [1, 4]


def test_no_address_gets_into_the_outbox(outbox: Outbox, post: Post, channel: Channel, alert: Made) -> None:
    channel.up = False
    outbox.file([alert(to=("operations", "data_science"))], post.settings)
    send(outbox, post, NOON)
    for file in outbox.folder.iterdir():
        assert "secret" not in file.read_text()


def test_a_recipient_that_is_described_no_more_is_said(outbox: Outbox, post: Post, alert: Made) -> None:
    outbox.file([alert()], post.settings)
    fewer = replace(post.settings, recipients={})
    (line,) = send(outbox, replace(post, settings=fewer), NOON).lines()
    assert "no longer describes" in line


def test_a_damaged_file_is_left_and_named_and_stops_nothing(outbox: Outbox, post: Post, alert: Made) -> None:
    (one,) = outbox.file([alert()], post.settings)
    (outbox.folder / "20250101T000000_old.json").write_text('{"id": ')
    (outbox.folder / "20250101T000001_list.json").write_text("[]")
    told = send(outbox, post, NOON)
    assert told.counts["sent"] == 1
    assert len([line for line in told.lines() if "cannot be read" in line]) == 2
    assert [found.id for found in outbox.filed()] == [one.id]


def test_a_clock_that_goes_back_keeps_no_alert_from_being_raised_or_sent(
    outbox: Outbox, post: Post, channel: Channel, alert: Made
) -> None:
    channel.up = False
    outbox.file([alert(at=later(days=300))], post.settings)
    send(outbox, post, later(days=300))
    channel.up = True
    assert len(outbox.file([alert()], post.settings)) == 1
    assert send(outbox, post, NOON).counts["sent"] == 2


def test_an_unknown_id_is_said(outbox: Outbox) -> None:
    with pytest.raises(UsageError, match="leadscore alerts list --all"):
        outbox.acknowledge("20250101T000000_nothing", Acknowledgement("Ann", NOON, ""))


def test_two_senders_send_once(outbox: Outbox, post: Post, alert: Made, channel: Channel) -> None:
    outbox.file([alert()], post.settings)
    with outbox.sending() as mine:
        assert mine
        assert send(outbox, post, NOON).lines() == ["Another process is sending; nothing was done here."]
    assert channel.tried == []
    assert send(outbox, post, NOON).counts["sent"] == 1


def test_many_processes_that_file_one_alert_file_it_once(
    outbox: Outbox, settings: AlertingSettings, alert: Made
) -> None:
    context = multiprocessing.get_context("fork")
    filers = [context.Process(target=_file_five, args=(outbox.folder, alert(), settings)) for _ in range(4)]
    for one in filers:
        one.start()
    for one in filers:
        one.join()
    (filed,) = outbox.filed()
    assert filed.times == 20


def _file_five(folder: Path, alert: Alert, settings: AlertingSettings) -> None:
    for _ in range(5):
        Outbox(folder).file([alert], settings)


def test_a_test_message_goes_at_once_or_says_what_is_missing(post: Post) -> None:
    told: list[tuple[str, ...]] = []

    def listen(*message: str) -> str | None:
        told.append(message)
        return None

    assert send_test(replace(post, notify=listen), "on_call", NIGHT) is None
    assert told[0][:3] == ("webhook", "jsons://secret", "[test] leadscore alerts")
    with pytest.raises(UsageError, match="set LEADSCORE_ALERT_SALES_LEAD to one of teams"):
        send_test(post, "sales_lead", NOON)
    with pytest.raises(UsageError, match="nobody"):
        send_test(post, "nobody", NOON)
