"""A copy of a few advisors, and the small model of tests/modeling to score them by."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6.modeling.calibrated import calibrate
from leadscore_v6.modeling.scorer import LeadScorer, build_scorer
from leadscore_v6.modeling.training import train
from leadscore_v6.serving import UNMATCHED, ServingCopy, write_copy
from tests.modeling import worlds

COLUMNS = {
    "FA_CRD__c": "STRING",
    **{column.name: column.type for column in worlds.COLUMNS},
    "rep_snapshot_at": "DATE",
}


@pytest.fixture(scope="session")
def scorer() -> LeadScorer:
    data, settings = worlds.data(), worlds.settings()
    trained = train(data, settings, progress=lambda _: None)
    calibrated = calibrate(data, trained.split, trained.model, settings)
    return build_scorer(trained.model, calibrated, worlds.WORDS, dataset="d" * 64, contract_version="c1")


@pytest.fixture(scope="session")
def advisors() -> pd.DataFrame:
    """Three hundred advisors with all that a training lead has, and the unmatched row; CRDs are texts."""
    frame = worlds.data().features.head(300).copy()
    frame.insert(0, "FA_CRD__c", [str(1000 + place) for place in range(len(frame))])
    frame["rep_snapshot_at"] = pd.Timestamp("2025-10-05")
    made = frame.reindex(range(len(frame) + 1))
    made.loc[len(frame), "FA_CRD__c"] = UNMATCHED
    return made


@pytest.fixture
def copy(tmp_path: Path, advisors: pd.DataFrame) -> ServingCopy:
    return ServingCopy(write_copy(tmp_path, advisors, COLUMNS))
