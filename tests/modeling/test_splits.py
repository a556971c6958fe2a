"""Splits in time (R16, R17): what a training lead's label, and its advisor, may not reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.modeling.data import TrainingData, training_data
from leadscore_v6.modeling.settings import SplitSettings
from leadscore_v6.modeling.splits import Block, exclude, final_split, folds, membership, tail
from tests.modeling import worlds


@st.composite
def leads(draw: st.DrawFn) -> TrainingData:
    """A few hundred leads, crowded on some days, of few or many advisors."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(200, 500))
    rng = np.random.default_rng(seed)
    frame = worlds.frame(count, seed=1)
    frame["contact_date"] = np.datetime64("2024-01-01") + rng.integers(0, draw(st.integers(300, 900)), count)
    frame["dialled_on"] = frame["contact_date"] + pd.to_timedelta(rng.integers(0, 15, count), unit="D")
    frame["rep_snapshot_at"] = pd.NaT
    frame["FA_CRD__c"] = rng.integers(0, draw(st.integers(50, 2000)), count).astype(str)
    frame["target_label"] = (rng.random(count) < 0.5).astype(int)
    return training_data(frame, worlds.COLUMNS, worlds.DROPLIST)


@st.composite
def split_settings(draw: st.DrawFn) -> SplitSettings:
    base = worlds.settings().split
    return replace(
        base,
        entry_lag_days=draw(st.integers(0, 20)),
        embargo_days=draw(st.integers(0, 20)),
        folds=draw(st.integers(2, 6)),
        min_positives_train=1,
        min_positives_test=1,
    )


def assert_apart(data: TrainingData, block: Block, of: SplitSettings) -> None:
    """Row by row, as the rulings say it; written anew, not read off the code."""
    first = min(data.contact[row] for row in block.test)
    tested = {data.advisors[row] for row in block.test}
    for row in block.train:
        wait = of.label_window_days + of.entry_lag_days + of.embargo_days
        assert (first - data.dialled[row]).astype(int) > wait
        assert data.advisors[row] not in tested


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(leads(), split_settings())
def test_no_label_window_reaches_the_test_block_and_no_advisor_crosses(data: TrainingData, of: SplitSettings) -> None:
    try:
        made = folds(data, np.arange(len(data)), of)
    except InputError:  # advisors that are everywhere leave nobody to train on
        assume(False)
    seen: set[int] = set()
    for block in made:
        assert_apart(data, block, of)
        assert not seen & set(block.test.tolist())
        seen |= set(block.test.tolist())
        days = data.contact[block.test]
        inside = (data.contact >= days.min()) & (data.contact <= days.max())
        assert set(np.flatnonzero(inside)) == set(block.test.tolist()), "no day is cut in two"
    assert max(data.contact[block.test].max() for block in made) == data.contact.max()


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(leads(), split_settings())
def test_the_final_split_is_three_times_apart(data: TrainingData, of: SplitSettings) -> None:
    try:
        split = final_split(data, of)
    except InputError:
        assume(False)
    assert_apart(data, Block(split.train, split.calibrate_before, 0, 0), of)
    assert_apart(data, Block(split.train, split.holdout, 0, 0), of)
    assert_apart(data, Block(split.calibrate, split.holdout, 0, 0), of)
    whole = np.concatenate([split.train_before, split.calibrate_before, split.holdout])
    assert sorted(whole) == list(range(len(data)))


def test_shares_are_those_of_the_ruling(world: TrainingData) -> None:
    split = final_split(world, worlds.settings().split)
    shares = [len(part) / len(world) for part in (split.train_before, split.calibrate_before, split.holdout)]
    assert shares == pytest.approx([0.65, 0.15, 0.20], abs=0.005)


def test_what_is_lost_is_counted(world: TrainingData) -> None:
    of = worlds.settings().split
    train, test = np.arange(3000), np.arange(3000, 4000)
    block = exclude(world, train, test, of)
    assert len(block.train) + block.purged + block.advisor_excluded == len(train)
    assert block.purged > 0
    assert block.advisor_excluded > 0


def test_folds_are_kept_by_lead_id(world: TrainingData) -> None:
    made = folds(world, np.arange(len(world)), worlds.settings().split)
    kept = membership(world, made)
    assert list(kept) == [f"fold_{number}" for number in range(1, 6)]
    assert kept["fold_2"]["test"] == [world.lead_ids[row] for row in made[1].test]


def test_too_few_positives_says_how_many_are_needed(world: TrainingData) -> None:
    of = replace(worlds.settings().split, min_positives_train=5000)
    with pytest.raises(InputError, match=r"has \d+ among \d+ leads, 5000 are needed"):
        final_split(world, of)


def test_random_folds_need_the_explicit_setting_and_say_so(world: TrainingData) -> None:
    of = worlds.settings(split={"fallback": "stratified_kfold"}).split
    rows = np.arange(len(world))
    made = folds(world, rows, of)
    assert {block.method for block in made} == {"stratified_kfold"}
    assert tail(world, rows, 0.2, of).method == "stratified_kfold"
    assert sorted(np.concatenate([block.test for block in made])) == rows.tolist()
    assert {block.method for block in folds(world, rows, worlds.settings().split)} == {"blocked_time_series"}


def test_without_the_time_column_there_are_no_folds_at_all() -> None:
    with pytest.raises(InputError, match="time column"):
        training_data(worlds.frame(300).drop(columns="contact_date"), worlds.COLUMNS, worlds.DROPLIST)


def test_shares_must_leave_a_holdout() -> None:
    with pytest.raises(UsageError, match="holdout"):
        worlds.settings(split={"train_share": 0.9, "calibrate_share": 0.1})
