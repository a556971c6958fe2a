"""For every gate of steps 4.1 to 4.4, something that makes it fail: another result of modeling/, or a spoiled folder.

Belongs here: what is spoiled, and which gates fail by it. Does not belong here: what must then hold
(test_model_gates.py), or what fails on data: a model of nothing is in test_model.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from leadscore_v6.artifacts import models
from leadscore_v6.assets.model import audit
from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.backtest import Backtest
from leadscore_v6.modeling.calibrated import Calibration
from leadscore_v6.modeling.evaluation import Paired
from leadscore_v6.modeling.training import Training

Result = Training | Calibration | Backtest


@dataclass(frozen=True)
class Case:
    """One gate made to fail. `result` changes what modeling/ gives; `patch` spoils what happens to it afterwards."""

    gate: str
    asset: str
    result: Callable[[Any], Any] = lambda honest: honest
    patch: Callable[[], AbstractContextManager[object]] | None = None


def trained(gate: str, **changes: Callable[[Training], object]) -> Case:
    """A case of 4.1: fields of the honest result, each by what becomes of it."""
    return Case(gate, "trained_model", lambda one: replace(one, **{name: make(one) for name, make in changes.items()}))


def calibrated(gate: str, **changes: Callable[[Calibration], object]) -> Case:
    """The same of 4.3."""
    return Case(
        gate, "calibrated_model", lambda one: replace(one, **{name: make(one) for name, make in changes.items()})
    )


def backtested(gate: str, **changes: Callable[[Backtest], object]) -> Case:
    """The same of 4.4."""
    return Case(gate, "backtest", lambda one: replace(one, **{name: make(one) for name, make in changes.items()}))


def first_fold(training: Training, **block: object) -> tuple[object, ...]:
    """The folds, the first one's block changed."""
    first, *others = training.folds
    return (replace(first, block=replace(first.block, **block)), *others)


def unpurged(training: Training) -> tuple[object, ...]:
    """The first fold trains on every lead up to the day before its test block."""
    test = training.folds[0].block.test
    return first_fold(training, train=np.arange(test.min()))


def spoiled_before_sealing(spoil: Callable[[Path], None]) -> Callable[[], AbstractContextManager[object]]:
    """Files are changed when they have been written, before their digests are taken."""
    honest = models.seal

    def seal(folder: Path, *given: Any) -> str:
        spoil(folder)
        return honest(folder, *given)

    return lambda: mock.patch.object(models, "seal", seal)


def name_an_advisor(folder: Path) -> None:
    (order,) = folder.glob("feature_order_v6_*.json")
    order.write_text(json.dumps(["repcrd", *json.loads(order.read_text())]))


def forget(pattern: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (file,) = folder.glob(pattern)
        file.unlink()

    return spoil


def off_by_little(scored: Any) -> Any:
    return replace(scored, score=np.nextafter(scored.score, 1.0))


TRAINED = [
    trained("model_cv_auc_pr", cross_validation=lambda one: replace(one.cross_validation, mean=0.149)),
    trained("model_train_test_gap", gaps=lambda one: replace(one.gaps, oof_to_holdout=0.16)),
    trained("model_cv_coefficient", cross_validation=lambda one: replace(one.cross_validation, coefficient=0.21)),
    trained("model_not_worse_than_baseline", logit_minus_model=lambda one: Paired(Estimate(0.05, 0.01, 0.09))),
    trained("model_split_is_honest", folds=unpurged),
    Case("model_features_allowed", "trained_model", patch=spoiled_before_sealing(name_an_advisor)),
    trained("model_leak_canaries", canaries=lambda one: replace(one.canaries, planted={"label": False})),
    Case("model_digest", "trained_model", patch=spoiled_before_sealing(forget("model_v6_baseline_logit_*.pkl"))),
    trained("model_digest", holdout_scored=lambda one: off_by_little(one.holdout_scored)),
]
CALIBRATED = [
    calibrated("calibration_ece", after=lambda one: replace(one.after, ece=0.051)),
    calibrated("calibration_ece", after=lambda one: replace(one.after, null_ece_p95=one.after.ece / 2)),
    calibrated(
        "calibration_ece_segments",
        by_segment=lambda one: {name: replace(found, ece=0.06) for name, found in one.by_segment.items()},
    ),
    calibrated(
        "calibration_expected_observed",
        after=lambda one: replace(one.after, expected_observed=Estimate(1.3, 1.11, 1.5)),
    ),
    calibrated(
        "calibration_expected_observed",
        after=lambda one: replace(one.after, expected_observed=Estimate(0.8, 0.7, 0.89)),
    ),
    calibrated("calibration_slope", after=lambda one: replace(one.after, slope=Estimate(1.4, 1.26, 1.6))),
    calibrated("calibration_slope", after=lambda one: replace(one.after, slope=Estimate(0.6, 0.5, 0.79))),
    calibrated(
        "calibration_brier_skill", after=lambda one: replace(one.after, brier_skill=Estimate(0.01, -0.01, 0.03))
    ),
    Case(
        "calibration_out_of_sample",
        "calibrated_model",
        patch=lambda: mock.patch.object(audit, "leads_in_two_blocks", return_value=1),
    ),
    calibrated("calibrated_model_digest", holdout=lambda one: off_by_little(one.holdout)),
    Case("calibrated_model_digest", "calibrated_model", patch=spoiled_before_sealing(forget("*.pkl"))),
]
BACKTESTED = [
    backtested("backtest_train_test_gap", gaps=lambda one: replace(one.gaps, oof_to_holdout=0.16)),
    backtested("backtest_cv_coefficient", cross_validation=lambda one: replace(one.cross_validation, coefficient=0.21)),
    backtested(
        "backtest_no_overfitting",
        trends=lambda one: tuple(replace(trend, per_fold=Estimate(0.2, 0.1, 0.3)) for trend in one.trends),
    ),
    backtested("backtest_no_overfitting", logit_minus_model=lambda one: Paired(Estimate(0.05, 0.01, 0.09))),
    backtested("backtest_importance_stable", stability=lambda one: replace(one.stability, spearman=0.59)),
    backtested("backtest_importance_stable", stability=lambda one: replace(one.stability, jaccard_at_10=0.49)),
    Case("backtest_digest", "backtest", patch=spoiled_before_sealing(forget("business_impact_metrics_v6_*.csv"))),
]
NOT_JUDGEABLE = [
    trained(
        "model_cv_auc_pr",
        holdout=lambda one: replace(one.holdout, ap_over_prevalence=Estimate(one.holdout.ap_over_prevalence.value)),
    ),
    trained("model_not_worse_than_baseline", logit_minus_model=lambda one: Paired(Estimate(-0.05))),
    calibrated("calibration_slope", after=lambda one: replace(one.after, slope=Estimate(1.0))),
]
CASES = [*TRAINED, *CALIBRATED, *BACKTESTED]
# The one that warns.
WARNING = trained("model_split_by_time", folds=lambda one: first_fold(one, method="stratified_kfold"))
