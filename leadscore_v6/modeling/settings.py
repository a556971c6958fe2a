"""What `config/v6_model.yaml` says, as checked values.

Belongs here: one dataclass per section of the file. Does not belong here: reading the file (its reader hands the
content in, already held against `config/schemas/model.schema.json`), thresholds of gates (`config/gates.yaml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from leadscore_v6.errors import UsageError

MODEL_FILE: Final = "v6_model.yaml"  # in the configuration folder; schema `model`


@dataclass(frozen=True)
class SplitSettings:
    """How leads are split in time (R16, R17). Days and shares of leads; `fallback` is `none` or `stratified_kfold`."""

    label_window_days: int
    entry_lag_days: int
    embargo_days: int
    train_share: float
    calibrate_share: float
    folds: int
    first_train_share: float
    validation_share: float
    min_positives_train: int
    min_positives_test: int
    fallback: Literal["none", "stratified_kfold"]

    def __post_init__(self) -> None:
        if self.train_share + self.calibrate_share >= 1:
            raise UsageError("split: train_share + calibrate_share must leave a share for the holdout, so be below 1.")

    @property
    def gap_days(self) -> int:
        """A lead dialled at day d may train a model that is tested from day d + gap_days + 1 on."""
        return self.label_window_days + self.entry_lag_days + self.embargo_days


@dataclass(frozen=True)
class FeatureSettings:
    """Frozen category levels, and the feature selection inside a training window."""

    min_level_leads: int
    min_importance_share: float


@dataclass(frozen=True)
class BoosterSettings:
    """XGBoost's parameters by their own names (plan step 4.1), and how its rounds are chosen."""

    max_depth: int
    learning_rate: float
    subsample: float
    colsample_bytree: float
    reg_alpha: float
    reg_lambda: float
    scale_pos_weight: float
    max_bin: int
    max_rounds: int
    early_stopping_rounds: int


@dataclass(frozen=True)
class BaselineSettings:
    """The logistic baseline; `C` is scikit-learn's."""

    C: float


@dataclass(frozen=True)
class CalibrationSettings:
    """Platt scaling per segment, shrunk toward the global one (R19)."""

    min_positives_segment: int
    prior_sd_intercept: float
    prior_sd_slope: float


@dataclass(frozen=True)
class EvaluationSettings:
    """What intervals and business figures are made with."""

    bootstrap_draws: int
    null_draws: int
    min_positives_interval: int
    ece_bins: int
    capacity_share: float
    shap_rows: int


@dataclass(frozen=True)
class CanarySettings:
    """Beyond which a feature is taken for a leak."""

    max_univariate_auc: float
    max_rank_correlation: float


@dataclass(frozen=True)
class ReasonSettings:
    """How many reasons a score brings along."""

    top: int


@dataclass(frozen=True)
class ModelSettings:
    """All of `config/v6_model.yaml`."""

    seed: int
    split: SplitSettings
    features: FeatureSettings
    booster: BoosterSettings
    baseline: BaselineSettings
    calibration: CalibrationSettings
    evaluation: EvaluationSettings
    canaries: CanarySettings
    reasons: ReasonSettings

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> ModelSettings:
        """From the content of the file, which holds against its schema. Raises UsageError on shares that cannot be."""
        return cls(
            seed=content["seed"],
            split=SplitSettings(**content["split"]),
            features=FeatureSettings(**content["features"]),
            booster=BoosterSettings(**content["booster"]),
            baseline=BaselineSettings(**content["baseline"]),
            calibration=CalibrationSettings(**content["calibration"]),
            evaluation=EvaluationSettings(**content["evaluation"]),
            canaries=CanarySettings(**content["canaries"]),
            reasons=ReasonSettings(**content["reasons"]),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data, the inverse of `of`: what a model's manifest keeps."""
        return asdict(self)
