"""The feature matrix: numbers as they are, categories as codes that training froze.

Belongs here: what a `FeatureSpec` remembers of its training window, and encoding by it, of a frame and of one lead.
Does not belong here: which columns are features (the contract), which are left out for want of use (`selection`).

Matrix: float32, NaN = missing (NULL). A category is the position of its level among the frozen ones, the last code is
"other" (the rare levels of training); an unseen level is missing, and counted.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.columns import FeatureColumn, number, numbers, other_type, places

Matrix = NDArray[np.float32]
OTHER: Final = "other"
# Why a column that holds nothing is dropped.
NULL_THROUGHOUT: Final = "NULL for all training leads"


@dataclass(frozen=True)
class Feature:
    """One column of the matrix.

    `levels` are the frozen levels of a category (empty: a number); `grouped` the rare ones that became "other";
    `low` and `high` the range of training (of a number). `missing` is its share of NULLs in training.
    """

    name: str
    type: str
    levels: tuple[str, ...] = ()
    grouped: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    missing: float = 0.0

    @property
    def is_category(self) -> bool:
        """Whether codes stand for levels."""
        return self.type == "STRING"

    @cached_property
    def codes(self) -> dict[str, float]:
        """Level → code; the rare ones share the code after the last level."""
        codes = {level: float(code) for code, level in enumerate(self.levels)}
        return codes | dict.fromkeys(self.grouped, float(len(self.levels)))


@dataclass(frozen=True)
class Encoded:
    """A matrix, and per feature name the rows whose level was unseen. Missing values are the matrix's NaN."""

    matrix: Matrix
    unseen: dict[str, NDArray[np.intp]]

    @property
    def unseen_counts(self) -> dict[str, int]:
        """How many leads had a level that training did not know, by feature; only features with any."""
        return {name: len(rows) for name, rows in self.unseen.items()}


@dataclass(frozen=True)
class FeatureSpec:
    """The columns of the matrix in order, and what was dropped, each with its reason."""

    features: tuple[Feature, ...]
    dropped: dict[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names in matrix order: `feature_order_v6_….json`."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def types(self) -> list[str]:
        """XGBoost's feature types: `c` for categories, `q` for numbers."""
        return ["c" if feature.is_category else "q" for feature in self.features]

    @cached_property
    def _plan(self) -> tuple[tuple[str, dict[str, float] | None], ...]:
        """Per feature its name, and the codes of a category."""
        return tuple((feature.name, feature.codes if feature.is_category else None) for feature in self.features)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that decides what a value becomes."""
        text = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def encode(self, frame: pd.DataFrame) -> Encoded:
        """(n, p) matrix of `frame`, whose columns may be more and in any order.

        Raises InputError naming the column if one is not there, is of another type than in training, or is infinite.
        """
        # Filled column by column, turned at the end: many short strides would cost five times as much.
        columns = np.empty((len(self.features), len(frame)), dtype=np.float32)
        unseen: dict[str, NDArray[np.intp]] = {}
        for place, feature in enumerate(self.features):
            if feature.name not in frame.columns:
                raise InputError(_NOT_THERE, column=feature.name, remedy=_SAME_COLUMNS)
            if feature.is_category:
                codes, strange = _codes(frame[feature.name], feature)
                columns[place] = codes
                if len(strange):
                    unseen[feature.name] = strange
            else:
                columns[place] = numbers(frame[feature.name], feature.name)
        return Encoded(np.ascontiguousarray(columns.T), unseen)

    def encode_lead(self, lead: Mapping[str, Any]) -> tuple[Matrix, tuple[str, ...]]:
        """(1, p) matrix of one lead, bit-equal to its row in `encode`, and the features whose level was unseen.

        A feature that the lead does not name at all is an error; one that it names as None is missing.
        """
        row: list[float] = []
        unseen: list[str] = []
        for name, codes in self._plan:
            try:
                value = lead[name]
            except KeyError:
                raise InputError(_NOT_THERE, column=name, remedy=_SAME_COLUMNS) from None
            if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN is not itself
                row.append(math.nan)
            elif codes is None:
                row.append(number(value, name))
            else:
                if not isinstance(value, str):
                    raise other_type(name, "text", type(value).__name__)
                code = codes.get(value)
                if code is None:
                    unseen.append(name)
                    code = math.nan
                row.append(code)
        return np.array([row], dtype=np.float32), tuple(unseen)

    def keep(self, names: Collection[str], reason: str) -> FeatureSpec:
        """The same with only `names`; the others are dropped for `reason`."""
        kept = tuple(feature for feature in self.features if feature.name in names)
        gone = {feature.name: reason for feature in self.features if feature.name not in names}
        return FeatureSpec(kept, self.dropped | gone)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"features": [asdict(feature) for feature in self.features], "dropped": self.dropped}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> FeatureSpec:
        """The inverse of `as_dict`."""
        features = tuple(
            Feature(**(entry | {"levels": tuple(entry["levels"]), "grouped": tuple(entry["grouped"])}))
            for entry in content["features"]
        )
        return cls(features, dict(content["dropped"]))


def fit_features(frame: pd.DataFrame, columns: Sequence[FeatureColumn], min_level_leads: int) -> FeatureSpec:
    """Freeze levels and ranges on one training window; drop all-NULL and constant columns, each with a reason.

    Raises InputError naming the column: another type than the contract says, an infinite value, no usable feature.
    """
    kept: list[Feature] = []
    dropped: dict[str, str] = {}
    for column in columns:
        fitted = (_category if column.type == "STRING" else _numeric)(frame[column.name], column, min_level_leads)
        if isinstance(fitted, str):
            dropped[column.name] = fitted
        else:
            kept.append(fitted)
    if not kept:
        raise InputError("No feature is of any use: all are NULL or constant in the training leads.")
    return FeatureSpec(tuple(kept), dropped)


def _codes(column: pd.Series[Any], feature: Feature) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    at, levels = places(column, feature.name)
    # The last of the table is for −1: missing.
    codes = np.array([*(feature.codes.get(level, np.nan) for level in levels), np.nan])[at]
    return codes, np.flatnonzero(np.isnan(codes) & (at >= 0))


def _category(column: pd.Series[Any], of: FeatureColumn, min_level_leads: int) -> Feature | str:
    at, texts = places(column, of.name)
    counts = dict(zip(texts, np.bincount(at[at >= 0], minlength=len(texts)).tolist(), strict=True))
    if not counts:
        return NULL_THROUGHOUT
    levels = tuple(sorted(level for level, count in counts.items() if count >= min_level_leads))
    grouped = tuple(sorted(level for level, count in counts.items() if count < min_level_leads))
    missing = float((at < 0).mean())
    if len(levels) + bool(grouped) < 2 and not missing:
        return f"the same for all training leads (levels below {min_level_leads} leads are one)"
    return Feature(of.name, of.type, levels, grouped, missing=missing)


def _numeric(column: pd.Series[Any], of: FeatureColumn, _min_level_leads: int) -> Feature | str:
    values = numbers(column, of.name)
    known = values[~np.isnan(values)]
    if not len(known):
        return NULL_THROUGHOUT
    low, high = float(known.min()), float(known.max())
    missing = 1 - len(known) / len(values)
    if low == high and not missing:
        return f"{low:g} for all training leads"
    return Feature(of.name, of.type, low=low, high=high, missing=missing)


_NOT_THERE: Final = "A feature of the model is not there."
_SAME_COLUMNS: Final = "bring the columns that the model was trained on, NULL where a value is not known"
