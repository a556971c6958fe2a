"""Boundaries against published tables, and against an integration that shares no code with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from leadscore_v6.experiments.sequential import (
    adjusted_p,
    critical_values,
    crossing,
    drift_interval,
    lan_demets,
    lan_demets_final,
    obrien_fleming,
    obrien_fleming_spending,
    upper_tail,
)

ALPHA = 0.05
UNEQUAL = (0.22, 0.61, 0.87)


def within(information: Sequence[float], low: Sequence[float], high: Sequence[float], drift: float = 0.0) -> float:
    """Chance that every z lies between `low` and `high`: Genz' integration of the joint normal distribution."""
    t = np.array(information)
    ordered = np.minimum.outer(t, t) / np.sqrt(np.multiply.outer(t, t))
    joint = multivariate_normal(drift * np.sqrt(t), ordered, maxpts=2_000_000, abseps=1e-7, releps=1e-7, seed=1)
    return float(joint.cdf(np.array(high), lower_limit=np.array(low)))


# --- published -----------------------------------------------------------------------------------------------------


def test_the_classic_obrien_fleming_design_of_two_looks() -> None:
    assert obrien_fleming(2, ALPHA).critical == pytest.approx((2.797, 1.977), abs=1e-3)


@pytest.mark.parametrize("published", [(3.710, 2.511, 1.993), (4.877, 3.357, 2.680, 2.290, 2.031)], ids=len)
def test_lan_demets_with_obrien_fleming_type_spending(published: tuple[float, ...]) -> None:
    looks = len(published)
    found = lan_demets([(look + 1) / looks for look in range(looks)], ALPHA)
    assert found.critical == pytest.approx(published, abs=1e-3)


@pytest.mark.parametrize(("looks", "error"), [(1, 0.05), (2, 0.083), (3, 0.107), (5, 0.142), (10, 0.193), (20, 0.248)])
def test_peeking_at_196_inflates_the_error_as_armitage_mcpherson_and_rowe_tabulated(looks: int, error: float) -> None:
    peeks = [(look + 1) / looks for look in range(looks)]
    assert crossing(peeks, [1.959964] * looks).sum() == pytest.approx(error, abs=6e-4)


# --- unequal information, against the joint normal distribution -------------------------------------------------------


def test_alpha_is_spent_as_planned_at_unequal_information() -> None:
    found = lan_demets_final(UNEQUAL, ALPHA)
    assert found.spent[-1] == ALPHA, "the final look spends what is left, although information is short of the plan"
    for looks in (1, 2, 3):
        edges = np.array(found.critical[:looks])
        assert 1 - within(UNEQUAL[:looks], -edges, edges) == pytest.approx(found.spent[looks - 1], abs=2e-6)


def test_spending_is_lan_and_demets_formula() -> None:
    for at in UNEQUAL:
        one_side = 2 * norm.sf(norm.isf(ALPHA / 4) / np.sqrt(at))
        assert obrien_fleming_spending(at, ALPHA) == pytest.approx(2 * one_side, rel=1e-9)
    assert obrien_fleming_spending(1.2, ALPHA) == ALPHA


@pytest.mark.parametrize("drift", [0.0, 1.3, 2.8, -2.0])
def test_the_chance_to_cross_at_each_look_with_an_effect(drift: float) -> None:
    critical = lan_demets_final(UNEQUAL, ALPHA).critical
    found = crossing(UNEQUAL, critical, drift)
    for look in range(3):
        low, high = -np.array(critical[: look + 1]), np.array(critical[: look + 1])
        above_low, above_high = low.copy(), high.copy()
        above_low[look], above_high[look] = critical[look], 40.0
        assert found[look, 0] == pytest.approx(within(UNEQUAL[: look + 1], above_low, above_high, drift), abs=3e-6)
    assert found[:, 1] == pytest.approx(crossing(UNEQUAL, critical, -drift)[:, 0]), "the other side is the mirror"


@pytest.mark.parametrize(("z", "drift"), [(2.4, 0.0), (0.7, 1.1), (-1.0, 0.4)])
def test_the_tail_in_the_stage_wise_order(z: float, drift: float) -> None:
    earlier = lan_demets(UNEQUAL, ALPHA).critical[:2]
    first, second = earlier
    expected = (
        within(UNEQUAL[:1], [first], [40.0], drift)
        + within(UNEQUAL[:2], [-first, second], [first, 40.0], drift)
        + within(UNEQUAL, [-first, -second, z], [first, second, 40.0], drift)
    )
    assert upper_tail(UNEQUAL, earlier, z, drift) == pytest.approx(expected, abs=3e-6)


# --- what must hold by construction -----------------------------------------------------------------------------------


def test_a_test_that_ends_on_its_boundary_has_the_p_value_that_was_spent() -> None:
    found = lan_demets_final((0.5, 0.93), ALPHA)
    for looks in (1, 2):
        for sign in (1, -1):
            p = adjusted_p(found.information[:looks], found.critical[: looks - 1], sign * found.critical[looks - 1])
            assert p == pytest.approx(found.spent[looks - 1], abs=1e-8)


def test_one_look_is_the_textbook() -> None:
    assert lan_demets_final([0.8], ALPHA).critical[0] == pytest.approx(norm.isf(0.025), abs=1e-7)
    assert adjusted_p([0.8], [], 2.2) == pytest.approx(2 * norm.sf(2.2), abs=1e-9)
    half = norm.isf(0.025)
    assert drift_interval([0.8], [], 2.2, ALPHA) == pytest.approx(((2.2 - half) / 0.8**0.5, (2.2 + half) / 0.8**0.5))


def test_the_interval_excludes_no_effect_exactly_when_the_boundary_is_crossed() -> None:
    found = lan_demets((0.5, 1.0), ALPHA)
    for shift, excluded in ((1e-4, True), (-1e-4, False)):
        low, _ = drift_interval(found.information, found.critical[:1], found.critical[1] + shift, ALPHA)
        assert (low > 0) is excluded


@pytest.mark.parametrize("drift", [0.0, 2.8])
def test_the_interval_covers_95_of_100_tests(drift: float) -> None:
    """Drawn score processes; the intervals by the product. Four standard errors of the share."""
    found, rng = lan_demets((0.5, 1.0), ALPHA), np.random.default_rng(3)
    half = rng.normal(drift * 0.5, 0.5**0.5, 400)
    z1, z2 = half / 0.5**0.5, half + rng.normal(drift * 0.5, 0.5**0.5, 400)
    covered = []
    for first, second in zip(z1, z2, strict=True):
        ended = abs(first) >= found.critical[0]
        looks, z = (1, first) if ended else (2, second)
        low, high = drift_interval(found.information[:looks], found.critical[: looks - 1], z, ALPHA)
        covered.append(low <= drift <= high)
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 400) ** 0.5)


def test_a_look_at_next_to_nothing_spends_nothing_and_harms_nothing() -> None:
    critical = critical_values((0.001, 1.0), [obrien_fleming_spending(0.001, ALPHA), ALPHA])
    assert critical[0] == 10.0
    assert critical[1] == pytest.approx(norm.isf(0.025), abs=1e-6)
