"""Plan step 4.3: the calibrator, and whether the probabilities hold on the holdout.

Belongs here: the order of things in step 4.3. Does not belong here: Platt (`calibration.py`), ECE (`reliability.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.modeling.booster import FittedModel
from leadscore_v6.modeling.calibration import Calibrator
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.evaluation import Evaluation, ScoredLeads
from leadscore_v6.modeling.importance import Importance
from leadscore_v6.modeling.reliability import Reliability
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import FinalSplit


@dataclass(frozen=True)
class Calibration:
    """Outcome of step 4.3. `holdout.score` are probabilities, `segments` their segments (R19).

    `before` judges the raw sigmoid of the margin, `after` the calibrated probabilities, both on the holdout;
    `importance_*` are mean |SHAP| in log-odds before and after (a global slope scales, segments reweigh).
    `reference` are the sorted probabilities of the calibration block: a score's rank is its percentile among them.
    """

    calibrator: Calibrator
    before: Reliability
    after: Reliability
    by_segment: dict[str, Reliability]
    holdout: ScoredLeads
    segments: NDArray[np.object_]
    evaluation: Evaluation
    importance_before: tuple[Importance, ...]
    importance_after: tuple[Importance, ...]
    reference: NDArray[np.float64]

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 4.3 read; None is not judgeable.

        ece, worst_segment_ece (the plan's two; segments with too few positives for an interval are shown, and do not
        count); null_ece_p95, ece_beyond_null (ece − null_ece_p95), expected_observed_low/high, slope_low/high,
        brier_skill_low, segments_on_global.
        """
        raise NotImplementedError


def calibrate(data: TrainingData, split: FinalSplit, model: FittedModel, settings: ModelSettings) -> Calibration:
    """Step 4.3: fit on the calibration block, judge on the holdout.

    Raises InputError if the model was trained on any lead or advisor of either, or after them.
    """
    raise NotImplementedError


def subgroups(
    calibration: Calibration, data: TrainingData, column: str, settings: ModelSettings
) -> dict[str, tuple[Evaluation, Reliability]]:
    """The holdout by the values of a feature column (numbers: known quartiles): the model card's table."""
    raise NotImplementedError
