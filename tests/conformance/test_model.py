"""Phase 2 by the command line on BigQuery: the same gates, figures and answers as on DuckDB, from the same world."""

from __future__ import annotations

import json

import pytest

from tests.conformance.both import Both
from tests.e2e.model_world import Modelled, probabilities

STEPS = {"trained_model", "calibrated_model", "backtest"}

pytestmark = pytest.mark.prove


def test_the_model_phase_is_the_same_on_bigquery(both: Both) -> None:
    """Train, calibrate and backtest read the promoted view through another client; nothing of it may show."""
    ours, theirs = (
        {place: said for place, said in side.gates().items() if place[0] in STEPS} for side in both.sides
    )
    assert ours == theirs
    assert {asset for asset, *_ in ours} == STEPS


def test_a_lead_is_explained_by_the_same_words(both: Both, modelled: Modelled) -> None:
    lead = min(probabilities(modelled.truth))
    ours, theirs = (json.loads(said) for said in both.do("why", lead, "--json"))
    same = ("probability", "rank", "reasons", "warnings", "contacted")
    assert [ours[name] for name in same] == [theirs[name] for name in same]
