"""The logistic baseline: what a model must beat to deserve its place (R18).

Belongs here: a scikit-learn pipeline on the same matrix, and the same as plain numbers, which may be read from a file
(R24). Does not belong here: the comparison (`evaluation.compare`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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

    def plain(self) -> PlainBaseline:
        """The same as one sum of plain numbers; margins agree to rounding."""
        columns, logit = self.pipeline[0], self.pipeline[-1]
        slopes, intercept = logit.coef_[0], float(logit.intercept_[0])
        (known, numeric), (levels, categories) = [
            (pipeline, list(places)) for name, pipeline, places in columns.transformers_ if name != "remainder"
        ]
        number, middle, absent, codes = {}, {}, {}, {}
        names, at = self.spec.names, 0
        if numeric:
            imputer, scaler = known[0], known[1]
            per_unit = slopes[: len(scaler.scale_)] / scaler.scale_
            intercept -= float((per_unit * scaler.mean_).sum())
            at = len(per_unit)
            flags = dict(zip(imputer.indicator_.features_.tolist(), per_unit[len(numeric) :], strict=True))
            for place, column in enumerate(numeric):
                number[names[column]] = float(per_unit[place])
                middle[names[column]] = float(imputer.statistics_[place])
                absent[names[column]] = float(flags.get(place, 0.0))
        if categories:
            encoder, scaler = levels[0], levels[1]
            per_unit = slopes[at:] / scaler.scale_
            intercept -= float((per_unit * scaler.mean_).sum())
            start = 0
            for column, known_codes in zip(categories, encoder.categories_, strict=True):
                effects = per_unit[start : start + len(known_codes)]
                codes[names[column]] = [
                    [None if np.isnan(code) else float(code), float(effect)]
                    for code, effect in zip(known_codes, effects, strict=True)
                ]
                start += len(known_codes)
        return PlainBaseline(self.spec, intercept, number, middle, absent, codes)


@dataclass(frozen=True)
class PlainBaseline:
    """The fitted baseline as a sum of log-odds.

    number, middle, absent   per numeric feature: log-odds per unit, the value that stands in for a missing one, and
                             what is added when it is missing
    codes                    per category: pairs of code (None: missing) and log-odds; another code adds nothing
    """

    spec: FeatureSpec
    intercept: float
    number: Mapping[str, float]
    middle: Mapping[str, float]
    absent: Mapping[str, float]
    codes: Mapping[str, list[list[float | None]]]

    def probability(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """(n,) probability, not calibrated. `frame` has the features in any order, more columns allowed."""
        from scipy.special import expit

        found: NDArray[np.float64] = expit(self.margin(frame))
        return found

    def margin(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """(n,) log-odds."""
        matrix = self.spec.encode(frame).matrix
        total = np.full(len(frame), self.intercept)
        for place, name in enumerate(self.spec.names):
            # The pipeline computed in the matrix's own precision up to here.
            values = matrix[:, place].astype(np.float64)
            missing = np.isnan(values)
            if name in self.number:
                total += self.number[name] * np.where(missing, self.middle[name], values) + self.absent[name] * missing
            else:
                for code, effect in self.codes[name]:
                    total += np.float64(effect) * (missing if code is None else values == code)
        return total

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self) | {"spec": self.spec.as_dict()}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> PlainBaseline:
        """The inverse of `as_dict`."""
        return cls(**{**content, "spec": FeatureSpec.of(content["spec"])})


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
