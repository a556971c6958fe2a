"""What the model's steps are given by the configuration that ships."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost

from leadscore_v6 import paths
from leadscore_v6.assets.model import data
from leadscore_v6.contracts import contract
from leadscore_v6.errors import InputError


def test_the_settings_that_ship_leave_the_odds_as_they_are() -> None:
    """Rebalanced classes multiply the odds: expected over observed becomes about 12 (R22)."""
    booster = data.model_settings().booster
    rng = np.random.default_rng(0)
    leads = rng.normal(size=(20_000, 3))
    label = rng.random(20_000) < 1 / (1 + np.exp(4.0 - leads[:, 0]))
    parameters = {
        "objective": "binary:logistic",
        "max_depth": booster.max_depth,
        "learning_rate": booster.learning_rate,
        "scale_pos_weight": booster.scale_pos_weight,
        "nthread": 1,
    }
    trained = xgboost.train(parameters, xgboost.DMatrix(leads[:10_000], label[:10_000]), 150)
    expected = trained.predict(xgboost.DMatrix(leads[10_000:])).sum()
    assert 0.8 < expected / label[10_000:].sum() < 1.25


def test_every_feature_of_the_contract_has_words_for_a_reason() -> None:
    words, names = data.reason_words(), [column.name for column in data.model_columns()]
    words.require(names)
    with pytest.raises(InputError, match="a_feature_without_words"):
        words.require([*names, "a_feature_without_words"])


def test_a_model_is_bound_to_its_features_and_not_to_the_columns_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = data.contract_version()
    config = Path(shutil.copytree(paths.config_root(), tmp_path / "config"))
    # The package passes a function of the module's name on, so the module itself is asked for by its full name.
    monkeypatch.setattr(sys.modules["leadscore_v6.contracts.contract"], "config_root", lambda: config)
    file = config / "v6_training_contract.json"
    columns = json.loads(file.read_text())
    columns[10]["description"] = "in other words"
    more = {"name": "dialled_by", "bq_type": "STRING", "nullable": True, "role": "audit", "description": "who dialled"}
    columns.append(more)
    file.write_text(json.dumps(columns))
    assert contract("training").columns[10].description == "in other words"
    assert data.contract_version() == before
    columns[10]["bq_type"] = "STRING"
    file.write_text(json.dumps(columns) + "\n")
    assert data.contract_version() != before
