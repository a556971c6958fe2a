"""Places among a day's scores: against counting one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore_v6.production.ranking import deciles, percentiles, trends


@given(st.lists(st.sampled_from([0.001, 0.01, 0.02, 0.5, 0.9]), min_size=1, max_size=300))
def test_a_percentile_counts_who_is_below(scores: list[float]) -> None:
    found = percentiles(np.array(scores))
    for score, percentile in zip(scores, found, strict=True):
        below = sum(other < score for other in scores)
        assert (percentile - 1) / 100 <= below / len(scores) < percentile / 100
    assert found.min() == 1


def test_a_hundred_different_scores_have_a_hundred_percentiles_and_ten_deciles() -> None:
    scores = np.random.default_rng(1).permutation(np.linspace(0.01, 0.9, 100))
    found = percentiles(scores)
    assert sorted(found) == list(range(1, 101))
    assert np.array_equal(np.argsort(found), np.argsort(scores))
    assert np.bincount(deciles(found))[1:].tolist() == [10] * 10
    assert (deciles(np.array([1, 10, 11, 90, 91, 100]))).tolist() == [1, 1, 2, 9, 10, 10]


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [(50, 47, "up"), (50, 48, "same"), (50, 52, "same"), (50, 53, "down"), (50, np.nan, "new")],
)
def test_a_trend_is_more_than_a_few_points(now: int, before: float, word: str) -> None:
    assert trends(np.array([now]), np.array([before]), 2).tolist() == [word]


def test_nobody_to_rank_is_no_error() -> None:
    assert percentiles(np.array([])).tolist() == []
