"""Steps used as they are (`Step.pinned`): what fails there blocks; what they were made from may have moved on (R49)."""

from __future__ import annotations

import pytest

from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.guard import find_obstacles, guard
from leadscore_v6.gates.steps import pinned, upstream
from tests.gates.conftest import Lab

DAY = "20240505"
SCORES, SHADOW, MODEL = "shadow_scores_v6", "shadow_scoring", ("trained_model", "calibrated_model", "backtest")


@pytest.fixture
def scored(lab: Lab) -> Lab:
    """Everything up to a day of shadow scores."""
    lab.run()
    for asset in (*MODEL, "serving_advisors_v6"):
        lab.attempt(asset)
    lab.attempt(SCORES, DAY)
    return lab


def obstacles(lab: Lab, asset: str, partition: str | None = None) -> list[str]:
    return [str(obstacle) for obstacle in find_obstacles(lab.bench().ledger, asset, partition)]


def test_the_model_is_pinned_and_the_leads_are_followed() -> None:
    assert [step.asset for step in pinned(SCORES)] == ["backtest"]
    assert {"crm_leads", "serving_advisors_v6"} < {step.asset for step in upstream(SCORES)}
    assert not {step.asset for step in upstream(SCORES)} & {*MODEL, "step_3_3_training_dataset_v6"}


def test_a_new_extract_lets_the_day_be_scored_and_leaves_the_model_as_it_is(scored: Lab) -> None:
    scored.attempt("crm_leads", content="newer")
    assert obstacles(scored, SCORES, DAY) == []
    assert not scored.attempt(SCORES, DAY).recognised
    # The training path does not start on what was joined before, and the model stays outdated until it is rebuilt.
    with pytest.raises(GateBlocked, match="another content since"):
        guard(scored.bench().ledger, "backtest", None)


def test_a_pinned_step_that_fails_blocks(scored: Lab) -> None:
    with scored.gates.open("a") as file:
        file.write("  - {name: gap, step: '4.4', asset: backtest, says: G., figure: gap, op: '<', value: 0.15}\n")
    told = "gap (step 4.4): gap not measured; must be < 0.15"
    assert [line.split(": ", 1)[1] for line in obstacles(scored, SCORES, DAY)] == [told]
    scored.attempt("backtest", content="b", gap=0.1)
    assert obstacles(scored, SCORES, DAY) == []
    scored.attempt("backtest", content="c", gap=0.2)
    (line,) = obstacles(scored, SCORES, DAY)
    assert "gap 0.2; must be < 0.15" in line
    with pytest.raises(GateBlocked, match=r"must be < 0\.15"):
        guard(scored.bench().ledger, SHADOW, None)


def test_another_model_is_another_content(scored: Lab) -> None:
    assert scored.attempt(SCORES, DAY).recognised
    scored.attempt("backtest", content="b")
    assert not scored.attempt(SCORES, DAY).recognised


def test_a_day_that_fails_blocks_no_other_day_and_not_the_seven_together(scored: Lab) -> None:
    """Which days it needs, the step that judges them says itself (the gate shadow_seven_days)."""
    with scored.gates.open("a") as file:
        file.write(f"  - {{name: all, step: '5.1', asset: {SCORES}, says: A., figure: lost, op: '==', value: 0}}\n")
    scored.attempt(SCORES, "20240506", lost=1)
    assert obstacles(scored, SCORES, "20240507") == obstacles(scored, SHADOW) == []
