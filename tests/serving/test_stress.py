"""Stress: each scenario is run on the path, on the leads that it says."""

from __future__ import annotations

from collections import Counter

import pytest

from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.serving import ServingCopy, SingleLeadPath
from leadscore_v6.serving.stress import StressResult, stress

TOP = ("tenure", "state")
CRDS = [str(1000 + place) for place in range(40)]


def run(scorer: LeadScorer, copy: ServingCopy, crds: list[str] = CRDS) -> dict[str, StressResult]:
    found = stress(SingleLeadPath(copy, scorer, TOP), crds, TOP, scorer.segment_column, seed=3)
    return {result.scenario.partition(":")[0]: result for result in found}


def test_the_scenarios_are_run(scorer: LeadScorer, copy: ServingCopy) -> None:
    asked: Counter[str] = Counter()
    look_up = copy.look_up

    def counted(crd: str) -> object:
        asked[crd] += 1
        return look_up(crd)

    copy.look_up = counted  # type: ignore[method-assign, assignment]
    found = stress(SingleLeadPath(copy, scorer, TOP), CRDS, TOP, scorer.segment_column, seed=3)
    assert [result.leads for result in found][:4] == [40, 80, 40, 40]
    # Each was really looked up: once undisturbed before all, and once for every lead of every scenario.
    assert asked.total() == len(CRDS) + sum(result.leads for result in found)
    assert all(result.scored == result.leads and not result.failed for result in found)


def test_missing_features_move_scores_and_volume_does_not(scorer: LeadScorer, copy: ServingCopy) -> None:
    found = run(scorer, copy)
    assert found["as they came"].mean_change == found["double volume"].mean_change == 0
    missing = found["each of the top 2 features missing"]
    assert missing.mean_change is not None
    assert missing.mean_change > 0.001


def test_a_seed_gives_the_same_leads(scorer: LeadScorer, copy: ServingCopy) -> None:
    runs = [run(scorer, copy).values() for _ in range(2)]
    first, second = ([(one.scenario, one.leads, one.mean_probability) for one in results] for results in runs)
    assert first == second


def test_without_leads_there_is_nothing_to_run(scorer: LeadScorer, copy: ServingCopy) -> None:
    assert run(scorer, copy, []) == {}


def test_a_lead_that_fails_is_counted(scorer: LeadScorer, copy: ServingCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = scorer.score_lead

    def fails(features: dict[str, object], **more: int) -> object:
        if features["tenure"] is None:
            raise ValueError("no tenure, no score")
        return honest(features, **more)

    monkeypatch.setattr(scorer, "score_lead", fails)
    result = run(scorer, copy)["each of the top 2 features missing"]
    assert (result.failed, result.scored, result.mean_probability) == (40, 0, None)
