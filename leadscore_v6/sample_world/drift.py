"""How a played world changes: what `leadscore play --drift` asks for, and where in the world it acts.

Belongs here: the kinds of change, who is drawn under them, how a snapshot and a probability change. Does not belong
here: anything that the pipeline could read; a drift is known to the truth folder alone.

A change acts on leads that arrive, and on snapshots that are dated, from its day on. What it is made of is what life
would show: other advisors are bought, a column of the vendor's is blank, offices open where there was none, the same
advisors answer differently. Each stays true: outcomes are drawn from what a correct join would have found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world.evidence import Evidence, Floats
from leadscore_v6.sample_world.outcomes import other_pattern
from leadscore_v6.sample_world.panel import Snapshot
from leadscore_v6.sample_world.words import NEVER_SEEN, PLACES

# Kind -> strength by default, and the open interval that it must be in.
KINDS: Final[dict[str, tuple[float, tuple[float, float]]]] = {
    "shift": (0.8, (-3.0, 3.0)),  # standard deviations by which the experience of those who arrive moves; PSI about s^2
    "missingness": (0.6, (0.0, 0.95)),  # share of advisors without a known prior firm (.2 among leads as a rule)
    "new-category": (0.1, (0.0, 1.0)),  # share of offices in a state that no snapshot had, from the next snapshot on
    "concept": (1.0, (0.0, 1.0 + 1e-9)),  # share of the leads whose answer follows another pattern
    "base-rate": (2.0, (0.05, 20.0)),  # factor of everybody's odds
    "quiet": (0.0, (-1e-9, 1e-9)),  # nothing: what was drifting stays as it was before, from then on
}
_PARTS: Final = 9_973  # an advisor's noise modulo this prime decides whether a share includes the advisor


@dataclass(frozen=True, order=True)
class Drift:
    """One change: from `since` on, of this kind, this strong (see KINDS)."""

    since: date
    kind: str
    strength: float

    @classmethod
    def parse(cls, text: str, default: date) -> Self:
        """Of `KIND[:strength][@YYYY-MM-DD]`; `default` is the day if none is given. Raises UsageError."""
        head, _, day = text.partition("@")
        kind, _, strength = head.partition(":")
        if kind not in KINDS:
            raise UsageError(f"--drift {text}: no kind of drift is called {kind!r}; there are {', '.join(KINDS)}.")
        usual, (low, high) = KINDS[kind]
        try:
            drift = cls(date.fromisoformat(day) if day else default, kind, float(strength) if strength else usual)
        except ValueError:
            raise UsageError(
                f"--drift {text}: write KIND[:strength][@YYYY-MM-DD], as in shift:0.8@2026-01-06."
            ) from None
        if not low < drift.strength < high:
            raise UsageError(f"--drift {text}: the strength of {kind} lies between {low:g} and {high:g}.")
        return drift


def in_force(drifts: Iterable[Drift], day: date) -> dict[str, float]:
    """Kind and strength of what acts on `day`: the newest of each kind, and none from before a `quiet`."""
    acting: dict[str, float] = {}
    for drift in sorted(drifts, key=lambda one: (one.since, one.kind != "quiet", one)):
        if drift.since > day:
            break
        if drift.kind == "quiet":
            acting.clear()
        else:
            acting[drift.kind] = drift.strength
    return acting


def drifted(snapshot: Snapshot, noise: NDArray[np.int32], drifts: Iterable[Drift]) -> Snapshot:
    """The snapshot as the drifts leave it; `noise` (n,) are the advisors' (traits.py)."""
    acting = in_force(drifts, snapshot.day)
    if "new-category" in acting:
        moved = _share_of(noise, acting["new-category"])
        nowhere = next(index for index, place in enumerate(PLACES) if place.state == NEVER_SEEN)
        snapshot = replace(snapshot, place=np.where(moved, np.int16(nowhere), snapshot.place))
    if "missingness" in acting:
        blank = _share_of(noise // _PARTS, acting["missingness"])
        snapshot = replace(snapshot, prior_years=np.where(blank[:, None], np.float32(np.nan), snapshot.prior_years))
    return snapshot


def _share_of(noise: NDArray[np.int32], share: float) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = noise % _PARTS < share * _PARTS
    return chosen


def acting_on_draws(today: dict[str, float], on_snapshot: dict[str, float]) -> dict[str, float]:
    """What decides who is bought today: not what the newest snapshot shows of everybody already."""
    return {kind: strength for kind, strength in today.items() if kind != "missingness" or kind not in on_snapshot}


def weights(experience: Floats, prior_count: Floats, acting: dict[str, float]) -> Floats:
    """(n,) how likely each advisor who can be bought is to be bought, relatively."""
    weight = np.ones(len(experience))
    known = np.flatnonzero(~np.isnan(experience))
    if "shift" in acting and len(known):
        # A standard normal that is weighted with exp(s z) is a normal with mean s: its rank decides an advisor's z.
        rank = np.argsort(np.argsort(experience[known], kind="stable"), kind="stable")
        weight[known] *= np.exp(acting["shift"] * ndtri((rank + 0.5) / len(known)))
    if "missingness" in acting:
        without, wanted = prior_count == 0, acting["missingness"]
        if without.any() and not without.all():
            weight[without] *= wanted / (1 - wanted) * (~without).sum() / without.sum()
    return weight


def answer(probability: Floats, evidence: Evidence, acting: dict[str, float]) -> Floats:
    """(n,) chance of a call of each lead, once the drifts have changed who answers and how readily."""
    share = acting.get("concept", 0.0)
    probability = (1 - share) * probability + share * np.where(evidence.matched, other_pattern(evidence), probability)
    odds = acting.get("base-rate", 1.0) * probability / (1 - probability)
    return odds / (1 + odds)
