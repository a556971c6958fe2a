"""Phase 2 at the plan's scale, against the bare XGBoost calls that are inside it.

What is measured, in one process, on the promoted training set of a sample world:

steps       training with 5-fold CV, calibration, backtest, `workers` fits side by side
bare        the same XGBoost fits alone (trial with its validation set on every feature of the window, final on those
            that were kept), on the same rows and matrices, ready made, as many side by side; twice, the mean counts
one lead    `score_lead` of dictionaries, against `Booster.inplace_predict` of ready rows, one thread: medians of pairs
batch       `score_leads`, against the bare predict of the ready matrix, all cores

The bars (issue 4, "Speed"): steps <= 1.5 x bare; one lead <= 2 x; batch >= 0.7 of the bare rate. Ratios travel between
machines; seconds stand beside them only to show what was divided.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from benchmarks.phase1 import OUT, leadscore
from leadscore_v6.contracts import contract, feature_columns, load_document, pii_droplist
from leadscore_v6.modeling.backtest import Backtest, backtest
from leadscore_v6.modeling.booster import FittedModel, load
from leadscore_v6.modeling.calibrated import Calibration, calibrate
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.modeling.data import TrainingData, training_data
from leadscore_v6.modeling.explain import REASON_WORDS_FILE, Words
from leadscore_v6.modeling.features import FeatureSpec, fit_features
from leadscore_v6.modeling.parallel import side_by_side
from leadscore_v6.modeling.scorer import LeadScorer, build_scorer
from leadscore_v6.modeling.settings import MODEL_FILE, ModelSettings
from leadscore_v6.modeling.splits import tail
from leadscore_v6.modeling.training import Training, train
from leadscore_v6.paths import config_root

BATCH = 480_000
ONE_BY_ONE = 3_000


@dataclass(frozen=True)
class Ratio:
    """Seconds of ours and of the floor, and the bar that their ratio is held against."""

    ours: float
    floor: float
    bar: float

    @property
    def value(self) -> float:
        """Ours over the floor."""
        return self.ours / self.floor


def main() -> None:
    """Make the world if it is not there, measure, print the ratios and write them to benchmarks/out/phase2.json."""
    arguments = _arguments()
    frame = _training_set(arguments.leads)
    data, settings = read(frame)
    print(f"{len(data):,} leads, {data.positives:,} positive, {arguments.workers} fits side by side", flush=True)
    outcome, steps, spent = _steps(data, settings, arguments.workers)
    trained, calibrated, tested = outcome
    models = [trained.model, *(fold.model for fold in trained.folds), *(fold.model for fold in tested.folds)]
    # One more fit of the model's size: training that leaves the holdout's advisors in (R16).
    models.insert(0, trained.model)
    floors = [_bare(models, data, settings, arguments.workers) for _ in range(2)]
    words = Words.of(load_document(config_root() / REASON_WORDS_FILE, "reason_words"))
    scorer = build_scorer(trained.model, calibrated, words, dataset="bench", contract_version="bench")
    ratios = {"steps": Ratio(steps, statistics.mean(floors), 1.5)}
    ratios["one lead"] = _one_lead(scorer, trained.model, frame)
    ratios["batch"] = _batch(scorer, trained.model, frame)
    _report(ratios, spent)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=46_000, help="records in Lead.csv; about nine in ten train")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="fits side by side")
    return parser.parse_args()


def _training_set(leads: int) -> pd.DataFrame:
    kept = OUT / f"training_{leads}.parquet"
    if not kept.exists():
        data, home = OUT / f"world_{leads}", OUT / f"home_{leads}"
        leadscore("sample", data, "--scenario", "demo", "--leads", leads)
        leadscore("run", "--data", data, "--home", home, "--through", "dataset")
        with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
            view = "SELECT * FROM LeadScoring.v_latest_training_dataset_v6"
            warehouse.execute(f"COPY ({view}) TO '{kept}' (FORMAT parquet)")
    return duckdb.sql(f"SELECT * FROM '{kept}'").df()


def read(frame: pd.DataFrame) -> tuple[TrainingData, ModelSettings]:
    """A promoted training set as training takes it, and the product's settings."""
    of = contract("training")
    features = set(feature_columns(of))
    columns = [FeatureColumn(one.name, one.bq_type, one.description) for one in of.columns if one.name in features]
    settings = ModelSettings.of(load_document(config_root() / MODEL_FILE, "model"))
    return training_data(frame, columns, pii_droplist()), settings


def timed(task: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the seconds that it took."""
    started = time.perf_counter()
    made = task()
    return made, time.perf_counter() - started


def _steps(
    data: TrainingData, settings: ModelSettings, workers: int
) -> tuple[tuple[Training, Calibration, Backtest], float, dict[str, float]]:
    import scipy.stats
    import sklearn.compose
    import sklearn.impute
    import sklearn.linear_model
    import xgboost

    assert all((scipy.stats, sklearn.compose, sklearn.impute, sklearn.linear_model, xgboost)), "imported, not timed"
    trained, first = timed(lambda: train(data, settings, workers=workers))
    calibrated, second = timed(lambda: calibrate(data, trained.split, trained.model, settings, workers=workers))
    tested, third = timed(lambda: backtest(data, settings, workers=workers))
    spent = {"training": first, "calibration": second, "backtest": third}
    return (trained, calibrated, tested), first + second + third, spent


def _bare(models: Sequence[FittedModel], data: TrainingData, settings: ModelSettings, workers: int) -> float:
    """Seconds of the XGBoost calls alone, matrices ready."""
    import xgboost

    parameters = asdict(settings.booster) | {"objective": "binary:logistic", "eval_metric": "logloss", "nthread": 1}
    parameters |= {"seed": settings.seed % 2**31, "verbosity": 0}
    most, patience = parameters.pop("max_rounds"), parameters.pop("early_stopping_rounds")

    def matrix(part: tuple[Any, Any], spec: FeatureSpec) -> Any:
        return xgboost.DMatrix(*part, feature_types=spec.types, enable_categorical=True, nthread=1)

    def ready(model: FittedModel) -> tuple[FittedModel, FeatureSpec, list[tuple[Any, Any]]]:
        rows = model.trained_on
        whole = fit_features(data.features.iloc[rows], data.columns, settings.features.min_level_leads)
        end = tail(data, rows, settings.split.validation_share, settings.split)
        parts = [(whole, end.train), (whole, end.test), (model.spec, rows)]
        made = [(spec.encode(data.features.iloc[at]).matrix, data.label[at]) for spec, at in parts]
        return model, whole, made

    def both(window: tuple[FittedModel, FeatureSpec, list[tuple[Any, Any]]]) -> None:
        model, spec, (early, late, whole) = window
        first, watched = matrix(early, spec), [(matrix(late, spec), "end")]
        xgboost.train(parameters, first, most, evals=watched, early_stopping_rounds=patience, verbose_eval=False)
        xgboost.train(parameters, matrix(whole, model.spec), model.rounds)

    windows = [ready(model) for model in models]
    _, seconds = timed(lambda: side_by_side([partial(both, window) for window in windows], workers))
    print(f"bare XGBoost: {len(models)} windows, two fits each, {seconds:.1f} s", flush=True)
    return seconds


def _one_lead(scorer: LeadScorer, model: FittedModel, frame: pd.DataFrame) -> Ratio:
    """In turns, so that what disturbs the one disturbs the other."""
    leads = frame.head(ONE_BY_ONE).to_dict("records")
    rows = [model.spec.encode_lead(lead)[0] for lead in leads]
    booster = load(model.booster, threads=1)
    ours, floor = [], []
    for lead, row in zip(leads, rows, strict=True):
        ours.append(timed(lambda lead=lead: scorer.score_lead(lead))[1])
        floor.append(timed(lambda row=row: booster.inplace_predict(row))[1])
    return Ratio(statistics.median(ours), statistics.median(floor), 2.0)


def _batch(scorer: LeadScorer, model: FittedModel, frame: pd.DataFrame) -> Ratio:
    many = frame.iloc[np.resize(np.arange(len(frame)), BATCH)].reset_index(drop=True)
    matrix = model.spec.encode(many).matrix
    booster = load(model.booster, threads=0)
    ours, floor = [], []
    for _ in range(3):
        floor.append(timed(lambda: booster.inplace_predict(matrix))[1])
        ours.append(timed(lambda: scorer.score_leads(many))[1])
    return Ratio(min(ours), min(floor), 1 / 0.7)


def _report(ratios: dict[str, Ratio], spent: dict[str, float]) -> None:
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items()))
    for name, ratio in ratios.items():
        verdict = "holds" if ratio.value <= ratio.bar else "MISSED"
        print(
            f"{name}: {ratio.value:.2f} x bare (bar {ratio.bar:.2f}) {verdict}: {ratio.ours:.6f} / {ratio.floor:.6f} s"
        )
    OUT.mkdir(exist_ok=True)
    found = {
        name: {"ratio": one.value, "bar": one.bar, "ours": one.ours, "floor": one.floor} for name, one in ratios.items()
    }
    (OUT / "phase2.json").write_text(json.dumps(found | {"steps of it": spent}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
