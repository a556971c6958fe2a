"""The model object: a scikit-learn classifier that also says how sure, why, and what it had to assume.

Belongs here: scoring one lead and many, and coming apart into plain parts and together again. Does not belong here:
files, manifests, digests of files (artifacts), look-up of leads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.modeling.booster import FittedModel, contributions, load, margins
from leadscore_v6.modeling.calibrated import Calibration
from leadscore_v6.modeling.calibration import Calibrator
from leadscore_v6.modeling.data import UNKNOWN
from leadscore_v6.modeling.explain import Reason, Words, reasons
from leadscore_v6.modeling.features import Encoded, FeatureSpec, Matrix

FORMAT: Final = 1  # of `ModelParts.document`; another one is refused
_NEARLY_ALWAYS: Final = 0.02  # a feature whose missing share was below this in training is missed when it is missing

Floats = NDArray[np.float64]


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


@dataclass(frozen=True)
class _Content:
    """What a scorer is made of; see `ModelParts` for how it travels."""

    booster: bytes
    spec: FeatureSpec
    calibrator: Calibrator
    cuts: tuple[float, ...]
    dataset: str
    contract_version: str
    xgboost: str

    def document(self) -> dict[str, Any]:
        """Everything but the booster, as plain JSON data, with the booster's digest."""
        return {
            "format": FORMAT,
            "booster_sha256": hashlib.sha256(self.booster).hexdigest(),
            "features": self.spec.as_dict(),
            "calibrator": self.calibrator.as_dict(),
            "rank_cuts": list(self.cuts),
            "dataset": self.dataset,
            "contract_version": self.contract_version,
            "xgboost": self.xgboost,
        }


class LeadScorer:
    """A calibrated model that behaves as a fitted scikit-learn classifier.

    classes_ (0, 1), n_features_in_, feature_names_in_, get_feature_names_out(), predict_proba(X), predict(X). X is a
    frame with the model's features and `segment_column`, in any order, more columns allowed.
    """

    def __init__(self, content: _Content, words: Words) -> None:
        """Made by `build_scorer` and `LeadScorer.from_parts`."""
        words.require(content.spec.names)
        self._content, self._words = content, words
        self.classes_ = np.array([0, 1])
        self.feature_names_in_ = np.array(content.spec.names, dtype=object)
        self.n_features_in_ = len(content.spec.names)
        self.segment_column = content.calibrator.segment_column
        text = json.dumps(content.document(), sort_keys=True, ensure_ascii=False)
        self.provenance = Provenance(
            model=hashlib.sha256(text.encode()).hexdigest(), dataset=content.dataset, features=content.spec.digest
        )
        self._cuts = np.array(content.cuts)
        self._single = load(content.booster, threads=1)

    def fit(self, X: pd.DataFrame, y: Any) -> LeadScorer:  # noqa: ARG002, N803 - scikit-learn's
        """Refused: what was validated is what ships (R17)."""
        raise UsageError("A model that ships is not fitted again: train a new one (`leadscore train`).")

    def predict_proba(self, X: pd.DataFrame) -> Floats:  # noqa: N803 - scikit-learn's name
        """(n, 2) probabilities of classes 0 and 1."""
        positive = self._probability(self._content.spec.encode(X).matrix, self._segments(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: pd.DataFrame) -> NDArray[np.int64]:  # noqa: N803 - scikit-learn's name
        """(n,) class by the threshold 0.5, as scikit-learn has it. A ranking is what the scores are for."""
        found: NDArray[np.int64] = self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]
        return found

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's
        """The features in matrix order."""
        return self.feature_names_in_

    def score_lead(self, lead: Mapping[str, Any], *, reasons: int = 0) -> LeadScore:
        """One lead, by feature name; the fast path, on one thread. `reasons` > 0 costs their contributions.

        Raises InputError for a feature that is not there (None is missing, and fine), of another type, or infinite.
        """
        from scipy.special import expit

        row, unseen = self._content.spec.encode_lead(lead)
        segment = self._segment(lead)
        platt = self._content.calibrator.platt(segment)
        margin = float(self._single.inplace_predict(row, predict_type="margin")[0])
        probability = float(expit(platt.slope * margin + platt.intercept))
        found: tuple[Reason, ...] = ()
        if reasons:
            shap = contributions(self._single, self._content.spec, row)
            found = self._reasons(shap[0] * platt.slope, lead, reasons)
        return LeadScore(
            probability=probability,
            rank=int(self._cuts.searchsorted(probability, side="right")) + 1,
            reasons=found,
            warnings=self._warnings(row, unseen, segment),
            provenance=self.provenance,
        )

    def score_leads(self, frame: pd.DataFrame, *, reasons: int = 0) -> pd.DataFrame:
        """Many leads: columns probability, rank, reasons, warnings (tuples), with the order and index of `frame`.

        Bit-equal to `score_lead` of each. Uses all cores.
        """
        encoded, segments = self._content.spec.encode(frame), self._segments(frame)
        probability = self._probability(encoded.matrix, segments)
        said = np.full(len(frame), None, dtype=object)
        said[:] = [()] * len(frame)
        if reasons:
            shap = contributions(self._many, self._content.spec, encoded.matrix)
            scaled = shap * self._content.calibrator.lines(segments)[0][:, None]
            leads = frame[list(self._content.spec.names)].to_dict("records")
            said[:] = [self._reasons(one, lead, reasons) for one, lead in zip(scaled, leads, strict=True)]
        columns = {
            "probability": probability,
            "rank": self._cuts.searchsorted(probability, side="right") + 1,
            "reasons": said,
            "warnings": self._all_warnings(encoded, segments),
        }
        return pd.DataFrame(columns, index=frame.index)

    @property
    def missing_shares(self) -> dict[str, float]:
        """Share of training leads of whom each feature was not known."""
        return {feature.name: feature.missing for feature in self._content.spec.features}

    def to_parts(self) -> ModelParts:
        """Everything that `from_parts` needs."""
        return ModelParts(self._content.booster, self._content.document())

    @classmethod
    def from_parts(cls, parts: ModelParts, words: Words, contract_version: str) -> LeadScorer:
        """Put together again. Call it on verified bytes only.

        Raises InputError if the model was made under another contract version, by another major of xgboost, or its
        parts do not belong together.
        """
        import xgboost

        document = parts.document
        if document.get("format") != FORMAT:
            raise InputError(f"The model has format {document.get('format')}, this program reads {FORMAT}.")
        if hashlib.sha256(parts.booster).hexdigest() != document["booster_sha256"]:
            raise InputError("The model's booster is not the one that its document describes.", remedy=_AGAIN)
        if document["contract_version"] != contract_version:
            raise InputError(
                f"The model was trained on contract version {document['contract_version']}, the training contract "
                f"is version {contract_version}.",
                remedy=_AGAIN,
            )
        if document["xgboost"].split(".")[0] != xgboost.__version__.split(".")[0]:
            raise InputError(
                f"The model was made with xgboost {document['xgboost']}; this is {xgboost.__version__}.", remedy=_AGAIN
            )
        content = _Content(
            booster=parts.booster,
            spec=FeatureSpec.of(document["features"]),
            calibrator=Calibrator.of(document["calibrator"]),
            cuts=tuple(document["rank_cuts"]),
            dataset=document["dataset"],
            contract_version=document["contract_version"],
            xgboost=document["xgboost"],
        )
        return cls(content, words)

    @cached_property
    def _many(self) -> Any:
        """The booster on all cores, for batches."""
        return load(self._content.booster, threads=0)

    def _probability(self, matrix: Matrix, segments: NDArray[np.object_]) -> Floats:
        return self._content.calibrator.probability(margins(self._many, matrix), segments)

    def _segment(self, lead: Mapping[str, Any]) -> str:
        if self.segment_column not in lead:
            raise InputError("The column that segments leads is not there.", column=self.segment_column)
        value = lead[self.segment_column]
        return value if isinstance(value, str) else UNKNOWN

    def _segments(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        if self.segment_column not in frame.columns:
            raise InputError("The column that segments leads is not there.", column=self.segment_column)
        values = frame[self.segment_column].astype(object)
        segments: NDArray[np.object_] = values.where(values.notna(), UNKNOWN).to_numpy(dtype=object)
        return segments

    def _reasons(self, shap: Floats, lead: Mapping[str, Any], top: int) -> tuple[Reason, ...]:
        return reasons(self._content.spec.names, shap[:-1].tolist(), lead, self._words, top)

    @cached_property
    def _limits(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """(p,) lowest and highest value of training (of a category: none), and which features it nearly always had."""
        of = self._content.spec.features
        low = np.array([-np.inf if feature.low is None else feature.low for feature in of]).astype(np.float32)
        high = np.array([np.inf if feature.high is None else feature.high for feature in of]).astype(np.float32)
        return low, high, np.array([feature.missing <= _NEARLY_ALWAYS for feature in of])

    def _strange(self, matrix: Matrix) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(n, p) which values are missing though training nearly always had them, and which are out of its range."""
        low, high, expected = self._limits
        return np.isnan(matrix) & expected, (matrix < low) | (matrix > high)

    def _warnings(self, row: Matrix, unseen: tuple[str, ...], segment: str) -> tuple[str, ...]:
        missing, outside = self._strange(row)
        if not (unseen or missing.any() or outside.any() or segment not in self._content.calibrator.segments):
            return ()
        names = self._content.spec.names
        return (
            *dict.fromkeys((
                *(self._missing(names[place]) for place in np.flatnonzero(missing[0]) if names[place] not in unseen),
                *(f"{self._words.family(names[place])}: {_OUTSIDE}" for place in np.flatnonzero(outside[0])),
                *(f"{self._words.family(name)}: {_UNSEEN}" for name in unseen),
                *self._unknown_segment(segment),
            )),
        )

    def _all_warnings(self, encoded: Encoded, segments: NDArray[np.object_]) -> NDArray[np.object_]:
        """(n,) tuples. Of leads that are strange in the same way, one is asked: there are few ways, and many leads."""
        missing, outside = self._strange(encoded.matrix)
        place, named = pd.factorize(segments)
        known = self._content.calibrator.segments
        other_segment = np.array([segment not in known for segment in named], dtype=bool)[place]
        is_strange = missing.any(axis=1) | outside.any(axis=1) | other_segment
        for rows in encoded.unseen.values():
            is_strange[rows] = True
        found = np.full(len(segments), None, dtype=object)
        found[:] = [()] * len(segments)
        strange = np.flatnonzero(is_strange)
        if not len(strange):
            return found
        unseen = np.zeros((len(strange), missing.shape[1]), dtype=bool)
        for name, rows in encoded.unseen.items():
            unseen[np.searchsorted(strange, rows), self._content.spec.names.index(name)] = True
        ways = np.column_stack([missing[strange], outside[strange], unseen, other_segment[strange]])
        packed = np.ascontiguousarray(np.packbits(ways, axis=1))
        of_each = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
        _, first, way = np.unique(of_each, return_index=True, return_inverse=True)
        said = np.full(len(first), None, dtype=object)
        for number, example in enumerate(first.tolist()):
            row = int(strange[example])
            names = tuple(self._content.spec.names[at] for at in np.flatnonzero(unseen[example]))
            said[number] = self._warnings(encoded.matrix[row : row + 1], names, segments[row])
        found[strange] = said[way]
        return found

    def _unknown_segment(self, segment: str) -> tuple[str, ...]:
        if segment in self._content.calibrator.segments:
            return ()
        column, known = self.segment_column, self._words.features
        kind = self._words.family(column) if column in known else column
        return (f"{kind}: {_UNCALIBRATED}",)

    def _missing(self, name: str) -> str:
        return f"{self._words.say(name, None)}, though training nearly always had it"

    def __sklearn_is_fitted__(self) -> bool:
        """It is never unfitted."""
        return True

    def __sklearn_tags__(self) -> Any:
        """A binary classifier of frames with text and missing values."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_class=False),
            input_tags=InputTags(string=True, allow_nan=True),
        )


def build_scorer(
    model: FittedModel, calibration: Calibration, words: Words, *, dataset: str, contract_version: str
) -> LeadScorer:
    """The model that ships: what was validated is what ships (R17).

    `dataset` is the training set's content digest, `contract_version` names the training contract; both are only kept
    and compared. Raises InputError if a feature has no words.
    """
    import xgboost

    content = _Content(
        booster=model.booster,
        spec=model.spec,
        calibrator=calibration.calibrator,
        cuts=tuple(np.quantile(calibration.reference, np.arange(1, 100) / 100).tolist()),
        dataset=dataset,
        contract_version=contract_version,
        xgboost=xgboost.__version__,
    )
    return LeadScorer(content, words)


# Of a family of features, as reasons name it: sales people read it. Features that say the same of a lead say it once.
_OUTSIDE: Final = "lower or higher than training ever had it"
_UNSEEN: Final = "a kind that training did not know, taken as not known"
_UNCALIBRATED: Final = "a kind that calibration had too little of, so that it is calibrated as all leads are"
_AGAIN: Final = "train a model with this version, or load it with the version that made it"
