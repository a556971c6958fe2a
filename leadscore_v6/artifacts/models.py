"""Models as folders of files: written by the plan's names, read back only after their digests were checked (R24).

Belongs here: which file holds what. Does not belong here: what a model is (modeling/), or whether it may be published
(gates/). A `.pkl` is written because the plan names it, and never read: loading one runs whatever code is in it. What
is read is XGBoost's own format, and JSON beside it.
"""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from leadscore_v6.artifacts.manifest import seal, verify
from leadscore_v6.errors import InputError
from leadscore_v6.modeling.baseline import Baseline
from leadscore_v6.modeling.booster import FittedModel
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.explain import Words
from leadscore_v6.modeling.features import FeatureSpec
from leadscore_v6.modeling.importance import Importance
from leadscore_v6.modeling.scorer import LeadScorer, ModelParts
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import FinalSplit, final_split, membership, tail
from leadscore_v6.modeling.training import Training

# What decides how a booster's bytes and a matrix are read.
LIBRARIES = ("xgboost", "scikit-learn", "numpy", "pandas")
_REMEDY = "train again on this installation: `leadscore train --rebuild`."


@dataclass(frozen=True)
class Origin:
    """What a model was made from. `attempt` is the ledger's key; digests are hexadecimal."""

    attempt: str
    version: str
    dataset: str
    dataset_version: str
    contract_version: str


def trained_files(version: str) -> tuple[str, ...]:
    """The plan's files of step 4.1, beside its reports, and what the model is loaded from."""
    return (
        f"model_v6_{version}.pkl",
        f"model_v6_{version}.ubj",
        f"model_v6_{version}.json",
        f"model_v6_baseline_logit_{version}.pkl",
        f"model_v6_baseline_logit_{version}.json",
        f"feature_importance_v6_{version}.csv",
        f"feature_order_v6_{version}.json",
        f"selected_features_v6_{version}.json",
        f"cv_fold_indices_v6_{version}.json",
    )


def calibrated_files(version: str) -> tuple[str, ...]:
    """The plan's file of step 4.3, and what the scorer is loaded from."""
    return tuple(f"model_v6_calibrated_{version}.{ending}" for ending in ("pkl", "ubj", "json"))


def backtest_files(version: str) -> tuple[str, ...]:
    """The plan's file of step 4.4, beside its reports, and which lead was in which period."""
    return (f"business_impact_metrics_v6_{version}.csv", f"backtest_fold_indices_v6_{version}.json")


def libraries() -> dict[str, str]:
    """Releases of the libraries that a model is read with. On Linux xgboost's package has another name."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = metadata.version(f"{name}-cpu")
    return found


# --- 4.1 ------------------------------------------------------------------------------------------------------------


def save_trained(folder: Path, data: TrainingData, training: Training, settings: ModelSettings, origin: Origin) -> str:
    """Write the folder of step 4.1; returns the digest of its manifest."""
    version, model = origin.version, training.model
    document = {
        "settings": settings.as_dict(),
        "features": model.spec.as_dict(),
        "rounds": model.rounds,
        "validation_margin": model.validation_margin.tolist(),
        "selection": [asdict(one) for one in model.selection],
        **_origin(origin),
    }
    (folder / f"model_v6_{version}.ubj").write_bytes(model.booster)
    _write_json(folder / f"model_v6_{version}.json", document)
    # A copy without what was computed from it on the way.
    _write_pickle(folder / f"model_v6_{version}.pkl", replace(model))
    _write_pickle(folder / f"model_v6_baseline_logit_{version}.pkl", training.baseline)
    _write_json(folder / f"model_v6_baseline_logit_{version}.json", training.baseline.as_dict())
    _write_csv(folder / f"feature_importance_v6_{version}.csv", [asdict(one) for one in training.importance])
    _write_json(folder / f"feature_order_v6_{version}.json", list(model.spec.names))
    selected = [row.feature for row in training.selection if row.is_selected]
    _write_json(folder / f"selected_features_v6_{version}.json", selected)
    _write_json(folder / f"cv_fold_indices_v6_{version}.json", blocks_by_id(data, training))
    return seal(folder, origin.attempt, _origin(origin))


def blocks_by_id(data: TrainingData, training: Training) -> dict[str, Any]:
    """Lead Ids of the three blocks and of every fold's two sides (R16)."""
    split = training.split
    blocks = {"training": split.train, "calibration": split.calibrate, "holdout": split.holdout}
    named: dict[str, Any] = {name: data.lead_ids[rows].tolist() for name, rows in blocks.items()}
    return named | membership(data, tuple(fold.block for fold in training.folds))


@dataclass(frozen=True)
class TrainedModel:
    """A model of step 4.1, read back: with the settings that it was made with, and the split of its training set."""

    model: FittedModel
    settings: ModelSettings
    split: FinalSplit
    document: Mapping[str, Any]


def load_trained(folder: Path, digest: str, version: str, data: TrainingData) -> TrainedModel:
    """The model of a folder, verified before any file is read; `data` is the training set that it was made from.

    Raises InputError: a file missing, cut off or altered; another xgboost series; another training set.
    """
    verify(folder, digest)
    document = _read_json(folder / f"model_v6_{version}.json")
    refuse_other_release(document["libraries"])
    settings = ModelSettings.of(document["settings"])
    split = final_split(data, settings.split)
    written = _read_json(folder / f"cv_fold_indices_v6_{version}.json")
    for name, rows in (("training", split.train), ("calibration", split.calibrate), ("holdout", split.holdout)):
        if written[name] != data.lead_ids[rows].tolist():
            raise InputError(
                f"The {name} leads of model {version} are not those of the training set at hand",
                file=f"cv_fold_indices_v6_{version}.json",
                remedy="train again: `leadscore train`.",
            )
    model = FittedModel(
        spec=FeatureSpec.of(document["features"]),
        booster=(folder / f"model_v6_{version}.ubj").read_bytes(),
        rounds=document["rounds"],
        trained_on=split.train,
        validation=tail(data, split.train, settings.split.validation_share, settings.split).test,
        validation_margin=np.array(document["validation_margin"]),
        selection=tuple(Importance(**one) for one in document["selection"]),
    )
    return TrainedModel(model, settings, split, document)


def load_baseline(folder: Path, digest: str, version: str) -> Baseline:
    """The logistic baseline of a folder, verified before any file is read. Raises InputError as `load_trained` does."""
    verify(folder, digest)
    document = _read_json(folder / f"model_v6_baseline_logit_{version}.json")
    if "standardised" not in document:
        raise InputError(f"Model {version} was trained by an older version, whose baseline is not read", remedy=_REMEDY)
    return Baseline.of(document)


def refuse_other_release(made_with: Mapping[str, str]) -> None:
    """Raise InputError when xgboost is of another major or minor series than wrote the model."""
    now, then = libraries()["xgboost"], made_with["xgboost"]
    if now.split(".")[:2] != then.split(".")[:2]:
        raise InputError(f"The model was made with xgboost {then}; this installation has {now}", remedy=_REMEDY)


# --- 4.3 ------------------------------------------------------------------------------------------------------------


def save_calibrated(folder: Path, scorer: LeadScorer, origin: Origin) -> str:
    """Write the folder of step 4.3; returns the digest of its manifest."""
    parts = scorer.to_parts()
    stem = f"model_v6_calibrated_{origin.version}"
    (folder / f"{stem}.ubj").write_bytes(parts.booster)
    _write_json(folder / f"{stem}.json", {"scorer": parts.document, **_origin(origin)})
    _write_pickle(folder / f"{stem}.pkl", scorer)
    return seal(folder, origin.attempt, _origin(origin))


def load_scorer(folder: Path, digest: str, version: str, words: Words, contract_version: str) -> LeadScorer:
    """The calibrated model of a folder, verified before any file is read.

    Raises InputError: a file missing, cut off or altered; another xgboost series; another contract.
    """
    verify(folder, digest)
    document = _read_json(folder / f"model_v6_calibrated_{version}.json")
    refuse_other_release(document["libraries"])
    booster = (folder / f"model_v6_calibrated_{version}.ubj").read_bytes()
    return LeadScorer.from_parts(ModelParts(booster, document["scorer"]), words, contract_version)


# --- 4.4 ------------------------------------------------------------------------------------------------------------


def save_backtest(folder: Path, impact: list[dict[str, Any]], periods: Mapping[str, Any], origin: Origin) -> str:
    """Write the folder of step 4.4; returns the digest of its manifest. `periods`: lead Ids of each period's sides."""
    _write_csv(folder / f"business_impact_metrics_v6_{origin.version}.csv", impact)
    _write_json(folder / f"backtest_fold_indices_v6_{origin.version}.json", periods)
    return seal(folder, origin.attempt, _origin(origin))


# --- pieces ---------------------------------------------------------------------------------------------------------


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "dataset": origin.dataset,
        "dataset_version": origin.dataset_version,
        "contract_version": origin.contract_version,
        "libraries": libraries(),
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=True) + "\n", encoding="utf-8")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_pickle(path: Path, content: object) -> None:
    path.write_bytes(pickle.dumps(content, protocol=5))
