"""Performance on matured leads: scikit-learn and pair loops as references; what moves what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from leadscore_v6.errors import InputError
from leadscore_v6.monitoring.performance import Performance, Scored, expected, performance
from leadscore_v6.monitoring.settings import MonitoringSettings

NOBODY = Scored(np.empty(0), np.empty(0, dtype=np.int64))


def world(leads: int, seed: int = 1) -> tuple[np.ndarray, np.random.Generator]:
    """(n,) true log-odds, about 4 % positive, AUC about .8."""
    rng = np.random.default_rng(seed)
    return -4 + 1.3 * rng.normal(size=leads), rng


def look(log_odds: np.ndarray, truth: np.ndarray, seed: int, settings: MonitoringSettings) -> Performance:
    label = (np.random.default_rng(seed).random(len(truth)) < truth).astype(np.int8)
    of = replace(settings.performance, bootstrap_draws=200)
    return performance(Scored(expit(log_odds), np.arange(len(truth))), label, NOBODY, of, seed)


def test_figures_are_those_of_scikit_learn(settings: MonitoringSettings) -> None:
    log_odds, rng = world(4000)
    label = (rng.random(4000) < expit(log_odds)).astype(np.int8)
    found = performance(Scored(expit(log_odds), np.arange(4000)), label, NOBODY, settings.performance, 1).figures()
    assert found["auc_roc"] == pytest.approx(roc_auc_score(label, log_odds), abs=1e-6)
    assert found["average_precision"] == pytest.approx(average_precision_score(label, log_odds), abs=1e-6)
    assert found["expected_observed"] == pytest.approx(expit(log_odds).sum() / label.sum(), rel=1e-9)
    assert found["auc_drop"] == pytest.approx(found["auc_expected"] - found["auc_roc"], abs=1e-9)
    assert (found["matured_leads"], found["matured_positives"]) == (4000, label.sum())


def test_what_scores_promise_is_a_sum_over_all_pairs() -> None:
    rng = np.random.default_rng(2)
    p = rng.integers(1, 20, 60) / 40  # ties
    above = below = 0.0
    for first in p:
        for second in p:
            above += first * (1 - second) * ((first > second) + 0.5 * (first == second))
            below += first * (1 - second)
    assert expected(Scored(p, np.arange(60))).auc_roc == pytest.approx(above / below, abs=1e-9)
    assert expected(Scored(p, np.arange(60))).positives == pytest.approx(p.sum())


def test_what_scores_promise_is_what_comes_on_average() -> None:
    log_odds, rng = world(3000)
    p = expit(log_odds)
    labels = (rng.random((300, 3000)) < p).astype(np.int8)
    promised = expected(Scored(p, np.arange(3000)))
    assert promised.auc_roc == pytest.approx(np.mean([roc_auc_score(one, p) for one in labels]), abs=0.005)
    assert promised.average_precision == pytest.approx(
        np.mean([average_precision_score(one, p) for one in labels]), abs=0.02
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_right_model_is_no_drop_even_where_only_the_best_are_dialled(seed: int, settings: MonitoringSettings) -> None:
    log_odds, _ = world(12_000, seed)
    best = log_odds[log_odds > np.quantile(log_odds, 0.55)]
    whole, dialled = (look(one, expit(one), seed, settings) for one in (log_odds, best))
    assert not whole.dropped
    assert not dialled.dropped
    # Against a threshold from validation the dialled half would look like a collapse.
    assert dialled.figures()["auc_roc"] < whole.figures()["auc_roc"] - 0.05


def test_concept_drift_is_a_drop_that_the_estimate_alone_hides(settings: MonitoringSettings) -> None:
    log_odds, rng = world(12_000)
    truth = expit(-4 + 0.4 * (log_odds + 4) + 1.2 * rng.normal(size=12_000))
    found = look(log_odds, truth, 5, settings)
    assert found.dropped
    figures = found.figures()
    assert figures["performance_dropped"] == 1
    assert figures["auc_expected"] > 0.79
    assert figures["auc_roc"] < 0.72


def test_another_base_rate_is_no_drop_but_a_ratio(settings: MonitoringSettings) -> None:
    log_odds, _ = world(12_000)
    figures = look(log_odds, expit(log_odds - 0.7), 5, settings).figures()
    assert figures["performance_dropped"] == 0
    assert figures["expected_observed_low"] > 1.4


def test_young_leads_are_an_estimate_and_no_figure(settings: MonitoringSettings) -> None:
    log_odds, rng = world(4000)
    label = (rng.random(4000) < expit(log_odds)).astype(np.int8)
    old = Scored(expit(log_odds), np.arange(4000))
    good, bad = (Scored(p, np.arange(500)) for p in (expit(log_odds[:500]), np.full(500, 0.04)))
    of = replace(settings.performance, bootstrap_draws=100)
    with_good, with_bad = (performance(old, label, young, of, 1) for young in (good, bad))
    assert with_good.figures() == with_bad.figures()
    assert with_good.young is not None
    assert with_bad.young is not None
    assert with_bad.young.auc_roc == pytest.approx(0.5)
    assert with_good.young.auc_roc > 0.7


@pytest.mark.parametrize(
    ("positives", "says", "sure"), [(0, False, False), (19, False, False), (20, True, False), (100, True, True)]
)
def test_few_positives_say_less(positives: int, says: bool, sure: bool, settings: MonitoringSettings) -> None:
    log_odds, _ = world(1000)
    label = (np.arange(1000) < positives).astype(np.int8)
    found = performance(Scored(expit(log_odds), np.arange(1000)), label, NOBODY, settings.performance, 1).figures()
    assert (found["auc_roc"] is not None) == says
    assert (found["performance_dropped"] is not None) == sure
    assert (found["expected_observed_low"] is not None) == sure
    assert found["matured_positives"] == positives


def test_an_advisors_leads_widen_the_interval(settings: MonitoringSettings) -> None:
    log_odds, rng = world(500)
    label = (rng.random(500) < expit(log_odds + 3)).astype(np.int8)
    p, twenty = expit(np.repeat(log_odds + 3, 20)), np.repeat(label, 20)
    widths = []
    for advisors in (np.arange(10_000), np.repeat(np.arange(500), 20)):
        figures = performance(Scored(p, advisors), twenty, NOBODY, settings.performance, 1).figures()
        widths.append(figures["auc_roc"] - figures["auc_roc_low"])
    assert widths[1] > 3 * widths[0]


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan")])
def test_what_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="probability"):
        Scored(np.array([0.5, value]), np.arange(2))
