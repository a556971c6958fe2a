"""Why a lead scored as it did: contributions in log-odds, by family of features, in plain words.

Belongs here: from contributions to reasons; the words come from `config/v6_reason_words.yaml`. Does not belong here:
importance over many leads (`importance.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from leadscore_v6.errors import InputError

REASON_WORDS_FILE: Final = "v6_reason_words.yaml"  # in the configuration folder; schema `reason_words`


@dataclass(frozen=True)
class Reason:
    """One family of features: what it adds to the calibrated log-odds, and what its strongest feature says."""

    family: str
    log_odds: float
    feature: str
    text: str

    def __str__(self) -> str:
        """`joined the firm 8 months ago (+0.62)`."""
        return f"{self.text} ({self.log_odds:+.2f})"


@dataclass(frozen=True)
class Words:
    """Per feature its family and its phrases: the `features` of `config/v6_reason_words.yaml`."""

    features: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Words:
        """From the content of the file, which holds against its schema."""
        return cls(content["features"])

    def require(self, names: Iterable[str]) -> None:
        """Raise InputError naming the features that have no words: a reason could not be said."""
        without = [name for name in names if name not in self.features]
        if without:
            raise InputError(
                f"Features without words for a reason: {', '.join(without)}.",
                file=REASON_WORDS_FILE,
                column=without[0],
                remedy="add them, with their family and phrases",
            )

    def family(self, feature: str) -> str:
        """The feature's family."""
        return str(self.features[feature]["family"])

    def say(self, feature: str, value: Any) -> str:
        """The value in plain words; None is missing."""
        phrases = self.features[feature]
        if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN is not itself
            return str(phrases["missing"])
        if "one" in phrases:
            return str(phrases["one" if float(value) else "zero"])
        levels = phrases.get("levels", {})
        if isinstance(value, str) and value in levels:
            return str(levels[value])
        if isinstance(value, str):
            return str(phrases["value"]).format(text=value, duration=value, number=value, percent=value)
        number = float(value)
        if "single" in phrases and _number(number) == "1":
            return str(phrases["single"])
        return str(phrases["value"]).format(
            text=f"{number:g}", duration=duration(number), number=_number(number), percent=f"{100 * number:.0f} %"
        )


def duration(years: float) -> str:
    """Years as a person says them: `8 months`, `1 year`, `3.5 years`, `12 years`."""
    months = round(12 * years)
    if months < 24:
        if months == 12:
            return "1 year"
        return "less than a month" if months < 1 else f"{months} month{'s' if months > 1 else ''}"
    halves = round(2 * years) / 2
    return f"{halves:g} years" if years < 10 else f"{round(years)} years"


def reasons(
    names: Sequence[str], contributions: Sequence[float], lead: Mapping[str, Any], words: Words, top: int
) -> tuple[Reason, ...]:
    """The `top` families by size of contribution, largest first, whether for or against the lead.

    `contributions` are in calibrated log-odds, in the order of `names`. The words are those of the family's feature
    that does most in the family's direction. Families that add nothing are left out.
    """
    families: dict[str, list[tuple[float, str]]] = {}
    for name, contribution in zip(names, contributions, strict=True):
        families.setdefault(words.family(name), []).append((float(contribution), name))
    found = []
    for family, members in families.items():
        total = sum(contribution for contribution, _ in members)
        sign = 1 if total > 0 else -1
        feature = max(members, key=lambda member: (sign * member[0], member[1]))[1]
        found.append(Reason(family, total, feature, words.say(feature, lead[feature])))
    found.sort(key=lambda reason: (-abs(reason.log_odds), reason.family))
    return tuple(reason for reason in found[:top] if reason.log_odds != 0)


def _number(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 10 or number == round(number) else f"{number:.2g}"
