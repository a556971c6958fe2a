"""The model object: a scikit-learn classifier that also says how sure, why, and what it had to assume.

Belongs here: scoring one lead and many, and coming apart into plain parts and together again. Does not belong here:
files, manifests, digests of files (artifacts), look-up of leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.modeling.booster import FittedModel
from leadscore_v6.modeling.calibrated import Calibration
from leadscore_v6.modeling.explain import Reason, Words


@dataclass(frozen=True)
class ModelParts:
    """A model taken apart: XGBoost's own format, and everything else as plain JSON data (R24)."""

    booster: bytes
    document: dict[str, Any]


@dataclass(frozen=True)
class Provenance:
    """What a score came from, as SHA-256 hex digests: booster and calibrator, training set, feature encoding."""

    model: str
    dataset: str
    features: str


@dataclass(frozen=True)
class LeadScore:
    """One scored lead.

    probability  of a call within the label window, calibrated
    rank         1 to 100, 100 best: percentile among the scores of the calibration block
    reasons      largest contributions first; empty where none were asked for
    warnings     in words: a feature missing that training nearly always had, out of training's range, unseen
    """

    probability: float
    rank: int
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]
    provenance: Provenance


class LeadScorer:
    """A calibrated model that behaves as a fitted scikit-learn classifier.

    classes_ (0, 1), n_features_in_, feature_names_in_, get_feature_names_out(), predict_proba(X), predict(X).
    """

    classes_: NDArray[np.int64]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    provenance: Provenance

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """(n, 2) probabilities of classes 0 and 1."""
        raise NotImplementedError

    def predict(self, X: pd.DataFrame) -> NDArray[np.int64]:  # noqa: N803 - scikit-learn's name
        """(n,) class by the threshold 0.5, as scikit-learn has it. A ranking is what the scores are for."""
        raise NotImplementedError

    def get_feature_names_out(self) -> NDArray[np.object_]:
        """The features in matrix order."""
        raise NotImplementedError

    def score_lead(self, lead: Mapping[str, Any], *, reasons: int = 0) -> LeadScore:
        """One lead, by feature name; the fast path, on one thread. `reasons` > 0 costs their contributions."""
        raise NotImplementedError

    def score_leads(self, frame: pd.DataFrame, *, reasons: int = 0) -> pd.DataFrame:
        """Many leads: columns probability, rank, reasons, warnings (lists), in the order of `frame`.

        Bit-equal to `score_lead` of each.
        """
        raise NotImplementedError

    def to_parts(self) -> ModelParts:
        """Everything that `from_parts` needs."""
        raise NotImplementedError

    @classmethod
    def from_parts(cls, parts: ModelParts, words: Words, contract_version: str) -> LeadScorer:
        """Put together again. Call it on verified bytes only.

        Raises InputError if the model was made under another contract version, by another major of xgboost, or its
        parts do not belong together.
        """
        raise NotImplementedError


def build_scorer(
    model: FittedModel, calibration: Calibration, words: Words, *, dataset: str, contract_version: str
) -> LeadScorer:
    """The model that ships: what was validated is what ships (R17). `dataset` is the training set's content digest."""
    raise NotImplementedError
