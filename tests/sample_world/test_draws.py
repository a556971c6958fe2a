"""Draws that each are uniform, and together leave no doubt how many there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leadscore_v6.sample_world.draws import dealt

DEALS = 4_000


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_a_group_has_its_due_give_or_take_one(leads: list[tuple[float, int]], seed: int) -> None:
    probability, group = np.array([p for p, _ in leads]), np.array([g for _, g in leads])
    below = dealt(np.random.default_rng(seed), probability, group) < probability
    for one in set(group.tolist()):
        inside = group == one
        assert abs(below[inside].sum() - probability[inside].sum()) < 1 + 1e-9


@pytest.fixture(scope="module")
def deals() -> np.ndarray:
    """(DEALS, 40) numbers dealt to two groups of twenty."""
    rng = np.random.default_rng(7)
    return np.array([dealt(rng, PROBABILITY, GROUP) for _ in range(DEALS)])


PROBABILITY = np.linspace(0.02, 0.6, 40)
GROUP = np.arange(40) % 2


def test_each_number_is_uniform_on_its_own(deals: np.ndarray) -> None:
    p_values = [stats.kstest(column, "uniform").pvalue for column in deals.T]
    assert min(p_values) > 0.001 / len(p_values)
    shares = (deals < PROBABILITY).mean(axis=0)
    assert (np.abs(shares - PROBABILITY) < 5 * np.sqrt(PROBABILITY * (1 - PROBABILITY) / DEALS)).all()


def test_which_ones_is_left_to_chance(deals: np.ndarray) -> None:
    """In half of a group the count varies as it does when so many are drawn without replacement; groups do not care."""
    below = deals < PROBABILITY
    half = (GROUP == 0) & (np.arange(40) < 20)
    rest = (GROUP == 0) & ~half
    spread = (PROBABILITY * (1 - PROBABILITY))[half].sum()
    left = (PROBABILITY * (1 - PROBABILITY))[rest].sum()
    # Poisson sampling that is conditioned on its size (Hájek 1964): the variance of the one part shrinks so.
    assert below[:, half].sum(axis=1).var() == pytest.approx(spread * left / (spread + left), rel=0.15)
    counts = [below[:, one == GROUP].sum(axis=1) for one in (0, 1)]
    assert abs(np.corrcoef(*counts)[0, 1]) < 5 / np.sqrt(DEALS)
