"""The outbox: one JSON file per alert with all that became of it, and the same beside it for people to read.

Belongs here: filing, de-duplication, acknowledgement, what is written where. Does not belong here: sending
(`delivery.py`). It is the default channel: with no address configured, alerts are here and nowhere else.

Files are replaced whole, under a lock of the kernel's that goes with the process; nothing is held while a message is on
its way. A file that cannot be read is left where it is, and named.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from leadscore_v6.alerting.alert import RANK, Alert
from leadscore_v6.alerting.settings import AlertingSettings
from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.errors import LeadscoreError, UsageError

# What became of a message to one recipient.
PENDING, SENT, UNDELIVERABLE, NO_ADDRESS = "pending", "sent", "undeliverable", "no address"
EXPIRED = "too old to be sent"
FIRST, ESCALATION = "first", "escalation"
_LOCK, _SENDING = ".lock", ".sending"
_TIMES: Final = ("last_attempt", "sent_at")


@dataclass(frozen=True)
class Delivery:
    """A message to one recipient. `why` is first or escalation; `trouble` what the last failed attempt said."""

    to: str
    why: str = FIRST
    state: str = PENDING
    attempts: int = 0
    last_attempt: datetime | None = None
    sent_at: datetime | None = None
    trouble: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        times = {name: _iso(getattr(self, name)) for name in _TIMES}
        return vars(self) | times

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Delivery:
        """The inverse of `as_dict`."""
        return cls(**(dict(content) | {name: _time(content[name]) for name in _TIMES}))


@dataclass(frozen=True)
class Acknowledgement:
    """Who has seen it, when, and what they say."""

    by: str
    at: datetime
    note: str


@dataclass(frozen=True)
class Filed:
    """An alert in the outbox: how often it was raised within its days, what became of it."""

    id: str
    alert: Alert
    times: int
    last_raised: datetime
    deliveries: tuple[Delivery, ...]
    acknowledged: Acknowledgement | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        seen = self.acknowledged
        return {
            "id": self.id,
            "alert": self.alert.as_dict(),
            "times": self.times,
            "last_raised": self.last_raised.isoformat(),
            "deliveries": [one.as_dict() for one in self.deliveries],
            "acknowledged": None if seen is None else {"by": seen.by, "at": seen.at.isoformat(), "note": seen.note},
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Filed:
        """The inverse of `as_dict`."""
        seen = content["acknowledged"]
        return cls(
            id=content["id"],
            alert=Alert.of(content["alert"]),
            times=content["times"],
            last_raised=datetime.fromisoformat(content["last_raised"]),
            deliveries=tuple(Delivery.of(one) for one in content["deliveries"]),
            acknowledged=seen and Acknowledgement(seen["by"], datetime.fromisoformat(seen["at"]), seen["note"]),
        )

    def page(self) -> str:
        """For people: the alert, and what became of it."""
        lines = [f"# {self.alert.subject_line}", "", self.alert.text(), "", "## What became of it", ""]
        if self.times > 1:
            lines.append(f"- raised {self.times} times, last {self.last_raised:%Y-%m-%d %H:%M %Z}")
        lines += [f"- {_became(one)}" for one in self.deliveries]
        if self.acknowledged is None:
            lines.append(f"- not acknowledged: `leadscore alerts ack {self.id} --by NAME`")
        else:
            seen = self.acknowledged
            note = f": {seen.note}" if seen.note else ""
            lines.append(f"- acknowledged by {seen.by}, {seen.at:%Y-%m-%d %H:%M %Z}{note}")
        return "\n".join(lines) + "\n"


class Outbox:
    """The alerts of one home, in one folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when something is filed."""
        self.folder = folder
        self._store = ArtifactStore(folder)

    def filed(self) -> tuple[Filed, ...]:
        """All alerts that can be read, oldest first."""
        return tuple(one for path in self._files() if (one := _read(path)) is not None)

    def unreadable(self) -> tuple[str, ...]:
        """Names of files that are no alerts, or damaged ones."""
        return tuple(path.name for path in self._files() if _read(path) is None)

    def file(self, alerts: Iterable[Alert], settings: AlertingSettings) -> tuple[Filed, ...]:
        """Put alerts into the outbox; those that are new. Nothing is sent yet.

        An alert of a key that was raised within `deduplicate` days (or ever, of one that is raised once), at the same
        severity or above, is counted there and not filed again: nobody is told twice.
        """
        new = []
        with self._locked(_LOCK):
            for alert in alerts:
                known = self._known(alert, settings)
                if known is not None:
                    self._put(replace(known, times=known.times + 1, last_raised=alert.raised_at))
                    continue
                deliveries = tuple(Delivery(name) for name in alert.to)
                filed = Filed(self._free_id(alert), alert, 1, alert.raised_at, deliveries)
                self._put(filed)
                new.append(filed)
        return tuple(new)

    def change(self, id: str, how: Callable[[Filed], Filed]) -> Filed:  # noqa: A002 - the file's own word
        """Read an alert, change it, write it, as one step. Raises UsageError for an id that is not there."""
        with self._locked(_LOCK):
            found = _read(self.folder / f"{id}.json")
            if found is None:
                raise UsageError(
                    f"No alert in {self.folder} has the id {id!r}; `leadscore alerts list --all` shows all."
                )
            changed = how(found)
            self._put(changed)
        return changed

    def acknowledge(self, id: str, seen: Acknowledgement) -> Filed:  # noqa: A002 - the file's own word
        """Somebody has seen it: it is escalated no more. The first acknowledgement stays."""
        return self.change(id, lambda one: one if one.acknowledged else replace(one, acknowledged=seen))

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """The right to send; False while another process has it. It goes with the process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _SENDING).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _known(self, alert: Alert, settings: AlertingSettings) -> Filed | None:
        """The newest alert of that key within its days, if there is one.

        A clock that goes back must not make it eternal.
        """
        day = settings.quiet.day
        return next(
            (
                one
                for one in reversed(self.filed())
                if one.alert.key == alert.key
                and RANK[one.alert.severity] >= RANK[alert.severity]
                and (alert.once or abs((day(alert.raised_at) - day(one.alert.raised_at)).days) < settings.deduplicate)
            ),
            None,
        )

    def _free_id(self, alert: Alert) -> str:
        name = f"{alert.raised_at:%Y%m%dT%H%M%S}_{alert.key}"
        taken = {path.stem for path in self._files()}
        return next(
            one
            for number in range(1, len(taken) + 2)
            if (one := f"{name}_{number}" if number > 1 else name) not in taken
        )

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[!.]*.json"))

    def _put(self, filed: Filed) -> None:
        # The page first: what the JSON says has happened is there to be read.
        self._store.write(f"{filed.id}.md", filed.page())
        self._store.write(f"{filed.id}.json", json.dumps(filed.as_dict(), indent=2) + "\n")

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / name).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(path: Path) -> Filed | None:
    try:
        return Filed.of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, LeadscoreError):
        return None


def _became(one: Delivery) -> str:
    who = f"{one.to} ({one.why})" if one.why != FIRST else one.to
    if one.state == SENT and one.sent_at is not None:
        return f"{who}: sent {one.sent_at:%Y-%m-%d %H:%M %Z}"
    attempts = f" after {one.attempts} attempts" if one.attempts else ""
    trouble = f", {one.trouble}" if one.trouble else ""
    return f"{who}: {one.state}{attempts}{trouble}"


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
