"""Who is on which snapshot: advisors enter, leave, and now and then are missing for one quarter.

Belongs here: presence. Does not belong here: what the advisors are like.
Source: real_data_facts, "The feed": about 69 k enter and 46 k leave in 21 months among 453 k (1.4 % a quarter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.sample_world.draws import stream
from leadscore_v6.sample_world.spec import WorldSpec

_LEAVE_RATE: Final = 0.0142  # 45,569 of 453,261 over seven quarters
CHAMPION: Final = 0  # never leaves: the advisor with the most rows, whom every file should have (firms.py)
_GAP_RATE: Final = 0.003  # absent from one snapshot and back on the next: R2's "that has the advisor"


@dataclass(frozen=True)
class Roster:
    """Presence of every advisor who is ever there.

    entry      (n,) index of the first snapshot of each advisor, ascending
    present    (quarters, n) on that snapshot
    last_seen  (quarters, n) index of the latest snapshot up to that one that has the advisor, -1 if none
    """

    entry: NDArray[np.int16]
    present: NDArray[np.bool_]
    last_seen: NDArray[np.int16]

    @property
    def size(self) -> int:
        """Number of advisors over all snapshots."""
        return len(self.entry)


def draw_roster(spec: WorldSpec) -> Roster:
    """Presence with exactly `spec.head_counts` advisors on each snapshot."""
    active = np.arange(spec.head_counts[0], dtype=np.int32)
    entry = [np.zeros(len(active), np.int16)]
    on_snapshot = [active]
    size = len(active)
    for quarter, head_count in enumerate(spec.head_counts[1:], start=1):
        rng = stream(spec.seed, "roster", quarter)
        gaps = round(_GAP_RATE * head_count)
        stay = rng.permutation(active[1:])[round(_LEAVE_RATE * len(active)) :][: head_count + gaps - 1]
        away = stay[:gaps]
        new = np.arange(size, size + head_count + gaps - 1 - len(stay), dtype=np.int32)
        active = np.concatenate([[CHAMPION], np.sort(stay), new]).astype(np.int32)
        on_snapshot.append(np.setdiff1d(active, away, assume_unique=True))
        entry.append(np.full(len(new), quarter, np.int16))
        size += len(new)
    present = np.zeros((spec.quarters, size), bool)
    for quarter, advisors in enumerate(on_snapshot):
        present[quarter, advisors] = True
    seen = np.where(present, np.arange(spec.quarters, dtype=np.int16)[:, None], np.int16(-1))
    return Roster(np.concatenate(entry), present, np.maximum.accumulate(seen, axis=0))
