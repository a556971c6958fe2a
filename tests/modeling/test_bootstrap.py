"""Advisors are drawn, not leads; what is drawn is what a loop over copied rows would see."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from leadscore_v6.modeling.bootstrap import cluster_counts, interval, over_advisors
from leadscore_v6.modeling.evaluation import Evaluation, ScoredLeads, compare, cross_validation, evaluate, gaps
from leadscore_v6.modeling.metrics import Ranking, average_precision
from tests.modeling import worlds

OF = worlds.settings().evaluation


def scored(leads: int = 1200, seed: int = 0, per_advisor: int = 3) -> ScoredLeads:
    """Leads whose advisors share label and score to a good part: rows are far from independent."""
    rng = np.random.default_rng(seed)
    advisors = np.repeat(np.arange(leads // per_advisor), per_advisor)
    propensity = rng.normal(size=leads // per_advisor)[advisors]
    label = (propensity + 0.3 * rng.normal(size=leads) > 1.4).astype(np.int8)
    score = propensity + rng.normal(size=leads)
    contact = np.datetime64("2025-01-06") + np.sort(rng.integers(0, 100, leads))
    return ScoredLeads(np.arange(leads), label, score, advisors * 17 + 5, contact)


def test_draws_are_those_of_a_loop_that_copies_the_rows_of_each_drawn_advisor() -> None:
    leads = scored(300)
    ranking = Ranking.of(leads.label, leads.score)
    drawn = over_advisors(leads.advisors, lambda w: average_precision(*ranking.curves(w))[:, None], 25, seed=9)[:, 0]
    rng = np.random.default_rng(9)  # the documented draw: advisors by number, with replacement
    known = np.unique(leads.advisors)
    for value in drawn:
        chosen = known[rng.integers(0, len(known), size=len(known), dtype=np.int64)]
        rows = np.concatenate([np.flatnonzero(leads.advisors == advisor) for advisor in chosen])
        assert value == pytest.approx(average_precision_score(leads.label[rows], leads.score[rows]), abs=1e-12)


def test_every_draw_has_as_many_advisors_as_there_are() -> None:
    counts = np.concatenate(list(cluster_counts(700, 50, seed=1)))
    assert counts.shape == (50, 700)
    assert (counts.sum(axis=1) == 700).all()


def test_the_interval_is_that_of_advisors_not_of_rows() -> None:
    """The mean label's interval against the textbook's cluster-robust one; that of rows is far narrower."""
    leads = scored(6000, per_advisor=6)
    drawn = over_advisors(leads.advisors, lambda w: (w * leads.label).sum(1, keepdims=True) / w.sum(1, keepdims=True),
                          2000, seed=2)  # fmt: skip
    low, high = interval(drawn[:, 0])
    by_advisor = leads.label.reshape(-1, 6).mean(axis=1)
    robust = by_advisor.std(ddof=1) / np.sqrt(len(by_advisor))
    rows = leads.label.std() / np.sqrt(len(leads.label))
    assert (high - low) / (2 * 1.96) == pytest.approx(robust, rel=0.1)
    assert robust > 1.8 * rows


def test_the_same_seed_gives_the_same_intervals_and_another_one_others() -> None:
    leads = scored()
    one, same, other = (evaluate(leads, OF, seed) for seed in (1, 1, 2))
    assert one == same
    assert one.average_precision != other.average_precision


def test_below_the_minimum_of_positives_there_is_no_interval() -> None:
    leads = scored()
    few = worlds.settings(evaluation={"min_positives_interval": 10_000}).evaluation
    found: Evaluation = evaluate(leads, few, 1)
    assert found.average_precision.value == evaluate(leads, OF, 1).average_precision.value
    assert found.average_precision.low is None
    assert compare(leads, leads.score, few, 1).verdict == "not judgeable"


def test_figures_are_those_of_loops() -> None:
    leads = scored()
    found = evaluate(leads, OF, 1)
    weeks = (leads.contact - np.datetime64("2025-01-06")).astype(int) // 7
    dialled = []
    for week in np.unique(weeks):
        inside = np.flatnonzero(weeks == week)
        best = inside[np.argsort(-leads.score[inside])]
        dialled += best[: int(np.ceil(OF.capacity_share * len(inside)))].tolist()
    assert found.precision_at_capacity.value == pytest.approx(leads.label[dialled].mean(), rel=1e-5)
    assert found.mqls_per_100_dials_assuming_one_dial_per_lead.value == pytest.approx(
        100 * leads.label[dialled].mean(), rel=1e-5
    )
    assert found.ap_over_prevalence.value == pytest.approx(found.average_precision.value / leads.label.mean())
    top = np.argsort(-leads.score)[:120]
    assert found.lift_top_decile.value == pytest.approx(leads.label[top].mean() / leads.label.mean())


def test_two_models_are_compared_on_the_same_resamples() -> None:
    leads = scored()
    rng = np.random.default_rng(5)
    same = compare(leads, leads.score * 2 + 1, OF, 1)
    assert (same.difference.value, same.difference.low, same.difference.high) == (0, 0, 0)
    assert same.verdict == "equal"
    assert compare(leads, rng.normal(size=len(leads.score)), OF, 1).verdict == "better"
    worse = ScoredLeads(leads.rows, leads.label, rng.normal(size=len(leads.score)), leads.advisors, leads.contact)
    assert compare(worse, leads.score, OF, 1).verdict == "worse"


def test_the_coefficient_is_population_std_over_mean_and_noise_is_of_its_size_for_equal_folds() -> None:
    blocks = [scored(seed=seed) for seed in range(8)]
    found = cross_validation(blocks, OF, 1)
    values = [average_precision_score(block.label, block.score) for block in blocks]
    assert found.mean == pytest.approx(np.mean(values))
    assert found.coefficient == pytest.approx(np.std(values) / np.mean(values))
    assert found.noise == pytest.approx(found.coefficient, rel=0.6)


def test_the_three_gaps() -> None:
    found = gaps(0.5, 0.2, 0.15)
    assert (found.in_sample_relative, found.oof_to_holdout, found.absolute_points) == pytest.approx((0.7, 0.25, 5.0))
    assert gaps(0.5, 0.2, 0.3).oof_to_holdout == 0.0, "a better holdout is no gap"
