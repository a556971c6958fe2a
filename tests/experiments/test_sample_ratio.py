"""Sample ratios against a sum over all splits, in whole numbers; what blocks deal passes, what gets lost does not."""

from __future__ import annotations

from datetime import timedelta
from math import comb

import pytest
from scipy.stats import chisquare

from leadscore_v6.experiments.cohort import cohort
from leadscore_v6.experiments.looks import matured
from leadscore_v6.experiments.sample_ratio import sample_ratios, srm
from tests.experiments.trials import START, settings, trial

OF = settings()


@pytest.mark.parametrize(("treatment", "control"), [(1000, 1000), (1030, 970), (1100, 940), (1, 0), (7, 1)])
def test_srm_is_the_exact_test_and_the_chi_square_stands_beside_it(treatment: int, control: int) -> None:
    found = srm({"treatment": treatment, "control": control}, OF.assignment)
    together = treatment + control
    as_far = [split for split in range(together + 1) if abs(2 * split - together) >= abs(treatment - control)]
    assert found.p == pytest.approx(sum(comb(together, split) for split in as_far) / 2**together)
    assert found.chi_square == pytest.approx(chisquare([treatment, control]).statistic)


def test_srm_is_about_the_designs_ratio() -> None:
    of = settings(assignment={"ratio": {"treatment": 3, "control": 1}}).assignment
    assert srm({"treatment": 1500, "control": 500}, of).p == 1
    assert srm({"treatment": 1000, "control": 1000}, of).p < 1e-9
    assert srm({}, of).p == 1


def test_what_was_dealt_is_no_mismatch_and_dials_of_one_arm_that_are_lost_are_one() -> None:
    """R28: advisors are what was dealt, and one arm was given fewer dials."""
    made, as_of = trial(6), START + timedelta(days=100)
    arms = made.assignments.set_index("lead_id")["arm"]
    control = made.dials[made.dials["lead_id"].map(arms) == "control"]
    for dials, holds in ((made.dials, True), (made.dials.drop(control.index[::5]), False)):
        leads = cohort(made.assignments, dials, made.outcomes, as_of, OF.design).leads
        found = sample_ratios(leads, matured(leads, as_of, OF.design), OF.assignment)
        assert found.advisors.p > 0.5
        assert (found.dials.p >= 0.001) is holds
        assert found.p == min(found.advisors.p, found.dials.p)
        counted = leads[leads["dialled_on"].notna()].groupby("arm").size()
        assert (found.dials.treatment, found.dials.control) == (counted["treatment"], counted["control"])


def test_a_dial_that_has_not_matured_is_not_counted_yet() -> None:
    made, as_of = trial(2), START + timedelta(days=38)
    leads = cohort(made.assignments, made.dials, made.outcomes, as_of, OF.design).leads
    found = sample_ratios(leads, matured(leads, as_of, OF.design), OF.assignment).dials
    old = (leads["dialled_on"].dropna() < f"{START + timedelta(days=8)}").sum()
    assert 0 < found.treatment + found.control == old < leads["dialled_on"].notna().sum()
