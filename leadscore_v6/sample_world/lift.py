"""The true lift of a played experiment: what an estimate is printed beside (R41).

Belongs here: expectations under the true probabilities. Does not belong here: any estimate. Only the command line and
the tests ask for it; the pipeline never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leadscore_v6.errors import UsageError


@dataclass(frozen=True)
class TrueLift:
    """Expected MQLs per dial within 30 days, by arm, and the lift of treatment over control (0.5: half as many again).

    `full_adoption` is the lift if every associate had followed the published order.
    """

    treatment: float
    control: float
    dials: dict[str, int]
    full_adoption: float

    @property
    def lift(self) -> float:
        """Of the leads that were dialled."""
        return self.treatment / self.control - 1


def true_lift(truth: Path) -> TrueLift:
    """Of all weeks that were dialled by arms, from the true probabilities in a world's truth folder.

    Raises UsageError if no lead of one of the arms was dialled.
    """
    path = truth / "played_queue.csv"
    if not path.is_file():
        raise UsageError(f"{truth} knows of no played week: play the world with `leadscore play` first.")
    queued = pd.read_csv(path, keep_default_na=False)
    dialled = {arm: queued[(queued["arm"] == arm) & (queued["dialled"] == 1)] for arm in ("treatment", "control")}
    for arm, rows in dialled.items():
        if rows.empty:
            raise UsageError(f"no lead of the {arm} arm was dialled in {path}: no queue has been played yet.")
    rate = {arm: float(rows["probability"].mean()) for arm, rows in dialled.items()}
    followed = queued[(queued["arm"] == "treatment") & (queued["followed"] == 1)]
    return TrueLift(
        treatment=rate["treatment"],
        control=rate["control"],
        dials={arm: len(rows) for arm, rows in dialled.items()},
        full_adoption=float(followed["probability"].mean()) / rate["control"] - 1,
    )
