"""Sample sizes against the published ones, power against the textbook, flow and calendar against hand-made weeks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import norm

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.power import (
    Flow,
    PowerAnalysis,
    arcsine_per_arm,
    chance_of_go,
    pooled_z_per_arm,
    power_analysis,
)
from tests.experiments.trials import START, settings

RATE = 0.034


def plan(leads_per_week: float = 1400, **sections: dict[str, object]) -> PowerAnalysis:
    return power_analysis(RATE, Flow(leads_per_week), settings(**sections), START)


@pytest.mark.parametrize(("lift", "published"), [(0.3, 5668), (0.2, 12221), (0.1, 46747)])
def test_the_pooled_z_needs_the_published_sizes(lift: float, published: int) -> None:
    assert np.ceil(pooled_z_per_arm(RATE, lift, settings().design)) == pytest.approx(published, abs=1)


def test_at_the_plans_lift_both_calculations_are_the_published_ones_and_the_larger_is_planned() -> None:
    found = plan(design={"looks": [1.0]})
    assert (round(found.per_arm_arcsine), round(found.per_arm_pooled_z)) == (2189, 2209)
    assert found.dials == 2 * np.ceil(found.per_arm_pooled_z)
    assert arcsine_per_arm(RATE, 0.5, settings().design) == found.per_arm_arcsine


def test_the_looks_cost_what_the_literature_says() -> None:
    """Jennison & Turnbull's table of inflation factors has 1.008 for the classic design; the spending design less."""
    assert 1.001 < plan().looks_inflation < 1.008
    assert plan().dials == 2 * np.ceil(plan().per_arm_pooled_z * plan().looks_inflation)


@pytest.mark.parametrize(("weeks", "published"), [(4, 0.44), (8, 0.72), (10, 0.81)])
def test_power_of_461_leads_a_week_all_dialled(weeks: int, published: float) -> None:
    found = plan(461, design={"looks": [1.0], "capacity_share": 1.0})
    assert found.at(weeks).power == pytest.approx(published, abs=0.011)
    dials, other = 461 * weeks / 2, RATE * 1.5
    error = np.sqrt((RATE * (1 - RATE) + other * (1 - other)) / dials)
    assert found.at(weeks).power == pytest.approx(norm.cdf((other - RATE) / error - 1.96), abs=0.01)


def test_power_is_on_dials_not_on_leads() -> None:
    """R42: the capacity's share of the leads is what counts."""
    whole, part = plan(630, design={"capacity_share": 1.0}), plan(1400, design={"capacity_share": 0.45})
    assert part.dials_per_week == whole.dials_per_week == 630
    assert (part.enrolment_weeks, part.curve) == (whole.enrolment_weeks, whole.curve)
    assert part.leads_a_week_needed == pytest.approx(whole.leads_a_week_needed / 0.45, abs=2)


def test_the_flow_that_would_do_does_and_one_lead_less_does_not() -> None:
    needed = plan(700).leads_a_week_needed
    assert plan(700).enrolment_weeks > 8
    assert plan(needed).enrolment_weeks == 8
    assert plan(needed - 1).enrolment_weeks == 9
    assert plan(needed).figures()["power"] == pytest.approx(0.8, abs=2e-3)
    assert plan(needed - 40).figures()["power"] < 0.8
    assert (
        plan(needed).figures()["dials_available_over_required"]
        >= 1
        > (plan(needed - 1).figures()["dials_available_over_required"])
    )


def test_partial_adoption_is_a_smaller_lift() -> None:
    found = plan()
    assert found.lift_at_adoption == pytest.approx(0.3)
    assert found.dials_at_adoption == pytest.approx(2 * 5668 * found.looks_inflation, abs=2)
    assert found.figures()["power_at_adoption"] == pytest.approx(0.45, abs=0.02)
    assert found.figures()["power"] > 0.8


def test_the_smallest_lift_found_needs_just_the_dials_that_there_are() -> None:
    found = plan()
    again = power_analysis(RATE, Flow(1400), settings(design={"target_lift": found.minimum_lift}), START)
    assert again.dials == pytest.approx(found.dials_per_week * 8, abs=4)
    assert plan(1).minimum_lift is None or plan(1).minimum_lift > 5


def test_leads_that_share_an_advisor_count_for_less() -> None:
    """Kish: 1 + correlation × other dialled leads of the advisor."""
    alone, shared = plan(), power_analysis(RATE, Flow(1400, 2.0), settings(), START)
    assert shared.design_effect == pytest.approx(1 + 0.05 * 2.0 * 0.45)
    assert shared.dials == pytest.approx(alone.dials * shared.design_effect, abs=3)


def test_an_uneven_split_needs_more() -> None:
    uneven = plan(assignment={"ratio": {"treatment": 3, "control": 1}})
    assert uneven.dials == pytest.approx(plan().dials / (4 * 0.75 * 0.25), abs=3)


def test_looks_are_due_when_their_dials_have_matured() -> None:
    found = plan(1400)
    first, last = found.calendar
    assert (first.dials, last.dials) == (np.ceil(found.dials / 2), found.dials)
    for look in found.calendar:
        weeks = next(week for week in range(1, 99) if 630 * week >= look.dials)  # queues of weeks 0 … weeks − 1
        assert look.due_on == START + timedelta(days=7 * (weeks - 1) + 7 + 31)


def test_the_plans_gate_is_a_coin_at_its_own_lift_whatever_the_size() -> None:
    """R27."""
    for dials in (5_000, 50_000, 500_000):
        assert chance_of_go(0.5, RATE, dials, settings()) == pytest.approx(0.5, abs=0.01)
    assert chance_of_go(0.0, RATE, 2209, settings()) < 0.025
    assert chance_of_go(1.0, RATE, 2209, settings()) > 0.95


def test_the_flow_is_that_of_whole_weeks_before_the_day() -> None:
    days = [START - timedelta(days=back) for back in (1, 7, 8, 14, 15, 40)] + [START, START + timedelta(days=3)]
    found = Flow.of(np.array(days, dtype="datetime64[D]"), np.array([5, 5, 5, 6, 7, 7, 5, 5]), START, 2)
    assert found.leads_per_week == 4 / 2
    assert found.other_leads_of_advisor == pytest.approx((2 + 2 + 2 + 0) / 4)


def test_a_flow_of_fewer_weeks_does_not_pass_for_one_of_all() -> None:
    days = np.array([START - timedelta(days=3)], dtype="datetime64[D]")
    with pytest.raises(InputError, match="no lead is known from before"):
        Flow.of(days, np.array([1]), START, 8)


@pytest.mark.parametrize(("rate", "flow"), [(0.0, 100), (0.7, 100), (0.03, 0)])
def test_what_cannot_be_designed_is_refused(rate: float, flow: float) -> None:
    with pytest.raises(UsageError, match="cannot be designed"):
        power_analysis(rate, Flow(flow), settings(), date(2025, 11, 10))
