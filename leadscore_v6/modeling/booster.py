"""XGBoost on one training window: rounds and useful features chosen on its end, then fitted on all of it.

Belongs here: fitting, margins, contributions of a booster. Does not belong here: probabilities (`calibration.py`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.features import FeatureSpec, Matrix, fit_features
from leadscore_v6.modeling.importance import Importance, evenly, mean_abs_shap
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import Rows, require_positives, tail

Floats = NDArray[np.float64]
NO_USE: Final = "of no use on the end of its training window"


@dataclass(frozen=True)
class FittedModel:
    """A booster with the features that it was fitted on.

    booster      XGBoost's own format (UBJSON)
    rounds       trees, as chosen on the end of the training window
    validation   the rows that chose them, and `validation_margin` of the trial model there
    selection    mean |SHAP| on those rows of every feature of the window, used or not
    trained_on   rows of the `TrainingData`
    """

    spec: FeatureSpec
    booster: bytes
    rounds: int
    trained_on: Rows
    validation: Rows
    validation_margin: Floats
    selection: tuple[Importance, ...]

    def margin(self, frame: pd.DataFrame) -> Floats:
        """(n,) raw log-odds, one thread."""
        return margins(self.loaded, self.spec.encode(frame).matrix)

    def contributions(self, matrix: Matrix) -> Floats:
        """(n, p + 1) contributions to the margin, the last column the base value; rows sum to the margin."""
        return contributions(self.loaded, self.spec, matrix)

    def importance(self, frame: pd.DataFrame) -> tuple[Importance, ...]:
        """Mean |SHAP| over the leads of `frame`, with XGBoost's own total gain beside it."""
        shap = self.contributions(self.spec.encode(frame).matrix)
        return mean_abs_shap(self.spec.names, shap, self.loaded.get_score(importance_type="total_gain"))

    @cached_property
    def loaded(self) -> Any:
        """The booster, on one thread."""
        return load(self.booster)


@dataclass(frozen=True)
class Fit:
    """What comes of a training window: the model, and its (n,) margins of the very leads that it learned from."""

    model: FittedModel
    inside: Floats


def fit(data: TrainingData, rows: Rows, settings: ModelSettings) -> Fit:
    """Fit on `rows`, on one thread: the same rows and settings give the same bytes on any number of cores.

    The end of the window chooses the rounds and shows which features are of use; both are then fitted on all of it.
    Raises InputError if that end, or what comes before it, has too few positives.
    """
    block = tail(data, rows, settings.split.validation_share, settings.split)
    needed = settings.split.min_positives_test
    require_positives(data, block.train, needed, "the first part of a training window")
    require_positives(data, block.test, needed, "the end of a training window, which chooses the rounds,")
    spec = fit_features(data.features.iloc[rows], data.columns, settings.features.min_level_leads)
    matrix = spec.encode(data.features.iloc[rows]).matrix
    early, late = np.searchsorted(rows, block.train), np.searchsorted(rows, block.test)
    window = _Window(matrix[early], data.label[block.train], spec)
    first = _trial(window, settings, _Window(matrix[late], data.label[block.test], spec))
    rounds = int(first.best_iteration) + 1
    trial = first[:rounds]
    sample = evenly(late, settings.evaluation.shap_rows)
    selection = mean_abs_shap(spec.names, contributions(trial, spec, matrix[sample]))
    used = {one.feature for one in selection if one.share >= settings.features.min_importance_share}
    kept = spec.keep(used or {selection[0].feature}, NO_USE)
    places = [spec.names.index(name) for name in kept.names]
    final, inside = _final(_Window(matrix[:, places], data.label[rows], kept), settings, rounds)
    model = FittedModel(
        spec=kept,
        booster=bytes(final.save_raw("ubj")),
        rounds=rounds,
        trained_on=rows,
        validation=block.test,
        validation_margin=margins(trial, matrix[late]),
        selection=selection,
    )
    return Fit(model, inside)


def load(booster: bytes, threads: int = 1) -> Any:
    """An `xgboost.Booster` from its own format; `threads` 0 means all cores."""
    import xgboost

    loaded = xgboost.Booster()
    loaded.load_model(bytearray(booster))
    loaded.set_param({"nthread": threads})
    return loaded


def margins(booster: Any, matrix: Matrix) -> Floats:
    """(n,) raw log-odds of a ready matrix, as float64."""
    found: Floats = booster.inplace_predict(matrix, predict_type="margin").astype(np.float64)
    return found


def contributions(booster: Any, spec: FeatureSpec, matrix: Matrix) -> Floats:
    """(n, p + 1) SHAP values in log-odds, the base value last: XGBoost's own, which shap's TreeExplainer passes on."""
    ready = _ready(matrix, spec, feature_names=list(spec.names))
    found: Floats = booster.predict(ready, pred_contribs=True).astype(np.float64)
    return found


@dataclass(frozen=True)
class _Window:
    """Leads to train on or to be watched."""

    matrix: Matrix
    label: NDArray[np.int8]
    spec: FeatureSpec

    @property
    def ready(self) -> Any:
        """As XGBoost takes them."""
        return _ready(self.matrix, self.spec, label=self.label)


def _ready(matrix: Matrix, spec: FeatureSpec, **more: Any) -> Any:
    """A plain `DMatrix`: a `QuantileDMatrix` comes to the same trees, and takes twice as long to be made into bins."""
    import xgboost

    return xgboost.DMatrix(matrix, feature_types=spec.types, enable_categorical=True, nthread=1, **more)


def _trial(window: _Window, settings: ModelSettings, end: _Window) -> Any:
    """A booster that stopped when more rounds no longer served `end`, by log-loss; `best_iteration` is the best."""
    import xgboost

    watched, patience = [(end.ready, "end")], settings.booster.early_stopping_rounds
    trained = xgboost.train(
        _parameters(settings),
        window.ready,
        settings.booster.max_rounds,
        evals=watched,
        early_stopping_rounds=patience,
        verbose_eval=False,
    )
    return _named(trained, window)


def _final(window: _Window, settings: ModelSettings, rounds: int) -> tuple[Any, Floats]:
    """A booster of so many rounds, and its margins of the window's own leads."""
    import xgboost

    ready = window.ready
    inside: list[Floats] = []

    class Margins(xgboost.callback.TrainingCallback):
        """Takes the margins that training kept up to date all along, before they are dropped with its caches."""

        def after_training(self, model: Any) -> Any:
            inside.append(model.predict(ready, output_margin=True).astype(np.float64))
            return model

    trained = xgboost.train(_parameters(settings), ready, rounds, callbacks=[Margins()])
    return _named(trained, window), inside[0]


def _parameters(settings: ModelSettings) -> dict[str, Any]:
    """What `xgboost.train` reads of the settings."""
    booster = asdict(settings.booster)
    del booster["max_rounds"], booster["early_stopping_rounds"]
    return booster | {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "seed": settings.seed % 2**31,
        "nthread": 1,
        "verbosity": 0,
    }


def _named(booster: Any, window: _Window) -> Any:
    """Named only when it is trained: names are compared in every round, in Python, while the fits beside it wait."""
    booster.feature_names = list(window.spec.names)
    return booster
