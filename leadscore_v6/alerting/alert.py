"""An alert, as a value.

Belongs here: what one is, what may stand in it, and how a person reads it. Does not belong here: whether there is one
(`rules.py`), or what became of it (`outbox.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from leadscore_v6.alerting.settings import Severity
from leadscore_v6.contracts import contract
from leadscore_v6.errors import LeadscoreError

RANK: Final[Mapping[str, int]] = {"critical": 2, "warning": 1, "info": 0}
# Names of features, steps and tables; dates and versions. What a CRD, a CRM Id, a name of two words, an address or a
# phone number looks like is none of them.
_SUBJECT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./$]{0,79}|[0-9]{8}(_[0-9a-z]+)*|[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Files whose refusals are told, by the names of their contracts: a column's name is no value of it.
_DELIVERED: Final = ("feed", "lead", "dials", "associates")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
# What our own sentences are made of: words in lower case, one of them with a capital in front, numbers of lines.
_OURS: Final = re.compile(r"[a-z]+(-[a-z]+)*|[0-9]{1,7}|UTF-8|CSV|NUL|LF|CRLF")
_FIRST: Final = re.compile(r"[A-Z][a-z]*")
_MARKS: Final = "().,:;?"


def without_values(message: str) -> str:
    """The first line of an error's message, and in it our own words, numbers of lines, names of columns; else `…`.

    A message may have an Id or a name from a file's header in it; an alert leaves the house and may not (R57).
    """
    columns = {name for file in _DELIVERED for name in contract(file).names}
    words = _QUOTED.sub("…", message.partition("\n")[0]).split()
    return " ".join(_shown_word(word, columns, first=number == 0) for number, word in enumerate(words))


def _shown_word(word: str, columns: Collection[str], *, first: bool) -> str:
    bare = word.strip(_MARKS)
    if not bare or bare in columns or _OURS.fullmatch(bare) or (first and _FIRST.fullmatch(bare)):
        return word
    return word.replace(bare, "…")


@dataclass(frozen=True)
class Alert:
    """One alert. `key` is what de-duplication goes by; `raised_at` has a zone.

    `figures` are numbers by name, None where not judgeable; `subjects` what it is about: features, steps, versions,
    days. `once`: nobody is told of the same key again, however long ago it was raised. `about_day`: as of which day was
    looked, if of any; the key does not know it, so that the same finding on another day is the same alert. `why`: the
    reason in words, as `without_values` leaves it.
    Raises LeadscoreError if a subject or the reason could be personal (R57): an alert leaves the house.
    """

    key: str
    severity: Severity
    title: str
    says: str
    figures: Mapping[str, float | int | None]
    subjects: tuple[str, ...]
    to: tuple[str, ...]
    raised_at: datetime
    is_synthetic: bool = False
    once: bool = False
    about_day: date | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if self.raised_at.tzinfo is None:
            raise LeadscoreError("The time of an alert has no zone.")
        for subject in self.subjects:
            if _SUBJECT.fullmatch(subject) is None:
                raise LeadscoreError(
                    f"An alert may only be about features, steps, dates and versions; {self.key} has a subject of "
                    f"{len(subject)} characters that is none of them (R57)."
                )
        if self.why != without_values(self.why):
            raise LeadscoreError(f"The reason of {self.key} has words that may be values of somebody's data (R57).")
        for name, figure in self.figures.items():
            if not (figure is None or isinstance(figure, int | float)):
                raise LeadscoreError(f"A figure of an alert is a number; {name} of {self.key} is not (R57).")

    @property
    def subject_line(self) -> str:
        """The title as it is sent."""
        synthetic = " (SYNTHETIC DATA)" if self.is_synthetic else ""
        return f"[{self.severity}] {self.title}{synthetic}"

    def text(self) -> str:
        """What it says, as Markdown that reads as plain text too."""
        lines = [self.says, ""]
        lines += [f"- {name}: {_shown(figure)}" for name, figure in self.figures.items()]
        if self.why:
            lines += ["", f"Why: {self.why}"]
        if self.about_day:
            lines += ["", f"As of {self.about_day}"]
        if self.subjects:
            lines += ["", f"About: {', '.join(self.subjects)}"]
        lines += [
            "",
            f"Raised {self.raised_at:%Y-%m-%d %H:%M %Z}. What to do: the runbook, under {self.key.split('-')[0]}.",
        ]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "key": self.key,
            "severity": self.severity,
            "title": self.title,
            "says": self.says,
            "figures": dict(self.figures),
            "subjects": list(self.subjects),
            "to": list(self.to),
            "raised_at": self.raised_at.isoformat(),
            "is_synthetic": self.is_synthetic,
            "once": self.once,
            "about_day": self.about_day.isoformat() if self.about_day else None,
            "why": self.why,
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Alert:
        """The inverse of `as_dict`."""
        changes = {
            "subjects": tuple(content["subjects"]),
            "to": tuple(content["to"]),
            "raised_at": datetime.fromisoformat(content["raised_at"]),
            "about_day": date.fromisoformat(content["about_day"]) if content.get("about_day") else None,
        }
        return cls(**(dict(content) | changes))


def _shown(figure: float | None) -> str:
    if figure is None:
        return "not judgeable"
    return f"{figure:.4g}" if isinstance(figure, float) else f"{figure:,}"
