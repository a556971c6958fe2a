"""ECE, E/O, slope, Brier skill against loops and statsmodels; what R20's companions catch and what they let pass."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from leadscore_v6.modeling.calibration import Calibrator, fit_segments
from leadscore_v6.modeling.reliability import Judged, equal_mass_bins, expected_calibration_error, judge, null_ece
from tests.modeling import worlds

OF = worlds.settings(evaluation={"bootstrap_draws": 800, "min_positives_interval": 100}).evaluation


def leads(count: int = 9000, seed: int = 1, stretch: float = 1.0, shift: float = 0.0) -> Judged:
    """True log-odds, and a judge's view of them: stretched about -3.4 and shifted. 3 to 4 % positive."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-3.9, 1.1, count)
    label = (rng.random(count) < expit(truth)).astype(np.int8)
    advisors = rng.integers(0, int(0.9 * count), count)
    return Judged((truth + 3.4) * stretch - 3.4 + shift, label, advisors)


def test_ece_is_that_of_a_loop() -> None:
    found = leads(1003)
    probability = expit(found.log_odds)
    order = sorted(range(1003), key=lambda place: probability[place])
    total, start = 0.0, 0
    for number in range(10):
        part = order[start : start + (101 if number < 3 else 100)]
        start += len(part)
        gap = sum(found.label[place] for place in part) - sum(probability[place] for place in part)
        total += abs(gap) / 1003
    assert start == 1003
    bins = equal_mass_bins(probability, found.label, 10)
    assert expected_calibration_error(bins) == pytest.approx(total, abs=1e-12)


def test_figures_are_those_of_statsmodels_with_advisors_as_clusters() -> None:
    found = leads(stretch=1.3, shift=0.2)
    judged = judge(found, OF, seed=3)
    probability = expit(found.log_odds)
    logistic = sm.Logit(found.label, sm.add_constant(found.log_odds)).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": found.advisors}
    )
    assert (judged.intercept.value, judged.slope.value) == pytest.approx(tuple(logistic.params), abs=1e-6)
    assert (judged.slope.high - judged.slope.low) / (2 * 1.96) == pytest.approx(logistic.bse[1], rel=0.12)
    assert judged.expected_observed.value == pytest.approx(probability.sum() / found.label.sum())
    brier, base = np.mean((probability - found.label) ** 2), found.label.var()
    assert judged.brier_skill.value == pytest.approx(1 - brier / base)
    low, high = judged.brier_skill.low, judged.brier_skill.high
    assert low < judged.brier_skill.value < high


@pytest.mark.parametrize(
    ("how", "caught_by"),
    [
        ({}, None),
        ({"shift": np.log(2)}, "expected_observed"),
        ({"stretch": 2.0}, "slope"),
        ({"stretch": 0.5}, "slope"),
    ],
)
def test_what_ece_lets_pass_its_companions_catch(how: dict[str, float], caught_by: str | None) -> None:
    """At 3.4 % doubled odds and half the slope keep ECE below the plan's .05."""
    judged = judge(leads(**how), OF, seed=3)
    assert judged.ece <= 0.05
    bands = {"expected_observed": (0.9, 1.1), "slope": (0.8, 1.25)}
    missed = {
        name
        for name, (low, high) in bands.items()
        if getattr(judged, name).high < low or getattr(judged, name).low > high
    }
    assert missed >= ({caught_by} if caught_by else set())
    assert bool(missed) == bool(caught_by)


def test_a_constant_has_no_skill() -> None:
    found = leads()
    constant = Judged(np.full(len(found.label), logit(found.label.mean())), found.label, found.advisors)
    judged = judge(constant, OF, seed=3)
    assert judged.ece <= 0.05
    assert judged.brier_skill.low <= 0


def test_few_positives_are_not_judgeable() -> None:
    judged = judge(leads(800), OF, seed=3, null=np.array([0.1]))
    assert judged.positives < 100
    assert (judged.slope.low, judged.expected_observed.low, judged.null_ece_p95) == (None, None, None)


@pytest.mark.parametrize("positives", [0, 1, 200])
def test_a_group_of_one_class_can_be_looked_at(positives: int) -> None:
    label = (np.arange(200) < positives).astype(np.int8)
    judged = judge(Judged(np.random.default_rng(0).normal(-3, 1, 200), label, np.arange(200)), OF, seed=1)
    assert 0 <= judged.ece <= 1
    assert judged.brier_skill.low is None


def right_model(seed: int, count: int = 1000) -> tuple[np.ndarray, np.ndarray, Calibrator, Judged]:
    """Two blocks of a world in which Platt is right, the calibrator fitted on the first, the second judged."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(-3.4, 1.2, 2 * count)
    label = (rng.random(2 * count) < expit(1.2 * margin + 0.4)).astype(np.int8)
    nowhere = np.full(count, "all", dtype=object)
    fitted = fit_segments(margin[:count], label[:count], nowhere, "size", worlds.settings().calibration)
    late = margin[count:]
    return margin[:count], late, fitted, Judged(fitted.log_odds(late, nowhere), label[count:], np.arange(count))


def test_the_null_is_the_ece_of_refits_one_by_one_on_any_number_of_cores() -> None:
    margin, late, fitted, _ = right_model(7)
    of = worlds.settings(evaluation={"null_draws": 120})
    places = np.where(np.arange(1000) % 3 == 0, "some", "most").astype(object)
    blocks = (margin, places), (late, places[::-1])
    null = null_ece(*blocks, fitted, (of.calibration, of.evaluation), 5)
    assert null_ece(*blocks, fitted, (of.calibration, of.evaluation), 5, 2).tobytes() == null.tobytes()
    rng = np.random.default_rng(5)
    for found in null:
        label = (rng.random(1000) < fitted.probability(margin, places)).astype(np.int8)
        later = (rng.random(1000) < fitted.probability(late, places[::-1])).astype(np.int8)
        refitted = fit_segments(margin, label, places, "size", of.calibration)
        bins = equal_mass_bins(refitted.probability(late, places[::-1]), later, of.evaluation.ece_bins)
        assert found == pytest.approx(expected_calibration_error(bins), abs=1e-12)


def test_a_right_model_seldom_leaves_its_null() -> None:
    """Share of right models above their null's 95th percentile: near 5 %."""
    beyond = 0
    of = worlds.settings(evaluation={"null_draws": 100})
    nowhere = np.full(1000, "all", dtype=object)
    for seed in range(30):
        margin, late, fitted, judged = right_model(seed)
        null = null_ece((margin, nowhere), (late, nowhere), fitted, (of.calibration, of.evaluation), seed)
        ece = expected_calibration_error(equal_mass_bins(expit(judged.log_odds), judged.label, 10))
        beyond += ece > np.percentile(null, 95)
    assert beyond <= 5, "binomial(30, .05) is above 5 one time in 300"


def test_the_null_is_refitted_in_every_draw() -> None:
    """Mean null ECE beside that of refits by statsmodels. A calibrator that stays as it is gives a tenth less."""
    of = worlds.settings(evaluation={"null_draws": 200})
    nowhere = np.full(1000, "all", dtype=object)
    ratios = []
    for seed in range(4):
        margin, late, fitted, judged = right_model(seed)
        null = null_ece((margin, nowhere), (late, nowhere), fitted, (of.calibration, of.evaluation), seed)
        rng = np.random.default_rng(100 + seed)
        early_truth, late_truth = fitted.probability(margin, nowhere), expit(judged.log_odds)
        twin = []
        for _ in range(200):
            early_label, late_label = rng.random(1000) < early_truth, rng.random(1000) < late_truth
            intercept, slope = sm.Logit(early_label, sm.add_constant(margin)).fit(disp=0).params
            probability = expit(intercept + slope * late)
            twin.append(expected_calibration_error(equal_mass_bins(probability, late_label, 10)))
        ratios.append(null.mean() / np.mean(twin))
    # Each ratio has a standard error of 2.8 %, their mean of 1.4 %.
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("count", "mean", "p95"), [(2000, 0.009, 0.014), (8400, 0.0045, 0.0069)])
def test_the_null_without_refit_has_the_published_size(count: int, mean: float, p95: float) -> None:
    """statistics.md, "Null ECE", at 3.4 % prevalence."""
    rng = np.random.default_rng(0)
    probability = expit(rng.normal(-3.75, 0.9, count))
    drawn = [
        expected_calibration_error(equal_mass_bins(probability, rng.random(count) < probability, 10))
        for _ in range(300)
    ]
    assert np.mean(drawn) == pytest.approx(mean, rel=0.15)
    assert np.percentile(drawn, 95) == pytest.approx(p95, rel=0.15)
