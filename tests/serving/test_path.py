"""The single-lead path: the batch's score to the last bit, and every lead's fate told (R25)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.serving import UNMATCHED, Known, ServingCopy, SingleLeadPath
from leadscore_v6.serving.path import NO_SNAPSHOT

TOP = ("tenure", "state")


def test_one_by_one_is_the_batch_to_the_last_bit(scorer: LeadScorer, copy: ServingCopy, advisors: pd.DataFrame) -> None:
    path = SingleLeadPath(copy, scorer, TOP)
    answers = [path.score(crd) for crd in advisors["FA_CRD__c"]]
    batch = scorer.score_leads(advisors)
    assert [answer.score.probability for answer in answers if answer.score] == batch["probability"].tolist()
    assert [answer.score.rank for answer in answers if answer.score] == batch["rank"].tolist()
    # Of each the missing ones among the top features, as the frame has them.
    expected = [tuple(name for name in TOP if pd.isna(row[name])) for row in advisors.to_dict("records")]
    assert [answer.missing for answer in answers] == expected


def test_a_lead_without_a_snapshot_is_scored_with_a_warning(scorer: LeadScorer, copy: ServingCopy) -> None:
    answer = SingleLeadPath(copy, scorer, TOP).score("99")
    assert answer.score is not None
    assert answer.error is None
    assert answer.warnings[0] == NO_SNAPSHOT
    assert answer.missing == TOP
    assert answer.score == SingleLeadPath(copy, scorer, TOP).score(UNMATCHED).score


def test_the_time_is_that_of_look_up_and_score_and_changes_no_score(scorer: LeadScorer, copy: ServingCopy) -> None:
    ticks = iter([10.0, 10.25, 20.0, 20.001])
    path = SingleLeadPath(copy, scorer, TOP, clock=lambda: next(ticks))
    first, second = path.score("1000"), path.score("1000")
    assert (first.latency_ms, second.latency_ms) == pytest.approx((250, 1))
    assert first.score == second.score


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"tenure": "long"}, "InputError: The column holds"),
        ({"tenure": np.inf}, "InputError: An infinite"),
        ({"state": 7}, "InputError: The column holds"),
    ],
)
def test_a_lead_that_cannot_be_scored_fails_with_the_kind_of_error(
    scorer: LeadScorer, copy: ServingCopy, value: dict[str, object], says: str
) -> None:
    def spoil(known: Known) -> Known:
        return replace(known, features={**known.features, **value})

    answer = SingleLeadPath(copy, scorer, TOP).score("1000", spoil)
    assert answer.score is None
    assert answer.error is not None
    assert answer.error.startswith(says)
    assert answer.latency_ms > 0


def test_a_look_up_that_fails_is_a_failed_lead(scorer: LeadScorer, copy: ServingCopy) -> None:
    path = SingleLeadPath(copy, scorer, TOP)

    def breaks(crd: str) -> Known:
        raise sqlite3.OperationalError("disk I/O error")

    path.look_up = breaks
    answer = path.score("1000")
    assert (answer.score, answer.known, answer.error) == (None, None, "OperationalError: disk I/O error")


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_is_no_fault_of_the_lead_ends_the_run(
    scorer: LeadScorer, copy: ServingCopy, error: type[BaseException]
) -> None:
    path = SingleLeadPath(copy, scorer, TOP)

    def breaks(crd: str) -> Known:
        raise error

    path.look_up = breaks
    with pytest.raises(error):
        path.score("1000")
