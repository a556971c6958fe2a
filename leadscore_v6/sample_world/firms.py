"""The firms: their size when the world starts, their place, their name, the surplus rows they share advisors by.

Belongs here: what a firm is and who starts where. Does not belong here: moves between firms (panel.py).
Source: real_data_facts: 40,668 firms for 453,261 advisors, largest 25,896 of 494,396 rows, mean 11.65 rows a firm,
3.5-3.6 % surplus rows (advisor x RIA firm), one advisor 51 times at full scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.sample_world.draws import choose, distinct_numbers, share, stream
from leadscore_v6.sample_world.roster import CHAMPION, Roster
from leadscore_v6.sample_world.spec import PUBLISHED, WorldSpec
from leadscore_v6.sample_world.words import FIRM_TRADES, LAST_NAMES, PLACES

PUBLISHED_FIRMS: Final = (40_668, 40_443, 40_628, 41_116, 41_206, 40_901, 41_360, 41_862)
_FIRM_GROWTH: Final = 1.0041
_LARGEST_SHARE: Final = 0.052
_ZIPF: Final = 0.9  # with it the mean is 11 and the largest firm 5 % at the published size
_SINGLES: Final = 0.35  # of the firms are one advisor; not published, small firms are what the leads are about
_RESERVE: Final = 1.6  # unborn firms per firm of the first snapshot: 4 % for each of at most 40 quarters
_CRD_PRIME: Final = 999_983
_SURPLUS: Final = 0.0367  # rows beyond one per advisor, per advisor: 16,659 of 453,261
_SURPLUS_EACH: Final = 1.31  # of those who have any
_MOST_SURPLUS: Final = 50
_SAME_FIRM: Final = 0.10  # of them a second office of the advisor's own firm, so 96.8 % of rows are primary
_SPREAD_SIZE: Final = 150  # firms from this size on have offices all over the country


@dataclass(frozen=True)
class Firms:
    """All firms that ever are. Arrays have one entry a firm; `start` is the size on the first snapshot, 0 if unborn."""

    crd: NDArray[np.int32]
    name: list[str]
    place: NDArray[np.int16]
    spread: NDArray[np.bool_]
    start: NDArray[np.int32]


@dataclass(frozen=True)
class SurplusRows:
    """Rows beyond an advisor's first: `advisor` appears also under `firm`; -1: a second office of the primary firm."""

    advisor: NDArray[np.int32]
    firm: NDArray[np.int32]


def firm_counts(spec: WorldSpec) -> list[int]:
    """How many firms each snapshot should have: the published counts, scaled to `spec.reps`."""
    scale = spec.reps / next(iter(PUBLISHED.values()))
    counts = [max(1, round(firms * scale)) for firms in PUBLISHED_FIRMS[: spec.quarters]]
    while len(counts) < spec.quarters:
        counts.append(max(1, round(counts[-1] * _FIRM_GROWTH)))
    return counts


def draw_firms(spec: WorldSpec) -> Firms:
    """The firms of the first snapshot and a reserve of later ones."""
    rng = stream(spec.seed, "firms")
    born = firm_counts(spec)[0]
    total = born + round(born * _RESERVE) + 20
    start = np.zeros(total, np.int32)
    start[:born] = _sizes(spec.reps, born)
    crd = 100 + distinct_numbers(rng, total, _CRD_PRIME)
    first, second = rng.integers(0, len(LAST_NAMES), (2, total))
    trade = rng.integers(0, len(FIRM_TRADES), total)
    names = [
        f"{LAST_NAMES[a]} & {LAST_NAMES[b]} {FIRM_TRADES[t]}"
        for a, b, t in zip(first.tolist(), second.tolist(), trade.tolist(), strict=True)
    ]
    place = choose(rng, np.array([p.weight for p in PLACES]), total).astype(np.int16)
    return Firms(crd, names, place, start >= _SPREAD_SIZE, start)


def _sizes(advisors: int, firms: int) -> NDArray[np.int32]:
    """Sizes of `firms` firms that add up to `advisors`: a third has one, the others follow a Zipf law."""
    shared = firms - int(_SINGLES * firms)
    weight = np.arange(1, shared + 1, dtype=np.float64) ** -_ZIPF
    weight /= weight.sum()
    if firms > 50:  # with fewer firms the largest must have more than its published share
        weight[0] = min(weight[0], _LARGEST_SHARE)
    size = np.ones(firms, np.int32)
    size[:shared] += np.floor((advisors - firms) * weight / weight.sum()).astype(np.int32)
    left_over = advisors - int(size.sum())
    size[np.arange(left_over) % shared] += 1
    return size


def draw_surplus(spec: WorldSpec, roster: Roster, firms: Firms) -> SurplusRows:
    """Which advisors are registered with further RIA firms: most with one, one with up to fifty."""
    established = np.argsort(-firms.start, kind="stable")[: max(2, int((firms.start > 0).sum()) // 4)]
    most = int(np.clip(spec.reps // 4000, 2, _MOST_SURPLUS))
    advisors, listed = [np.full(most, CHAMPION)], [established[np.arange(most) % len(established)]]
    for quarter in range(spec.quarters):
        rng = stream(spec.seed, "surplus", quarter)
        cohort = np.flatnonzero((roster.entry == quarter) & (np.arange(roster.size) != CHAMPION))
        several = rng.permutation(cohort)[: round(_SURPLUS / _SURPLUS_EACH * len(cohort))]
        extra = np.minimum(rng.geometric(0.8, len(several)) + 3 * share(rng, len(several), 0.02), 8)
        advisor = np.repeat(several, extra)
        firm = established[rng.integers(0, len(established), len(advisor))]
        advisors.append(advisor)
        listed.append(np.where(share(rng, len(advisor), _SAME_FIRM), -1, firm))
    pairs = np.unique(np.stack([np.concatenate(advisors), np.concatenate(listed)]), axis=1)  # once under a firm
    return SurplusRows(pairs[0].astype(np.int32), pairs[1].astype(np.int32))
