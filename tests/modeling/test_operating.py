"""The published operating characteristics are what the gates do (issue 4, "Done when" 4)."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from docs.operating_characteristics import FITTED_WORLDS, TITLE, WORLDS, page, part
from tests.modeling import operating_fitted as fitted
from tests.modeling.operating import CALIBRATION, DISCRIMINATION, GATES, passed, passing


def test_worlds_are_judged_by_every_gate_of_their_step() -> None:
    judged = {gate for scenario in (DISCRIMINATION[0], CALIBRATION[0]) for gate in passed(scenario, range(1))}
    assert judged == set(GATES)
    assert {gate for scenario in (*DISCRIMINATION, *CALIBRATION) for gate in scenario.wrong} >= {
        "auc_pr", "above_prevalence", "gap", "cv", "logit", "expected_observed", "slope", "brier_skill", "null_ece"
    }  # fmt: skip


def test_worlds_with_fitted_boosters_are_judged_by_the_other_gates() -> None:
    # As another process gets them.
    kinds = pickle.loads(pickle.dumps((fitted.FITTED[0], fitted.LEAKS[3])))  # noqa: S301 - our own
    judged = {gate for scenario in kinds for gate in fitted.fitted_passed(scenario, range(1))}
    assert judged == set(fitted.GATES)
    assert {gate for scenario in (*fitted.FITTED, *fitted.LEAKS) for gate in scenario.wrong} == set(fitted.GATES)


def test_the_page_has_the_thresholds_of_gates_yaml_and_what_is_not_judgeable_stops() -> None:
    """Another threshold is another page: it has to be written anew."""
    for gates in (GATES, fitted.GATES):
        assert [one for one in gates.values() if f": {one}\n" not in part(TITLE)] == []
    assert passing(GATES, {"worst_judged_segment_ece": None, "cv_coefficient": 0.19}) == {
        "judged_segment_ece": False, "cv": True
    }  # fmt: skip


def test_a_world_keeps_its_rate_and_changes_what_it_says() -> None:
    """A rate that moves would be another story than the one that a row tells."""
    for scenario in fitted.FITTED:
        months = np.array_split(fitted.world(scenario, 1).label, 5)
        assert [month.mean() for month in months] == pytest.approx([fitted.RATE] * 5, abs=0.04), scenario.name


@pytest.mark.prove
def test_the_page_is_what_the_simulation_gives() -> None:
    assert WORLDS >= 200
    assert FITTED_WORLDS * len(fitted.FITTED) >= 200
    assert part(TITLE) == page().rstrip("\n") + "\n"
