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
from leadscore_v6.modeling.features import FeatureSpec, fit_features
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Rows


@dataclass(frozen=True)
class Baseline:
    """A fitted scikit-learn `Pipeline` on the matrix of `spec`."""

    spec: FeatureSpec
    pipeline: Any

    def margin(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """(n,) log-odds."""
        found: NDArray[np.float64] = self.pipeline.decision_function(self.spec.encode(frame).matrix)
        return found

    def coefficients(self) -> dict[str, float]:
        """Log-odds per standard deviation of each column of the pipeline, and `intercept`: the baseline to be read."""
        names = self.pipeline[:-1].get_feature_names_out(np.array(self.spec.names, dtype=object))
        logit = self.pipeline[-1]
        found = dict(zip(map(str, names), map(float, logit.coef_[0]), strict=True))
        return found | {"intercept": float(logit.intercept_[0])}


def fit_baseline(data: TrainingData, rows: Rows, settings: ModelSettings) -> Baseline:
    """Median and missing flag for numbers, one column per level for categories, standardised, L2."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = data.features.iloc[rows]
    spec = fit_features(frame, data.columns, settings.features.min_level_leads)
    categories = [place for place, feature in enumerate(spec.features) if feature.is_category]
    numeric = [place for place, feature in enumerate(spec.features) if not feature.is_category]
    known = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    levels = make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), StandardScaler())
    pipeline = make_pipeline(
        make_column_transformer((known, numeric), (levels, categories)),
        LogisticRegression(C=settings.baseline.C, max_iter=2000),
    )
    pipeline.fit(spec.encode(frame).matrix, data.label[rows])
    return Baseline(spec, pipeline)
