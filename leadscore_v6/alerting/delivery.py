"""Delivery: who is told now, who later, and what is written down when nobody could be.

Belongs here: what is due, quiet hours, retries with back-off, escalation. Does not belong here: the channels
(`channels.py`), files (`outbox.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from leadscore_v6.alerting.channels import notify
from leadscore_v6.alerting.outbox import (
    ESCALATION,
    EXPIRED,
    NO_ADDRESS,
    PENDING,
    SENT,
    UNDELIVERABLE,
    Delivery,
    Filed,
    Outbox,
)
from leadscore_v6.alerting.settings import CRITICAL, AlertingSettings
from leadscore_v6.errors import UsageError

# channel, address, title, text → None when it was taken, else what went wrong
Notify = Callable[[str, str, str, str], str | None]
HELD, WAITING, FAILED = "held back by quiet hours", "waiting for the next attempt", "failed, tried again later"


@dataclass
class Sending:
    """What one call of `send` did: messages by what became of them, and each trouble in words."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    is_elsewhere: bool = False

    def lines(self) -> list[str]:
        """For people."""
        if self.is_elsewhere:
            return ["Another process is sending; nothing was done here."]
        told = [f"{number} {what}" for what, number in sorted(self.counts.items())]
        return [", ".join(told) or "Nothing is due.", *self.troubles]

    @property
    def failed(self) -> bool:
        """Whether a message that was due could not be delivered."""
        return bool(self.counts[FAILED] or self.counts[UNDELIVERABLE])


@dataclass(frozen=True)
class Post:
    """How messages are sent: the rules, the environment with the addresses, the channel."""

    settings: AlertingSettings
    env: Mapping[str, str]
    notify: Notify = notify


def send(outbox: Outbox, post: Post, at: datetime) -> Sending:
    """Send what is due at `at`; call it as often as you like.

    Each message goes to each recipient once. One that fails is tried again at a later call, when its back-off is over,
    and is undeliverable when it could not be sent for `give_up_after`. One that is older than that when it could be
    sent for the first time, because an address was set only now or nobody called, is too old: it stays in the outbox.
    In quiet hours only critical ones are sent. A critical alert that nobody acknowledged within `escalate_after` goes
    to those that it is escalated to, once. A process that dies between a channel's yes and the outbox's line sends that
    message again.
    """
    done = Sending()
    with outbox.sending() as is_mine:
        if not is_mine:
            done.is_elsewhere = True
            return done
        done.troubles += [f"{name} in the outbox cannot be read; it is left as it is" for name in outbox.unreadable()]
        for filed in outbox.filed():
            now = _escalated(outbox, filed, post.settings, at)
            for place, delivery in enumerate(now.deliveries):
                if delivery.state in (PENDING, NO_ADDRESS):
                    _deliver(outbox, now, place, (post, at), done)
    return done


def send_test(post: Post, recipient: str, at: datetime) -> str | None:
    """Send a message that is no alert, at once. None when the channel took it, else what went wrong.

    Raises UsageError for an unknown recipient, or one without an address.
    """
    if recipient not in post.settings.recipients:
        known = ", ".join(sorted(post.settings.recipients))
        raise UsageError(f"No recipient is called {recipient!r}; the configuration has {known}.")
    to = post.settings.recipients[recipient]
    address = post.env.get(to.address_from)
    if not address:
        raise UsageError(f"{recipient} has no address: set {to.address_from} to one of {to.channel}.")
    text = f"A test of {at:%Y-%m-%d %H:%M %Z}. If you read this, alerts to {recipient} by {to.channel} arrive."
    return post.notify(to.channel, address, "[test] leadscore alerts", text)


def _escalated(outbox: Outbox, filed: Filed, settings: AlertingSettings, at: datetime) -> Filed:
    """The alert, with messages to those that it is escalated to if it is time."""
    overdue = (
        filed.alert.severity == CRITICAL
        and filed.acknowledged is None
        and at - filed.alert.raised_at >= settings.escalate_after
        and not any(one.why == ESCALATION for one in filed.deliveries)
    )
    if not overdue:
        return filed
    further = tuple(Delivery(name, ESCALATION) for name in settings.escalate_to)
    return outbox.change(filed.id, lambda one: replace(one, deliveries=(*one.deliveries, *further)))


def _deliver(outbox: Outbox, filed: Filed, place: int, when: tuple[Post, datetime], done: Sending) -> None:
    (post, at), delivery = when, filed.deliveries[place]
    to = post.settings.recipients.get(delivery.to)
    address = post.env.get(to.address_from) if to else None
    if to is None or not address:
        lacks = f"{to.address_from} is not set" if to else "the configuration no longer describes this recipient"
        done.counts[f"for {delivery.to} in the outbox only ({lacks})"] += 1
        if delivery.state != NO_ADDRESS:
            _write(outbox, filed, place, replace(delivery, state=NO_ADDRESS, trouble=lacks))
        return
    age = at - filed.alert.raised_at
    if not delivery.attempts and age > post.settings.give_up_after:
        hours = post.settings.give_up_after.total_seconds() / 3600
        _write(outbox, filed, place, replace(delivery, state=EXPIRED, trouble=f"it was older than {hours:g} hours"))
        done.counts[f"{EXPIRED}, in the outbox only (`leadscore alerts list`)"] += 1
        return
    if filed.alert.severity != CRITICAL and post.settings.quiet.holds(at):
        done.counts[HELD] += 1
        return
    if not _is_due(delivery, post.settings, at):
        done.counts[WAITING] += 1
        return
    title = filed.alert.subject_line
    if delivery.why == ESCALATION:
        title = f"[not acknowledged] {title}"
    trouble = post.notify(to.channel, address, title, f"{filed.alert.text()}\n\nAlert {filed.id}")
    tried = replace(delivery, state=PENDING, attempts=delivery.attempts + 1, last_attempt=at, trouble=trouble)
    if trouble is None:
        _write(outbox, filed, place, replace(tried, state=SENT, sent_at=at))
        done.counts["sent"] += 1
        return
    is_over = age >= post.settings.give_up_after
    _write(outbox, filed, place, replace(tried, state=UNDELIVERABLE) if is_over else tried)
    done.counts[UNDELIVERABLE if is_over else FAILED] += 1
    done.troubles.append(f"{filed.id} to {delivery.to}: {trouble}")


def _is_due(delivery: Delivery, settings: AlertingSettings, at: datetime) -> bool:
    if delivery.last_attempt is None:
        return True
    pause = settings.retry[min(delivery.attempts, len(settings.retry)) - 1]
    # A clock that went back must not keep a message for ever.
    return abs(at - delivery.last_attempt) >= pause


def _write(outbox: Outbox, filed: Filed, place: int, delivery: Delivery) -> None:
    def with_it(one: Filed) -> Filed:
        deliveries = list(one.deliveries)
        deliveries[place] = delivery
        return replace(one, deliveries=tuple(deliveries))

    outbox.change(filed.id, with_it)
