"""The logistic baseline: what a model must beat to deserve its place (R18).

Belongs here: a scikit-learn pipeline on the same matrix. Does not belong here: the comparison (`evaluation.compare`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.features import FeatureSpec
from leadscore_v6.modeling.settings import BaselineSettings
from leadscore_v6.modeling.splits import Rows


@dataclass(frozen=True)
class Baseline:
    """A fitted scikit-learn `Pipeline` on the matrix of `spec`."""

    spec: FeatureSpec
    pipeline: Any

    def margin(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """(n,) log-odds."""
        raise NotImplementedError


def fit_baseline(data: TrainingData, rows: Rows, spec: FeatureSpec, settings: BaselineSettings) -> Baseline:
    """Median and missing flag for numbers, one column per level for categories, standardised, L2."""
    raise NotImplementedError
