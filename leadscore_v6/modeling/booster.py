"""XGBoost on one training window: rounds chosen on its end, features kept that are of use there, then fitted on all of it.

Belongs here: fitting, margins, contributions of a booster. Does not belong here: probabilities (`calibration.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.features import FeatureSpec, Matrix
from leadscore_v6.modeling.importance import Importance
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedModel:
    """A booster with the features that it was fitted on.

    booster      XGBoost's own format (UBJSON)
    rounds       trees, as chosen on the end of the training window
    validation   the rows that chose them, and `validation_average_precision` there
    selection    mean |SHAP| on those rows of every feature of the window, used or not
    trained_on   rows of the `TrainingData`
    """

    spec: FeatureSpec
    booster: bytes
    rounds: int
    trained_on: Rows
    validation: Rows
    validation_average_precision: float
    selection: tuple[Importance, ...]

    def margin(self, frame: pd.DataFrame) -> Floats:
        """(n,) raw log-odds, one thread."""
        raise NotImplementedError

    def contributions(self, matrix: Matrix) -> Floats:
        """(n, p + 1) contributions to the margin, the last column the base value; rows sum to the margin."""
        raise NotImplementedError


def fit(data: TrainingData, rows: Rows, settings: ModelSettings) -> FittedModel:
    """Fit on `rows`, on one thread: the same rows and settings give the same bytes on any number of cores.

    Raises InputError if the end of the window that chooses the rounds, or what comes before it, has too few positives.
    """
    raise NotImplementedError
