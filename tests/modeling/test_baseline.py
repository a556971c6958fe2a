"""The baseline as plain numbers: the fitted pipeline's own margins, after a journey through JSON (R24)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from leadscore_v6.modeling.baseline import PlainBaseline
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.training import Training


def test_plain_numbers_give_the_pipelines_margins(world: TrainingData, trained: Training) -> None:
    plain = PlainBaseline.of(json.loads(json.dumps(trained.baseline.plain().as_dict())))
    frame = world.features
    assert frame.isna().any().sum() > 1, "missing numbers and categories are among them"
    np.testing.assert_allclose(plain.margin(frame), trained.baseline.margin(frame), rtol=0, atol=2e-4)


def test_levels_that_training_did_not_know_and_leads_without_anything(world: TrainingData, trained: Training) -> None:
    plain = trained.baseline.plain()
    frame = pd.concat([world.features.head(50).assign(state="Atlantis"), world.features.head(3)], ignore_index=True)
    frame.iloc[-3:] = None
    np.testing.assert_allclose(plain.margin(frame), trained.baseline.margin(frame), rtol=0, atol=2e-4)
    probability = plain.probability(frame)
    assert ((probability > 0) & (probability < 1)).all()
