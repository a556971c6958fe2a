"""The published operating characteristics are what the gates do (issue 4, "Done when" 4)."""

from __future__ import annotations

import pytest

from docs.operating_characteristics import TITLE, WORLDS, page, part
from tests.modeling.operating import CALIBRATION, DISCRIMINATION, GATES, passed


def test_worlds_are_judged_by_every_gate_of_their_step() -> None:
    judged = {gate for scenario in (DISCRIMINATION[0], CALIBRATION[0]) for gate in passed(scenario, range(1))}
    assert judged == set(GATES)
    assert {gate for scenario in (*DISCRIMINATION, *CALIBRATION) for gate in scenario.wrong} >= {
        "auc_pr", "above_prevalence", "gap", "cv", "logit", "expected_observed", "slope", "brier_skill", "null_ece"
    }  # fmt: skip


@pytest.mark.prove
def test_the_page_is_what_the_simulation_gives() -> None:
    assert WORLDS >= 200
    assert part(TITLE) == page().rstrip("\n") + "\n"
