"""Two arms compared, against statsmodels and a bootstrap that share no code with it."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportions_ztest

from leadscore_v6.experiments.effect import Comparison, RatioSums, complier_effect


def arm(counted: np.ndarray, per: np.ndarray, advisors: np.ndarray) -> RatioSums:
    return RatioSums.of(counted.astype(float), per.astype(float), advisors)


def clustered(seed: int, rate: float, advisors: int = 1500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """MQLs, dials and advisors of leads: up to four leads an advisor, up to three dials a lead, a shared rate."""
    rng = np.random.default_rng(seed)
    own = rng.beta(rate * 6, (1 - rate) * 6, advisors)
    who = np.repeat(np.arange(advisors), rng.integers(1, 5, advisors))
    return (rng.random(len(who)) < own[who]).astype(float), rng.integers(1, 4, len(who)).astype(float), who


def test_with_one_lead_an_advisor_it_is_the_pooled_z_of_two_proportions() -> None:
    size = 2209
    mqls = [np.arange(size) < hits for hits in (113, 75)]
    found = Comparison(*(arm(hits, np.ones(size), np.arange(size)) for hits in mqls))
    z, _ = proportions_ztest([113, 75], [size, size])
    assert found.z == pytest.approx(z, rel=1e-3)  # n / (n − 1) is all that they differ in


def test_sums_are_those_of_a_loop_over_advisors() -> None:
    y, d, who = clustered(1, 0.1, 50)
    found, ratio = arm(y, d, who), y.sum() / d.sum()
    residual = sum((y[who == one].sum() - ratio * d[who == one].sum()) ** 2 for one in range(50))
    assert found.ratio == pytest.approx(ratio)
    assert found.variance == pytest.approx(50 / 49 * residual / d.sum() ** 2)
    assert found.advisors == 50


def test_the_log_ratio_and_its_error_are_those_of_a_poisson_regression_with_clusters() -> None:
    """With dials as exposure, its point estimate is the ratio of the rates and its sandwich is over advisors."""
    one, other = clustered(2, 0.09), clustered(3, 0.06)
    found = Comparison(arm(*one), arm(*other))
    y, d = np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])
    treated = np.repeat([1.0, 0.0], [len(one[0]), len(other[0])])
    groups = np.concatenate([one[2], other[2] + 10_000])
    model = sm.GLM(y, sm.add_constant(treated), family=sm.families.Poisson(), exposure=d)
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert found.log_ratio == pytest.approx(fit.params[1], abs=1e-8)
    assert found.log_ratio_error == pytest.approx(fit.bse[1], rel=2e-3)
    naive = model.fit().bse[1]
    assert found.log_ratio_error > 1.1 * naive, "rows are not independent"


def test_experiments_at_once_are_experiments_one_by_one() -> None:
    arms = [[arm(*clustered(seed, rate)) for seed in (1, 2, 3)] for rate in (0.09, 0.06)]
    names = RatioSums.__annotations__
    stacked = Comparison(*(RatioSums(*(np.array([getattr(one, name) for one in of]) for name in names)) for of in arms))
    for place, pair in enumerate(zip(*arms, strict=True)):
        alone = Comparison(*pair)
        for name in ("z", "log_ratio", "log_ratio_error", "difference", "difference_error"):
            assert getattr(stacked, name)[place] == pytest.approx(getattr(alone, name))


def test_nothing_counted_is_not_a_number_and_no_warning() -> None:
    none = arm(np.zeros(9), np.ones(9), np.arange(9))
    empty = arm(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int))
    assert np.isnan(Comparison(none, none).z)
    assert np.isnan(Comparison(empty, empty).log_ratio)
    assert Comparison(none, arm(np.ones(9), np.ones(9), np.arange(9))).log_ratio == -np.inf


def test_the_effect_among_adopters_and_its_error_are_those_of_a_bootstrap_over_advisors() -> None:
    """Adoption is a matter of the advisor here, and adopters convert better: the two errors hang together."""
    y, d, who = clustered(4, 0.09)
    adopted = (who % 5 < 3).astype(float)
    y = np.maximum(y, (adopted > 0) & (np.random.default_rng(1).random(len(y)) < 0.03))
    control = clustered(5, 0.06)
    arms = Comparison(arm(y, d, who), arm(*control))
    adoption, effect, error = complier_effect(arms, y, d, adopted, who)
    assert adoption == pytest.approx(adopted.mean())
    assert effect == pytest.approx((y.sum() / d.sum() - control[0].sum() / control[1].sum()) / adopted.mean())

    def totals(columns: tuple[np.ndarray, ...], codes: np.ndarray) -> np.ndarray:
        return np.array([np.bincount(codes, column) for column in columns])

    rng = np.random.default_rng(6)
    treated = totals((y, d, adopted, np.ones(len(y))), who)
    usual = totals(control[:2], control[2])
    draws = []
    for _ in range(3000):
        t = treated[:, rng.integers(0, treated.shape[1], treated.shape[1])].sum(axis=1)
        c = usual[:, rng.integers(0, usual.shape[1], usual.shape[1])].sum(axis=1)
        draws.append((t[0] / t[1] - c[0] / c[1]) / (t[2] / t[3]))
    assert error == pytest.approx(np.std(draws), rel=0.05)


def test_where_nobody_adopted_there_is_no_such_effect() -> None:
    y, d, who = clustered(4, 0.09, 50)
    adoption, effect, _ = complier_effect(Comparison(arm(y, d, who), arm(y, d, who)), y, d, y * 0, who)
    assert adoption == 0
    assert np.isnan(effect)
