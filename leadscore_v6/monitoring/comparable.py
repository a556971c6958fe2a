"""On which dialled leads champion and challenger may be compared where one of them chose who was dialled (R31, R50).

Belongs here: from the leads that came, dialled or not, to those that are compared. Does not belong here: comparing
(champion.py), getting the leads and their scores together (promotion.py).

Only dialled leads have an outcome. Where the champion's order chose them, its score has said of them already what it
knows: it can hardly tell them apart any more, another model can, and one of the same worth looks better. Among leads
that both models would have dialled neither has that advantage: swap two equal models, and the same leads are compared.
Which they are is told by each model's place among *all* leads that came in a week, and as many are its best as were
dialled of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
# Standard errors: 5 %, one-sided. Found where it is not, an order costs leads and no truth; one strong enough to favour
# anybody among the thousands of leads that an interval needs is far beyond it.
_BEYOND_CHANCE: Final = 1.645


@dataclass(frozen=True)
class Came:
    """n leads that came in the time of a comparison, dialled or not, scored by both.

    contact (n,) datetime64[D] on which each came; dialled (n,) whether anybody dialled it by the end of the window;
    champion, challenger (n,) scores that rank.
    """

    contact: NDArray[np.datetime64]
    dialled: Flags
    champion: Floats
    challenger: Floats


@dataclass(frozen=True)
class Comparable:
    """Which leads are compared, and why.

    leads (n,): those of `Came`. best_dialled: dialled leads among the champion's best of their week; best_by_chance:
    how many an order that does not know its score would have dialled of them. is_chosen: that is beyond chance; None
    where all who came were dialled, so that nothing tells who chose.
    """

    leads: Flags
    came: int
    dialled: int
    best_dialled: int
    best_by_chance: float
    is_chosen: bool | None

    @property
    def says(self) -> str:
        """In words, for the page of the decision."""
        if self.is_chosen is None:
            return (
                f"all {self.came:,} leads that came in these weeks were dialled, or are taken to have been, and are "
                "compared: nothing tells whether the champion's order chose who came"
            )
        share = (
            f"{self.dialled:,} of the {self.came:,} leads that came in these weeks were dialled, {self.best_dialled:,} "
            f"of them among the champion's best (by chance {self.best_by_chance:,.0f})"
        )
        if not self.is_chosen:
            return f"{share}: its order did not choose among them, and all who were dialled are compared"
        both = int(self.leads.sum())
        return f"{share}: its order chose, and only the {both:,} are compared that are among the best of both models"


def comparable(came: Came) -> Comparable:
    """The dialled leads on which neither model has the advantage; all of them where the champion did not choose.

    Its best of a week are as many as were dialled of all that came in it; those that tie with the last are in.
    """
    week = _week(came.contact)
    ours, theirs = (_best(week, came.dialled, score) for score in (came.champion, came.challenger))
    best_dialled = int((ours & came.dialled).sum())
    expected, variance = _by_chance(week, came.dialled, ours)
    is_chosen = best_dialled - expected > _BEYOND_CHANCE * math.sqrt(variance) if variance else None
    leads = came.dialled & ours & theirs if is_chosen else came.dialled.copy()
    return Comparable(leads, len(week), int(came.dialled.sum()), best_dialled, expected, is_chosen)


def _week(contact: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """(n,) the week from Monday to Sunday that each day lies in, counted from that of the epoch's Thursday."""
    weeks: NDArray[np.int64] = (contact.astype("datetime64[D]").astype(np.int64) + 3) // 7
    return weeks


def _best(week: NDArray[np.int64], dialled: Flags, score: Floats) -> Flags:
    """(n,) whether a lead is among the best-scored of its week, as many as were dialled of it; ties are in."""
    is_best = np.zeros(len(week), dtype=bool)
    for rows in _each(week):
        if made := int(dialled[rows].sum()):
            is_best[rows] = score[rows] >= np.sort(score[rows])[-made]
    return is_best


def _by_chance(week: NDArray[np.int64], dialled: Flags, best: Flags) -> tuple[float, float]:
    """Mean and variance of how many of the best are dialled, if each week's dials are dealt blindly: hypergeometric."""
    expected = variance = 0.0
    for rows in _each(week):
        came, made, share = len(rows), int(dialled[rows].sum()), float(best[rows].mean())
        expected += made * share
        variance += made * share * (1 - share) * (came - made) / max(1, came - 1)
    return expected, variance


def _each(week: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Row numbers of each week, in order of time."""
    order = np.argsort(week, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(week[order])) + 1) if len(week) else []
