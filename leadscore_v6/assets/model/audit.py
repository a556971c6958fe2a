"""What the gates ask of a candidate folder, found out from its files alone: it is read back, not believed.

Belongs here: figures that hold what was written against what was computed. Does not belong here: thresholds.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadscore_v6.artifacts.manifest import MANIFEST, unverified
from leadscore_v6.artifacts.models import load_scorer, load_trained
from leadscore_v6.assets.model.data import contract_version
from leadscore_v6.contracts import contract, pii_droplist
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.evaluation import ScoredLeads
from leadscore_v6.modeling.explain import Words
from leadscore_v6.modeling.training import Training

__all__ = [
    "leads_in_two_blocks",
    "manifest_of",
    "scores_differing",
    "split_figures",
    "trained_figures",
    "unverified",
]


def manifest_of(folder: Path) -> str:
    """SHA-256 of the manifest that was just written."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def trained_figures(folder: Path, version: str, data: TrainingData, training: Training) -> dict[str, int]:
    """`scores_differing`: holdout leads that the model read back scores otherwise; `features_not_allowed`."""
    loaded = load_trained(folder, manifest_of(folder), version, data)
    again = loaded.model.margin(data.features.iloc[loaded.split.holdout])
    order = json.loads((folder / f"feature_order_v6_{version}.json").read_text(encoding="utf-8"))
    allowed = {name.lower() for name in contract("training").with_role("feature")}
    dropped = {name.lower() for name in pii_droplist()}
    columns = [name.lower() for name in (*order, *loaded.model.spec.names)]
    return {
        "scores_differing": int((again != training.holdout_scored.score).sum()),
        "features_not_allowed": sum(name not in allowed or name in dropped for name in columns),
    }


def split_figures(folder: Path, version: str, data: TrainingData, training: Training) -> dict[str, int]:
    """`window_overlaps` and `advisors_on_both_sides`, from the lead Ids that were written (R16).

    Over the three blocks, and over the folds that are blocks of time: random ones overlap by their nature, and
    `random_folds` tells of them. A training lead overlaps when the 30 days after its dial are not over before the
    first contact of the leads that it is judged by.
    """
    written = _written(folder, version)
    told = {"contact": data.contact, "dialled": data.dialled, "advisor": data.advisors}
    leads = pd.DataFrame(told, index=pd.Index(data.lead_ids))
    sides = [
        (written["training"], written["calibration"] + written["holdout"]),
        (written["calibration"], written["holdout"]),
    ]
    for number, fold in enumerate(training.folds, start=1):
        if fold.block.method == "blocked_time_series":
            sides.append((written[f"fold_{number}"]["train"], written[f"fold_{number}"]["test"]))
    overlaps = crossing = 0
    for before, after in sides:
        earlier, later = leads.loc[before], leads.loc[after]
        overlaps += int((earlier["dialled"] + pd.Timedelta(days=_LABEL_WINDOW_DAYS) >= later["contact"].min()).sum())
        crossing += int(earlier["advisor"].isin(later["advisor"]).sum())
    return {"window_overlaps": overlaps, "advisors_on_both_sides": crossing}


def leads_in_two_blocks(folder: Path, version: str) -> int:
    """Leads that are in more than one of training, calibration and holdout (R19)."""
    written = _written(folder, version)
    together = [lead for block in ("training", "calibration", "holdout") for lead in written[block]]
    return len(together) - len(set(together))


def scores_differing(folder: Path, version: str, data: TrainingData, judged: ScoredLeads, words: Words) -> int:
    """Holdout leads that the scorer read back gives another probability than the one that was judged."""
    scorer = load_scorer(folder, manifest_of(folder), version, words, contract_version())
    again = scorer.predict_proba(data.features.iloc[judged.rows])[:, 1]
    return int((np.asarray(again) != judged.score).sum())


def _written(folder: Path, version: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"cv_fold_indices_v6_{version}.json").read_text(encoding="utf-8"))
    return content


# A call within this many days of the dial is a conversion (plan, step 3.2).
_LABEL_WINDOW_DAYS = 30
