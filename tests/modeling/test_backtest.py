"""Step 4.4: everything is fitted anew in each fold, and drift is told from noise (R21, R40)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.backtest import Backtest, GapTrend, backtest
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.training import Training
from tests.modeling import worlds


@pytest.fixture(scope="module")
def tested(world: TrainingData) -> Backtest:
    return backtest(world, worlds.settings(), workers=2, progress=lambda _: None)


def test_model_and_calibrator_are_fitted_anew_in_every_fold_each_on_earlier_leads(
    tested: Backtest, world: TrainingData, trained: Training
) -> None:
    assert len({fold.model.booster for fold in tested.folds} | {trained.model.booster}) == 6
    assert len({fold.calibrator.overall for fold in tested.folds}) == 5
    for fold in tested.folds:
        parts = [fold.model.trained_on, fold.calibrated_on, fold.block.test]
        for earlier, later in pairwise(parts):
            wait = (world.contact[later].min() - world.contact[earlier].max()).astype(int)
            assert wait > 30
        assert not set(world.advisors[fold.model.trained_on]) & set(world.advisors[fold.block.test])
    assert tested.folds[-1].block.test[-1] == len(world) - 1, "over all matured leads"


def test_a_steady_world_shows_no_overfitting(tested: Backtest) -> None:
    figures = tested.figures()
    assert figures["overfitting_indicators"] == 0
    assert figures["importance_spearman"] >= 0.6
    assert figures["logit_minus_model_low"] < 0
    assert figures["cv_coefficient"] == tested.cross_validation.coefficient


def test_indicators_count_gaps_that_grow_and_a_better_logit(tested: Backtest) -> None:
    grows = tuple(GapTrend(trend.gap, Estimate(0.1, 0.01, 0.2)) for trend in tested.trends)
    assert replace(tested, trends=grows).overfitting_indicators == 3
    better = replace(tested.logit_minus_model, difference=Estimate(0.05, 0.01, 0.1))
    assert replace(tested, logit_minus_model=better).overfitting_indicators == 1
    unknown = replace(tested.logit_minus_model, difference=Estimate(0.05))
    assert replace(tested, logit_minus_model=unknown).overfitting_indicators is None


def test_a_world_that_turns_has_a_gap(world: TrainingData) -> None:
    """What the label means is turned round in the last fifth of the time: the last fold must show it."""
    label = world.label.copy()
    late = np.arange(int(len(world) * 0.8), len(world))
    rng = np.random.default_rng(2)
    label[late] = rng.permutation(label[late])
    audit = world.audit.drop(columns="days_to_conversion").assign(target_label=label)
    turned = backtest(replace(world, label=label, audit=audit), worlds.settings(), progress=lambda _: None)
    assert turned.gaps.oof_to_holdout > 0.15, "the plan's gate stops it"


def test_business_impact_is_by_fold_and_over_all(tested: Backtest) -> None:
    rows = tested.business_impact()
    assert [row["block"] for row in rows] == [*(f"fold {number}" for number in range(1, 6)), "all folds"]
    assert rows[-1]["leads"] == sum(row["leads"] for row in rows[:-1])
    for row in rows:
        assert row["times_random"] == pytest.approx(
            row["mqls_per_100_dials_assuming_one_dial_per_lead"]
            / row["random_mqls_per_100_dials_assuming_one_dial_per_lead"]
        )
        assert row["times_random"] > 1
