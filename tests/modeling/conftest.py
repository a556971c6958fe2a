"""One small world, trained once for each file of tests."""

from __future__ import annotations

import pytest

from leadscore_v6.modeling.calibrated import Calibration, calibrate
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.scorer import LeadScorer, build_scorer
from leadscore_v6.modeling.training import Training, train
from tests.modeling import worlds


@pytest.fixture(scope="session")
def world() -> TrainingData:
    return worlds.data()


@pytest.fixture(scope="session")
def trained(world: TrainingData) -> Training:
    return train(world, worlds.settings(), progress=lambda _: None)


@pytest.fixture(scope="session")
def calibrated(world: TrainingData, trained: Training) -> Calibration:
    return calibrate(world, trained.split, trained.model, worlds.settings())


@pytest.fixture(scope="session")
def scorer(trained: Training, calibrated: Calibration) -> LeadScorer:
    return build_scorer(trained.model, calibrated, worlds.WORDS, dataset="d" * 64, contract_version="c1")
