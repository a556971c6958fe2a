"""The baseline against scikit-learn's own pipeline of the same thing, and after a journey through JSON (R24)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from leadscore_v6.modeling.baseline import Baseline
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.training import Training
from tests.modeling.worlds import settings


@pytest.fixture(scope="module")
def baseline(trained: Training) -> Baseline:
    return Baseline.of(json.loads(json.dumps(trained.baseline.as_dict())))


@pytest.fixture(scope="module")
def pipeline(world: TrainingData, trained: Training) -> Any:
    """Median and missing flag for numbers, one column per level (missing is one), standardised, L2."""
    spec = trained.baseline.spec
    categories = [place for place, feature in enumerate(spec.features) if feature.is_category]
    numeric = [place for place, feature in enumerate(spec.features) if not feature.is_category]
    known = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    levels = make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), StandardScaler())
    whole = make_pipeline(
        make_column_transformer((known, numeric), (levels, categories)),
        LogisticRegression(C=settings().baseline.C, max_iter=2000),
    )
    rows = trained.split.train
    matrix = spec.encode(world.features.iloc[rows]).matrix.astype(np.float64)
    return whole.fit(matrix, world.label[rows])


def test_it_is_what_scikit_learns_pipeline_fits(
    world: TrainingData, trained: Training, baseline: Baseline, pipeline: Any
) -> None:
    frame = world.features
    assert frame.isna().any().sum() > 1, "missing numbers and categories are among them"
    wanted = pipeline.decision_function(trained.baseline.spec.encode(frame).matrix.astype(np.float64))
    np.testing.assert_allclose(baseline.margin(frame), wanted, rtol=0, atol=2e-4)
    slopes = pipeline[-1].coef_[0]
    numeric = [feature.name for feature in trained.baseline.spec.features if not feature.is_category]
    np.testing.assert_allclose([baseline.standardised[name] for name in numeric], slopes[: len(numeric)], atol=2e-4)
    others = [value for name, value in baseline.standardised.items() if name not in {*numeric, "intercept"}]
    np.testing.assert_allclose(sorted(others), sorted(slopes[len(numeric) :]), rtol=0, atol=2e-4)
    assert baseline.standardised["intercept"] == pytest.approx(pipeline[-1].intercept_[0], abs=2e-4)


def test_levels_that_training_did_not_know_and_leads_without_anything(
    world: TrainingData, baseline: Baseline, pipeline: Any
) -> None:
    columns = [world.features.head(50).astype({"state": object}).assign(state="Atlantis"), world.features.head(3)]
    frame = pd.concat(columns, ignore_index=True).astype(object)
    frame.iloc[-3:] = None
    wanted = pipeline.decision_function(baseline.spec.encode(frame).matrix.astype(np.float64))
    np.testing.assert_allclose(baseline.margin(frame), wanted, rtol=0, atol=2e-4)
    probability = baseline.probability(frame)
    assert ((probability > 0) & (probability < 1)).all()
