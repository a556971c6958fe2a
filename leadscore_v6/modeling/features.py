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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.data import FeatureColumn

Matrix = NDArray[np.float32]
OTHER: Final = "other"


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
    low: float = math.nan
    high: float = math.nan
    missing: float = 0.0

    @property
    def is_category(self) -> bool:
        """Whether codes stand for levels."""
        return self.type == "STRING"


@dataclass(frozen=True)
class Encoded:
    """A matrix, and per feature name how many values were missing, unseen, or out of training's range."""

    matrix: Matrix
    missing: dict[str, int]
    unseen: dict[str, int]
    out_of_range: dict[str, int]


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
    def digest(self) -> str:
        """SHA-256 of everything that decides what a value becomes."""
        text = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def encode(self, frame: pd.DataFrame) -> Encoded:
        """(n, p) matrix of `frame`, whose columns may be more and in any order.

        Raises InputError naming the column if one is not there, is of another type than in training, or is infinite.
        """
        raise NotImplementedError

    def encode_lead(self, lead: Mapping[str, Any]) -> tuple[Matrix, tuple[str, ...]]:
        """(1, p) matrix of one lead, bit-equal to its row in `encode`, and the names of the unseen levels' features."""
        raise NotImplementedError

    def keep(self, names: Sequence[str], reason: str) -> FeatureSpec:
        """The same with only `names`; the others are dropped for `reason`."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"features": [asdict(feature) for feature in self.features], "dropped": self.dropped}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> FeatureSpec:
        """The inverse of `as_dict`."""
        raise NotImplementedError


def fit_features(frame: pd.DataFrame, columns: Sequence[FeatureColumn], min_level_leads: int) -> FeatureSpec:
    """Freeze levels and ranges on one training window; drop all-NULL and constant columns, each with a reason.

    Raises InputError naming the column: another type than the contract says, an infinite value, no usable feature.
    """
    raise NotImplementedError
