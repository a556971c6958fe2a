"""A world in which the order does nothing: both arms are dialled in an order drawn at random (R41)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leadscore_v6.sample_world import true_lift
from tests.e2e.experiment_world import FINAL, begin
from tests.e2e.model_world import Modelled


@pytest.mark.prove
def test_where_the_order_does_nothing_there_is_no_go(modelled: Modelled, tmp_path: Path) -> None:
    """The same home, model and leads as the test that ends with a go; only the dialling is another."""
    with pytest.MonkeyPatch.context() as patch:
        world = begin(modelled, tmp_path / "null", null=True).use(patch)
        world.begin()
        world.enrol()
        assert world.follow_up(6, dial=True).stops == []
        (stop,) = world.product.materialize([FINAL], None).stops
    assert stop.exit_code == 3
    assert "final_lift" in stop.message
    facts = world.product.ledger.latest(FINAL).facts
    assert facts["decision"]["verdict"] == "no-go"
    # The truth of the leads that were dialled is a lift of about nothing, and the interval holds it.
    lift = true_lift(world.feed.with_name("feed.truth")).lift
    assert abs(lift) < 0.25
    assert facts["lift"]["low"] < lift < facts["lift"]["high"]
    record = json.loads((stop.report.parent / "ab_test_decision_v6.json").read_text())
    assert record["decision"]["verdict"] == "no-go"
