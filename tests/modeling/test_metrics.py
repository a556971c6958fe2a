"""Average precision, AUC, lift and capacity against scikit-learn and loops; ties included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from leadscore_v6.modeling.evaluation import lift_table
from leadscore_v6.modeling.metrics import Ranking, auc_roc, average_precision, gain, selected_by_week


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of both classes, scores with many ties, and weights."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(10, 300))
    label = (rng.random(size) < 0.3).astype(np.int8)
    label[:2] = (0, 1)
    score = rng.integers(0, draw(st.integers(1, 400)), size) / 7
    weights = rng.integers(0, 4, size).astype(np.float32)
    weights[:2] = 1
    return label, score, weights


@hypothesis_settings(max_examples=150, deadline=None)
@given(scored())
def test_metrics_are_those_of_scikit_learn_weighted_and_tied(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    label, score, weights = case
    curves = Ranking.of(label, score).curves(np.stack([np.ones_like(weights), weights]))
    for row, weight in enumerate((None, weights)):
        assert average_precision(*curves)[row] == pytest.approx(
            average_precision_score(label, score, sample_weight=weight), abs=1e-12
        )
        assert auc_roc(*curves)[row] == pytest.approx(roc_auc_score(label, score, sample_weight=weight), abs=1e-12)


@hypothesis_settings(max_examples=60, deadline=None)
@given(scored(), st.sampled_from([0.1, 0.25, 0.5]))
def test_gain_is_its_mean_over_the_orders_of_tied_leads(
    case: tuple[np.ndarray, np.ndarray, np.ndarray], share: float
) -> None:
    label, score, _ = case
    size = (len(label) // 20) * 20  # whole leads at every share
    if size < 20 or not label[:size].any():
        return
    label, score = label[:size].astype(int), score[:size]
    curves = Ranking.of(label, score).curves(np.ones((1, size), dtype=np.float32))
    count = round(share * size)
    cut = sorted(score, reverse=True)[count - 1]
    tied = [hit for hit, value in zip(label, score, strict=True) if value == cut]
    above = [hit for hit, value in zip(label, score, strict=True) if value > cut]
    expected = (sum(above) + (count - len(above)) * sum(tied) / len(tied)) / label.sum()
    assert gain(*curves, share)[0] == pytest.approx(expected, abs=1e-6)


def test_the_lift_table_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(4)
    score, label = rng.normal(size=537), (rng.random(537) < 0.2).astype(np.int8)
    table = lift_table(Ranking.of(label, score))
    by_score = [hit for _, hit in sorted(zip(score, label, strict=True), reverse=True)]
    start = gained = 0
    for number, row in enumerate(table):
        size = 54 if number < 7 else 53
        part = by_score[start : start + size]
        start, gained = start + size, gained + sum(part)
        assert (row.decile, row.leads, row.positives) == (number + 1, size, sum(part))
        assert row.lift == pytest.approx(np.mean(part) / label.mean())
        assert row.gain == pytest.approx(gained / label.sum())
    assert start == len(label)


@hypothesis_settings(max_examples=40, deadline=None)
@given(scored(), st.sampled_from([0.1, 0.45, 0.9]))
def test_capacity_is_each_weeks_own(case: tuple[np.ndarray, np.ndarray, np.ndarray], share: float) -> None:
    _, score, _ = case
    rng = np.random.default_rng(len(score))
    days = np.datetime64("2024-12-20") + rng.integers(0, 40, len(score))
    selected = selected_by_week(score, days, share)
    calendar = pd.Series(pd.to_datetime(days)).dt.isocalendar()
    weeks = list(zip(calendar["year"], calendar["week"], strict=True))
    for week in set(weeks):
        inside = [place for place, one in enumerate(weeks) if one == week]
        capacity = -(-len(inside) * round(100 * share) // 100)
        assert selected[inside].sum() == pytest.approx(capacity)
        worst_in = min(score[place] for place in inside if selected[place] > 0)
        assert all(score[place] <= worst_in for place in inside if selected[place] == 0)
        assert len({selected[place] for place in inside if score[place] == worst_in}) == 1
