"""Step 4.1 on a small world: bytes that no thread changes, a shuffled label, planted leaks, SHAP that adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shap
import xgboost
from sklearn.metrics import average_precision_score

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.booster import fit
from leadscore_v6.modeling.canaries import sing
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.modeling.data import TrainingData, training_data
from leadscore_v6.modeling.importance import Importance, stability
from leadscore_v6.modeling.training import Training, train
from tests.modeling import worlds


def silent(_: str) -> None:
    """No progress."""


def test_the_same_data_and_seed_give_the_same_bytes_one_fit_at_a_time_or_two(
    world: TrainingData, trained: Training
) -> None:
    again = train(world, worlds.settings(), workers=2, progress=silent)
    assert again.model.booster == trained.model.booster
    assert [fold.model.booster for fold in again.folds] == [fold.model.booster for fold in trained.folds]
    assert again.figures() == trained.figures()
    assert again.holdout_scored.score.tobytes() == trained.holdout_scored.score.tobytes()


def test_another_seed_gives_another_model(world: TrainingData, trained: Training) -> None:
    other = fit(world, trained.split.train, replace(worlds.settings(), seed=5))
    assert other.model.booster != trained.model.booster
    again = other.model.margin(world.features.iloc[trained.split.train])
    assert other.inside.tobytes() == again.tobytes(), "kept from training: what predicting them anew gives, to the bit"


def test_it_finds_what_was_planted_and_says_what_it_is_worth(world: TrainingData, trained: Training) -> None:
    truth = worlds.frame().set_index("Id").loc[world.lead_ids, "truth"].to_numpy()
    holdout = trained.split.holdout
    best = average_precision_score(world.label[holdout], truth[holdout])
    assert trained.holdout.average_precision.value > 0.75 * best
    assert trained.holdout.average_precision.value == pytest.approx(
        average_precision_score(world.label[holdout], trained.holdout_scored.score)
    )
    assert {one.feature for one in trained.importance[:3]} >= {"tenure", "experience"}
    figures = trained.figures()
    assert figures["train_test_gap"] == trained.gaps.oof_to_holdout
    assert figures["leaks"] == figures["canaries_missed"] == figures["random_folds"] == 0


def test_contributions_add_up_to_the_margin_and_are_those_of_tree_explainer(
    world: TrainingData, trained: Training
) -> None:
    model = trained.model
    frame = world.features.iloc[trained.split.holdout[:200]]
    matrix = model.spec.encode(frame).matrix
    found = model.contributions(matrix)
    np.testing.assert_allclose(found.sum(axis=1), model.margin(frame), atol=1e-4)
    ready = xgboost.DMatrix(
        matrix, feature_names=list(model.spec.names), feature_types=model.spec.types, enable_categorical=True
    )
    values = shap.TreeExplainer(model.loaded).shap_values(ready)
    np.testing.assert_allclose(found[:, :-1], values, atol=1e-6)


def test_a_shuffled_label_gives_the_prevalence_and_nothing_more(world: TrainingData) -> None:
    of = worlds.settings(split={"min_positives_test": 3})
    found = train(worlds.shuffled(world), of, progress=silent)
    prevalence = found.holdout.prevalence
    assert found.holdout.average_precision.value == pytest.approx(prevalence, rel=0.35)
    assert found.holdout.average_precision.low <= prevalence, "the companion of R18 stops it"
    assert found.holdout.average_precision.value < 0.15, "and so does the plan's gate"


def leaky(name: str) -> TrainingData:
    """The world with a column among its features that no feature may be, under a name that says nothing."""
    frame = worlds.frame()
    rng = np.random.default_rng(1)
    label = frame["target_label"].to_numpy()
    columns = {
        "the label": label.astype(float),
        "days to conversion": frame["days_to_conversion"].astype(float).to_numpy(),
        "a later snapshot": label * 2.0 + rng.normal(size=len(frame)),
        "the contact day": (frame["contact_date"] - frame["contact_date"].min()).dt.days * 24.0 + 3,
        "a category of the label": np.where(label == 1, "yes", "no"),
    }
    planted = columns[name]
    kind = "STRING" if planted.dtype.kind in "UO" else "FLOAT64"
    frame["harmless"] = planted
    return training_data(frame, (*worlds.COLUMNS, FeatureColumn("harmless", kind)), worlds.DROPLIST)


@pytest.mark.parametrize(
    "name", ["the label", "days to conversion", "a later snapshot", "the contact day", "a category of the label"]
)
def test_a_leak_among_the_features_is_flagged(name: str) -> None:
    data = leaky(name)
    report = sing(data, np.arange(len(data)), worlds.settings().canaries, seed=1)
    assert [leak.feature for leak in report.leaks] == ["harmless"]


def test_planted_canaries_are_caught_and_honest_features_are_not(world: TrainingData) -> None:
    report = sing(world, np.arange(len(world)), worlds.settings().canaries, seed=1)
    assert len(report.planted) >= 7
    assert report.missed == 0
    assert report.leaks == ()
    assert {name for name, _ in report.strongest} == {column.name for column in worlds.COLUMNS}


def test_a_blind_detector_is_noticed(world: TrainingData) -> None:
    blind = replace(worlds.settings().canaries, max_univariate_auc=0.99999, max_rank_correlation=0.99999999)
    assert sing(world, np.arange(len(world)), blind, seed=1).missed > 0


def test_selection_happens_in_each_window_and_is_reported(world: TrainingData, trained: Training) -> None:
    rows = {row.feature: row for row in trained.selection}
    assert list(rows) == [column.name for column in worlds.COLUMNS]
    assert rows["nothing"].final == "NULL for all training leads"
    assert rows["tenure"].folds_kept == rows["tenure"].folds == 5
    assert {name for name, row in rows.items() if row.is_selected} == set(trained.model.spec.names)
    for fold in trained.folds:
        assert set(fold.model.validation) <= set(fold.block.train), "chosen inside the fold's own window"


def test_the_fold_models_never_saw_their_test_leads(trained: Training) -> None:
    for fold in trained.folds:
        assert not set(fold.model.trained_on) & set(fold.block.test)
        assert set(fold.block.test) <= set(trained.split.train_before), "folds are within the training block"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"split": {"min_positives_train": 9999}}, "9999 are needed"),
        ({"split": {"min_positives_test": 900}}, "900 are"),
    ],
)
def test_too_few_positives_stop_it(world: TrainingData, sections: dict[str, dict[str, int]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        train(world, worlds.settings(**sections), progress=silent)


def test_random_folds_are_a_figure_that_a_report_can_show_in_red(world: TrainingData) -> None:
    found = train(world, worlds.settings(split={"fallback": "stratified_kfold"}), progress=silent)
    assert found.figures()["random_folds"] == 5


def test_stability_is_one_for_equal_folds_and_counts_shared_tops() -> None:
    def fold(names: str) -> tuple[Importance, ...]:
        return tuple(Importance(name, 30.0 - place, 0.1, 0.0) for place, name in enumerate(names))

    same = stability([fold("abcdefghijkl")] * 3)
    assert (same.spearman, same.jaccard_at_10) == pytest.approx((1.0, 1.0))
    other = stability([fold("abcdefghijkl"), fold("abcdefghilkj")])
    assert other.jaccard_at_10 == pytest.approx(9 / 11)
    assert stability([fold("abcdefghijkl"), fold("lkjihgfedcba")]).spearman == pytest.approx(-1.0)
