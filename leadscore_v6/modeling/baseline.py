"""The logistic baseline: what a model must beat to deserve its place (R18).

Belongs here: a logit on the same matrix, fitted by scikit-learn, kept as plain numbers, which may be read from a file
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
from leadscore_v6.modeling.features import FeatureSpec, Matrix, fit_features
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Rows


@dataclass(frozen=True)
class Baseline:
    """The fitted baseline as a sum of log-odds.

    number, middle, absent   per numeric feature: log-odds per unit, the value that stands in for a missing one, and
                             what is added when it is missing
    codes                    per category: pairs of code (None: missing) and log-odds; another code adds nothing
    standardised             log-odds per standard deviation of each column of the fit, and `intercept` at their means:
                             the baseline to be read
    """

    spec: FeatureSpec
    intercept: float
    number: Mapping[str, float]
    middle: Mapping[str, float]
    absent: Mapping[str, float]
    codes: Mapping[str, list[list[float | None]]]
    standardised: Mapping[str, float]

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
    def of(cls, content: Mapping[str, Any]) -> Baseline:
        """The inverse of `as_dict`."""
        return cls(**{**content, "spec": FeatureSpec.of(content["spec"])})


def fit_baseline(data: TrainingData, rows: Rows, settings: ModelSettings) -> Baseline:
    """Median and missing flag for numbers, one column per level for categories, standardised, L2."""
    from sklearn.linear_model import LogisticRegression

    frame = data.features.iloc[rows]
    spec = fit_features(frame, data.columns, settings.features.min_level_leads)
    terms, middle = _terms(spec, spec.encode(frame).matrix)
    # float32, the matrix's own: half the memory to go through in every step of the fit, and the fit is nothing else.
    columns = np.empty((len(terms), len(rows)), dtype=np.float32)
    centre, spread = np.empty(len(terms)), np.empty(len(terms))
    for place, term in enumerate(terms):
        values = term.column.astype(np.float64)
        centre[place], spread[place] = values.mean(), values.std() or 1.0
        columns[place] = (values - centre[place]) / spread[place]
    logit = LogisticRegression(C=settings.baseline.C, max_iter=2000).fit(columns.T, data.label[rows])
    slopes, intercept = logit.coef_[0].astype(np.float64), float(logit.intercept_[0])
    number: dict[str, float] = {}
    absent = dict.fromkeys(middle, 0.0)
    codes: dict[str, list[list[float | None]]] = {}
    for term, slope in zip(terms, (slopes / spread).tolist(), strict=True):
        if term.is_value:
            number[term.feature] = slope
        elif term.feature in middle:
            absent[term.feature] = slope
        else:
            codes.setdefault(term.feature, []).append([term.code, slope])
    return Baseline(
        spec=spec,
        intercept=intercept - float((slopes / spread * centre).sum()),
        number=number,
        middle=middle,
        absent=absent,
        codes=codes,
        standardised=dict(zip((term.name for term in terms), slopes.tolist(), strict=True)) | {"intercept": intercept},
    )


@dataclass(frozen=True)
class _Term:
    """A column of the fit: of a feature its value, or whether it is `code` (None: missing)."""

    feature: str
    column: NDArray[Any]
    code: float | None = None
    is_value: bool = False

    @property
    def name(self) -> str:
        if self.is_value:
            return self.feature
        return f"{self.feature} missing" if self.code is None else f"{self.feature} {self.code:g}"


def _terms(spec: FeatureSpec, matrix: Matrix) -> tuple[list[_Term], dict[str, float]]:
    """What each feature gives to the fit, and the median of each number."""
    terms: list[_Term] = []
    middle: dict[str, float] = {}
    for feature, values in zip(spec.features, matrix.T.astype(np.float64), strict=True):
        missing = np.isnan(values)
        if feature.is_category:
            terms += [_Term(feature.name, values == code, float(code)) for code in np.unique(values[~missing])]
        else:
            middle[feature.name] = float(np.median(values[~missing]))
            known = np.where(missing, middle[feature.name], values)
            terms.append(_Term(feature.name, known, is_value=True))
        if missing.any():
            terms.append(_Term(feature.name, missing))
    return terms, middle
