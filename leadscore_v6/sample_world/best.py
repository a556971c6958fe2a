"""What a perfect model would have reached: the true probabilities, judged on the leads that a model was judged on.

Belongs here: the comparison of `leadscore demo` (R41). Only the command line asks for it; the pipeline never does.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world.figures import average_precision


def best_possible(truth: Path, lead_ids: Collection[str]) -> float:
    """Average precision of the true probabilities on these leads, against what was drawn from them.

    Raises UsageError when a lead is not of the world that wrote `truth`.
    """
    frame = pd.read_csv(truth, usecols=["Id", "probability", "label"]).set_index("Id")
    wanted = pd.Index(sorted(lead_ids))
    strangers = wanted.difference(frame.index)
    if len(strangers):
        raise UsageError(f"{len(strangers):,} of {len(wanted):,} leads are not in {truth}: it is of another world.")
    judged = frame.loc[wanted]
    return average_precision(judged["probability"].to_numpy(float), judged["label"].to_numpy(bool))
