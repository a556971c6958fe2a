"""Reasons in plain words, and words for every feature there is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.contracts import contract, feature_columns, load_document
from leadscore_v6.errors import InputError
from leadscore_v6.modeling.explain import REASON_WORDS_FILE, Words, duration, reasons
from leadscore_v6.paths import config_root
from tests.modeling import worlds

UNKNOWN = [None, np.nan, pd.NA]
KNOWN = [0, 1, 3.4]


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.of(load_document(config_root() / REASON_WORDS_FILE, "reason_words"))


def test_every_feature_of_the_contract_has_words_and_no_other(words: Words) -> None:
    assert set(words.features) == set(feature_columns(contract("training")))


def test_families_and_what_is_missing_are_said_without_names_of_columns(words: Words) -> None:
    """A warning is made of them, and sales people read it."""
    for feature in words.features:
        assert "_" not in words.family(feature) + words.say(feature, None)


@pytest.mark.parametrize("value", UNKNOWN + KNOWN)
def test_every_feature_can_say_every_value(words: Words, value: object) -> None:
    types = {column.name: column.bq_type for column in contract("training").columns}
    for feature in words.features:
        is_text = types[feature] == "STRING" and any(value is known for known in KNOWN)
        said = words.say(feature, "TX" if is_text else value)
        assert said
        assert "{" not in said
        assert "nan" not in said.lower().split()


@pytest.mark.parametrize(
    ("feature", "value", "said"),
    [
        ("DateOfHireAtCurrentFirm_NumberOfYears", 0.67, "joined the firm 8 months ago"),
        ("DateOfHireAtCurrentFirm_NumberOfYears", 3.0, "joined the firm 3 years ago"),
        ("Has_CFP", 1, "holds the CFP"),
        ("Has_CFP", 0, "does not hold the CFP"),
        ("pct_reps_with_cfp", 0.173, "17 % of the firm's advisors hold the CFP"),
        ("firm_rep_count_bin", "6_20", "a firm of 6 to 20 advisors"),
        ("Branch_State", "NY", "works in NY"),
        ("total_reps", 25896, "25,896 advisors at the firm"),
        ("Number_RegisteredStates", 1, "registered in 1 state"),
        ("Number_RegisteredStates", 2, "registered in 2 states"),
        ("total_reps", 1.0, "the only advisor at the firm"),
        ("Firm_Stability_Score", 6.5, "6.5 years at the firm for each firm so far"),
        ("MilesToWork", None, "the way to work is not known"),
    ],
)
def test_plain_words(words: Words, feature: str, value: object, said: str) -> None:
    assert words.say(feature, value) == said


@pytest.mark.parametrize(
    ("years", "said"),
    [
        (0.01, "less than a month"),
        (0.08, "1 month"),
        (1.0, "1 year"),
        (1.5, "18 months"),
        (2.6, "2.5 years"),
        (12.4, "12 years"),
    ],
)
def test_durations(years: float, said: str) -> None:
    assert duration(years) == said


def test_families_are_summed_and_the_largest_come_first() -> None:
    names = ["tenure", "firm_rep_count_bin", "experience", "cfp", "noise"]
    lead = {"tenure": 0.67, "firm_rep_count_bin": "2_5", "experience": 20.0, "cfp": 1, "noise": 0.0}
    found = reasons(names, [0.7, -0.1, -0.3, -0.5, 0.0], lead, worlds.WORDS, top=3)
    assert [(one.family, round(one.log_odds, 6), one.feature) for one in found] == [
        ("career", -0.8, "cfp"),
        ("firm", 0.6, "tenure"),
    ]
    assert str(found[1]) == "joined the firm 8 months ago (+0.60)"


def test_a_feature_without_words_is_refused() -> None:
    with pytest.raises(InputError, match="secret_feature"):
        worlds.WORDS.require(["tenure", "secret_feature"])
