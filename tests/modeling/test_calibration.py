"""Platt scaling against scikit-learn; shrinkage between its two limits; in sample it is refused (R19)."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.calibrated import Calibration, calibrate, subgroups
from leadscore_v6.modeling.calibration import Calibrator, fit_calibrator, fit_lines, fit_platt, fit_segments, fit_shrunk
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.training import Training
from tests.modeling import worlds

OF = worlds.settings().calibration


def margins(leads: int = 8000, slope: float = 1.4, intercept: float = 0.6, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    margin = rng.normal(-3.5, 1.2, leads)
    label = (rng.random(leads) < expit(slope * margin + intercept)).astype(np.int8)
    return margin, label


class Margin(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose decision function is its input."""

    classes_ = np.array([0, 1])

    def fit(self, X, y):  # noqa: N803 - scikit-learn's name
        return self

    def decision_function(self, X):  # noqa: N803 - scikit-learn's name
        return X[:, 0]

    def predict(self, X):  # noqa: N803 - scikit-learn's name
        return (X[:, 0] > 0).astype(int)

    def __sklearn_is_fitted__(self):
        return True


@pytest.mark.parametrize("seed", range(3))
def test_platt_is_that_of_scikit_learn_on_the_margin(seed: int) -> None:
    margin, label = margins(seed=seed)
    reference = CalibratedClassifierCV(FrozenEstimator(Margin()), method="sigmoid").fit(margin[:, None], label)
    slope, intercept = fit_platt(margin, label[None])[0]
    ours = expit(slope * margin + intercept)
    np.testing.assert_allclose(ours, reference.predict_proba(margin[:, None])[:, 1], rtol=2e-4)


def test_the_prior_leads_from_the_global_fit_to_the_segments_own() -> None:
    margin, label = margins(3000, slope=0.8, intercept=-0.2)
    overall, labels = np.array([[1.4, 0.6]]), label[None]
    (tight,) = fit_shrunk(margin, labels, overall, replace(OF, prior_sd_intercept=1e-6, prior_sd_slope=1e-6))
    assert tight == pytest.approx((1.4, 0.6), abs=1e-6)
    (loose,) = fit_shrunk(margin, labels, overall, replace(OF, prior_sd_intercept=1e4, prior_sd_slope=1e4))
    free = LogisticRegression(C=np.inf, tol=1e-8).fit(margin[:, None], label)
    assert loose == pytest.approx((free.coef_[0, 0], free.intercept_[0]), abs=1e-3)
    (between,) = fit_shrunk(margin, labels, overall, OF)
    assert min(loose[0], 1.4) < between[0] < max(loose[0], 1.4)


def test_many_labellings_at_once_give_what_each_gives_alone() -> None:
    """To the bit, whatever the others are: of few positives in a segment, of steps that must be halved."""
    margin, label = margins(1500)
    rng = np.random.default_rng(4)
    segments = np.where(rng.random(1500) < 0.1, "tiny", "rest").astype(object)
    labels = np.vstack([label, rng.permutation(label), 1 - label, np.roll(label, 700) * (rng.random(1500) < 0.3)])
    lines = fit_lines(margin, labels.astype(np.int8), segments, OF)
    later = np.array(["rest", "tiny", "never seen"], dtype=object)
    assert lines.is_global.any(axis=0)[1]
    assert not lines.is_global.all()
    for each, found in zip(labels.astype(np.int8), lines.log_odds(margin[:3], later), strict=True):
        assert found.tolist() == fit_segments(margin, each, segments, "s", OF).log_odds(margin[:3], later).tolist()


@pytest.mark.parametrize("leads", [200, 1600])
def test_shrunk_segments_lose_less_than_the_global_and_than_separate_ones(leads: int) -> None:
    """Segments that differ by .35 in level and .2 in slope, as the prior expects; log-loss against the truth."""
    rng = np.random.default_rng(leads)
    names = np.array([f"s{number}" for number in range(8)], dtype=object)
    loss = {"shrunk": 0.0, "global": 0.0, "separate": 0.0}
    for _ in range(12):
        level, tilt = rng.normal(0, 0.35, 8), rng.normal(0, 0.2, 8)
        segment = np.repeat(np.arange(8), leads)
        margin = rng.normal(-3.3, 1.1, 8 * leads)
        truth = expit((1 + tilt[segment]) * (margin + 3.3) - 3.3 + level[segment])
        label = (rng.random(len(truth)) < truth).astype(np.int8)
        free = worlds.settings(calibration={"min_positives_segment": 1}).calibration
        loose = replace(free, prior_sd_intercept=9, prior_sd_slope=9)
        fits = {
            "shrunk": fit_segments(margin, label, names[segment], "s", free),
            "separate": fit_segments(margin, label, names[segment], "s", loose),
        }
        log_odds = {name: fit.log_odds(margin, names[segment]) for name, fit in fits.items()}
        overall = fits["shrunk"].overall
        log_odds["global"] = overall.slope * margin + overall.intercept
        for name, eta in log_odds.items():
            loss[name] += float(np.mean(np.logaddexp(0, eta) - truth * eta))
    assert loss["shrunk"] < loss["global"]
    assert loss["shrunk"] < loss["separate"]


def test_a_segment_of_few_positives_takes_the_global_calibrator_and_says_so() -> None:
    margin, label = margins()
    segments = np.where(np.arange(len(label)) < 60, "tiny", "rest").astype(object)
    fitted = fit_segments(margin, label, segments, "size", OF)
    tiny = fitted.segments["tiny"]
    assert tiny.is_global
    assert tiny.platt == fitted.overall
    assert f"global: {label[:60].sum()} positives" in tiny.note
    assert not fitted.segments["rest"].is_global
    assert fitted.platt("never seen") == fitted.overall


def test_it_travels_as_json() -> None:
    margin, label = margins()
    fitted = fit_segments(margin, label, np.full(len(label), "a", dtype=object), "size", OF)
    assert Calibrator.of(json.loads(json.dumps(fitted.as_dict()))) == fitted


def test_a_margin_that_says_nothing_gives_the_base_rate() -> None:
    label = (np.arange(1000) % 20 == 0).astype(np.int8)
    slope, intercept = fit_platt(np.full(1000, -2.0), label[None])[0]
    assert expit(slope * -2.0 + intercept) == pytest.approx(0.05, abs=0.002)


def test_in_sample_calibration_is_refused(world: TrainingData, trained: Training) -> None:
    model, split = trained.model, trained.split

    def attempt(rows: np.ndarray, trained_on: np.ndarray) -> None:
        margin = model.margin(world.features.iloc[rows])
        fit_calibrator(world, rows, margin, trained_on, OF)

    attempt(split.calibrate, model.trained_on)
    with pytest.raises(InputError, match="in sample"):
        attempt(model.trained_on, model.trained_on)
    with pytest.raises(InputError, match="in sample"):
        attempt(np.concatenate([split.train[-1:], split.calibrate]), model.trained_on)
    with pytest.raises(InputError, match="of advisors who were trained on"):
        attempt(split.calibrate_before, split.train_before)
    with pytest.raises(InputError, match="not later"):
        attempt(split.calibrate, split.holdout)


def test_the_holdout_may_not_be_calibrated_on(world: TrainingData, trained: Training) -> None:
    leaked = replace(trained.split, calibrate=np.concatenate([trained.split.calibrate, trained.split.holdout[:500]]))
    with pytest.raises(InputError, match="in sample"):
        calibrate(world, leaked, trained.model, worlds.settings())


def test_figures_name_what_the_gates_read(calibrated: Calibration) -> None:
    figures = calibrated.figures()
    assert figures["ece"] == calibrated.after.ece
    assert figures["worst_segment_ece"] == max(one.ece for one in calibrated.by_segment.values())
    assert figures["ece_beyond_null"] == pytest.approx(calibrated.after.ece - calibrated.after.null_ece_p95)
    assert (calibrated.holdout.score > 0).all()
    assert (calibrated.holdout.score < 1).all()


def test_it_is_the_same_one_task_at_a_time_or_two(
    world: TrainingData, trained: Training, calibrated: Calibration
) -> None:
    again = calibrate(world, trained.split, trained.model, worlds.settings(), workers=2)
    assert again.figures() == calibrated.figures()
    assert (again.calibrator, again.evaluation) == (calibrated.calibrator, calibrated.evaluation)
    assert (again.importance_before, again.importance_after) == (
        calibrated.importance_before,
        calibrated.importance_after,
    )
    assert again.holdout.score.tobytes() == calibrated.holdout.score.tobytes()


def test_the_groups_of_a_flag_are_named_as_its_values_are(world: TrainingData, calibrated: Calibration) -> None:
    assert set(subgroups(calibrated, world, "cfp", worlds.settings())) == {"0", "1"}
