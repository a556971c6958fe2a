"""Why a lead scored as it did: contributions in log-odds, by family of features, in plain words.

Belongs here: from contributions to reasons; the words come from `config/v6_reason_words.yaml`. Does not belong here:
importance over many leads (`importance.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

REASON_WORDS_FILE: Final = "v6_reason_words.yaml"  # in the configuration folder; schema `reason_words`


@dataclass(frozen=True)
class Reason:
    """One family of features: what it adds to the calibrated log-odds, and what its strongest feature says of the lead."""

    family: str
    log_odds: float
    feature: str
    text: str

    def __str__(self) -> str:
        """`joined the firm 8 months ago (+0.62)`."""
        return f"{self.text} ({self.log_odds:+.2f})"


@dataclass(frozen=True)
class Words:
    """Per feature its family and its phrases."""

    content: Mapping[str, Any]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Words:
        """From the content of `config/v6_reason_words.yaml`, which holds against its schema."""
        raise NotImplementedError

    def family(self, feature: str) -> str:
        """The feature's family."""
        raise NotImplementedError

    def say(self, feature: str, value: Any) -> str:
        """The value in plain words; None is missing."""
        raise NotImplementedError


def reasons(
    names: Sequence[str], contributions: Sequence[float], lead: Mapping[str, Any], words: Words, top: int
) -> tuple[Reason, ...]:
    """The `top` families by size of contribution, largest first, whether for or against the lead.

    `contributions` are in calibrated log-odds, in the order of `names`.
    """
    raise NotImplementedError
