"""What `config/alerting_config_v6.json` says, as checked values.

Belongs here: one dataclass per section, and what a JSON Schema cannot say of them. Does not belong here: an address; it
is a secret, and stands in the environment under the name that the file gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadscore_v6.contracts import load_document
from leadscore_v6.errors import UsageError
from leadscore_v6.paths import config_root

ALERTING_FILE: Final = "alerting_config_v6.json"  # in the configuration folder; schema `alerting_config`
Severity = Literal["critical", "warning", "info"]
CRITICAL: Final = "critical"


@dataclass(frozen=True)
class Recipient:
    """Somebody, and the environment variable that holds the address (email, slack, teams or webhook)."""

    name: str
    channel: str
    address_from: str


@dataclass(frozen=True)
class QuietHours:
    """When only critical alerts are sent; over midnight if `begins` is after `ends`. Equal: never."""

    begins: time
    ends: time
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Whether `at` is within them."""
        now = at.astimezone(self.zone).time()
        if self.begins <= self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends

    def day(self, at: datetime) -> date:
        """The day that `at` is counted to: from the beginning of quiet hours to the next, called by the day it ends on.

        What a night finds is told in the morning after it, so both are one day. Hours that have passed count for
        nothing: a check that is run daily never begins at the same second twice.
        """
        now = at.astimezone(self.zone)
        return now.date() + timedelta(days=now.time() >= self.begins)


@dataclass(frozen=True)
class Rule:
    """One figure of one check, and what it must be; else there is an alert.

    `unknown` says what a figure is that is not judgeable: an alert, or nothing. `again`: the same finding alerts anew
    once `deduplicate` days are over, or never (what was found then has subjects: a week, a version).
    """

    name: str
    check: str
    figure: str
    op: str
    value: float
    unknown: Literal["alert", "quiet"]
    again: Literal["after_window", "never"]
    severity: Severity
    to: tuple[str, ...]
    title: str
    says: str


@dataclass(frozen=True)
class AlertingSettings:
    """All of `config/alerting_config_v6.json`. `retry`: how long to wait after the first, second, … failed attempt.

    deduplicate: days, as `QuietHours.day` counts them, for which the same finding is told once.
    """

    recipients: Mapping[str, Recipient]
    deduplicate: int
    quiet: QuietHours
    retry: tuple[timedelta, ...]
    give_up_after: timedelta
    escalate_after: timedelta
    escalate_to: tuple[str, ...]
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> AlertingSettings:
        """From the content of the file, which holds against its schema.

        Raises UsageError for a recipient that is nowhere described, a rule that is there twice, an unknown time zone.
        """
        recipients = {name: Recipient(name, **of) for name, of in content["recipients"].items()}
        rules = tuple(_rule(entry) for entry in content["rules"])
        asked = {name for rule in rules for name in rule.to} | set(content["escalation"]["to"])
        if unknown := sorted(asked - set(recipients)):
            raise UsageError(f"{ALERTING_FILE}: no recipient is described by the name {', '.join(unknown)}.")
        names = [rule.name for rule in rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"{ALERTING_FILE}: more than one rule is called {', '.join(twice)}.")
        retry = content["retry"]
        return cls(
            recipients=recipients,
            deduplicate=content["deduplicate_days"],
            quiet=_quiet(content["quiet_hours"]),
            retry=tuple(timedelta(minutes=minutes) for minutes in retry["minutes"]),
            give_up_after=timedelta(hours=retry["give_up_after_hours"]),
            escalate_after=timedelta(hours=content["escalation"]["after_hours"]),
            escalate_to=tuple(content["escalation"]["to"]),
            rules=rules,
        )


def alerting_settings() -> AlertingSettings:
    """Those of the product's configuration. Raises InputError or UsageError naming what is wrong in the file."""
    return AlertingSettings.of(load_document(config_root() / ALERTING_FILE, "alerting_config"))


def _rule(entry: Mapping[str, Any]) -> Rule:
    of = dict(entry)
    must = of.pop("must")
    return Rule(**(of | {"to": tuple(of["to"])}), figure=must["figure"], op=must["op"], value=float(must["value"]))


def _quiet(of: Mapping[str, str]) -> QuietHours:
    try:
        zone = ZoneInfo(of["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(
            f"{ALERTING_FILE}: {of['zone']!r} is no time zone (one looks like America/New_York)."
        ) from None
    return QuietHours(time.fromisoformat(of["from"]), time.fromisoformat(of["to"]), zone)
