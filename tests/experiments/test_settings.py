"""The file holds against its schema; what no schema can say is refused with a word on what would be right."""

from __future__ import annotations

from typing import Any

import pytest

from leadscore_v6.contracts import load_document
from leadscore_v6.errors import UsageError
from leadscore_v6.experiments.settings import EXPERIMENT_FILE, ExperimentSettings
from leadscore_v6.paths import config_root
from tests.experiments.trials import settings


def test_the_file_is_the_design_of_the_plan_and_comes_back_as_it_was() -> None:
    content = load_document(config_root() / EXPERIMENT_FILE, "experiment")
    found = ExperimentSettings.of(content)
    assert found.as_dict() == content
    assert (found.design.alpha, found.design.power, found.design.target_lift) == (0.05, 0.8, 0.5)
    assert (found.design.max_enrolment_weeks, found.design.follow_up_days) == (8, 30)
    assert (found.readout.min_lift, found.readout.srm_alpha, found.readout.guardrail_margin) == (0.5, 0.001, 0.1)


@pytest.mark.parametrize("looks", [[1.0, 0.5], [0.5, 0.8]])
def test_looks_rise_to_the_final_one(looks: list[float]) -> None:
    with pytest.raises(UsageError, match="must rise"):
        settings(design={"looks": looks})


def test_a_block_that_cannot_hold_the_ratio_is_refused() -> None:
    with pytest.raises(UsageError, match="no multiple"):
        settings(assignment={"ratio": {"treatment": 2, "control": 1}})


@pytest.mark.parametrize(
    "change",
    [{"salt": "another-salt"}, {"segment": "firm_size"}, {"ratio": {"treatment": 3, "control": 1}}, {"block_size": 8}],
    ids=lambda change: next(iter(change)),
)
def test_the_fingerprint_changes_with_all_that_an_arm_depends_on(change: dict[str, Any]) -> None:
    assert settings(assignment=change).assignment.fingerprint != settings().assignment.fingerprint
    assert settings(readout={"min_lift": 0.3}).assignment.fingerprint == settings().assignment.fingerprint
