"""Whether the programme's test runs, and what ends it: its final analysis, or a person who stops it (R58)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates.champions import champion, obstacles, promote
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.programme import (
    ASSIGNED,
    GO,
    INTERIM,
    PLANNED,
    experiment_runs,
    has_ended,
    plan_in_force,
    stop,
    stop_of,
)
from tests.gates.conftest import GATES, TODAY, Lab
from tests.gates.later_steps import ended, looked, shadowed, under_way, went
from tests.gates.test_champions import LATER_GATES, validated
from tests.gates.test_model_attempts import MODEL_GATES


@pytest.fixture
def home(lab: Lab) -> Lab:
    """A home with gates of 4.1, 5.1 and 5.3, where nothing was run yet."""
    lab.gates.write_text(GATES + MODEL_GATES + LATER_GATES)
    return lab


def runs(home: Lab) -> bool:
    return experiment_runs(home.bench().ledger)


def test_a_test_runs_from_its_first_dealt_lead_to_its_final_comparison(home: Lab) -> None:
    assert not runs(home)
    plan = ended(home.bench(), PLANNED, {"plan": {}}, {})
    ended(home.bench(), ASSIGNED, {"plan": plan.key, "batches": []}, {})
    assert not runs(home)
    ended(home.bench(), ASSIGNED, {"plan": plan.key, "batches": [["2026-01-05", 30]]}, {})
    assert runs(home)
    looked(home.bench())
    assert runs(home)
    went(home.bench())
    assert not runs(home)
    # A batch of the week after, and another plan, open no test.
    ended(home.bench(), ASSIGNED, {"plan": plan.key, "batches": [["2026-01-05", 30]]}, {})
    ended(home.bench(), PLANNED, {"plan": {}}, {})
    assert not runs(home)
    under_way(home.bench())
    assert runs(home)


def test_the_plan_in_force_is_the_newest_by_the_ledgers_order_not_by_the_clock(home: Lab) -> None:
    under_way(home.bench())
    went(home.bench())
    home.today = TODAY - timedelta(days=400)
    plan = under_way(home.bench())
    assert plan_in_force(home.bench().ledger).key == plan.key
    assert runs(home)


def test_a_final_analysis_that_compared_nothing_ends_nothing_until_a_person_stops_the_test(home: Lab) -> None:
    plan = under_way(home.bench())
    looked(home.bench(), GO, read=False, lift=-1)
    assert runs(home)
    assert not has_ended(home.bench().ledger, plan.key)
    decision = stop(home.bench(), " Ann ", " dials of one arm are lost ")
    assert str(decision) == "stopped on 2026-01-05 by Ann (dials of one arm are lost)"
    ledger = home.bench().ledger
    assert not experiment_runs(ledger)
    assert has_ended(ledger, plan.key)
    # The plan's own attempt is what it was.
    assert plan_in_force(ledger).seq < decision.seq
    # The next test is none of its business.
    following = under_way(home.bench())
    assert stop_of(home.bench().ledger, following.key) is None
    assert runs(home)


def test_a_stopped_test_is_no_go_until_a_later_one_says_go(home: Lab) -> None:
    home.run()
    model = validated(home)
    shadowed(home.bench(), model.version)
    under_way(home.bench())
    went(home.bench())
    under_way(home.bench())
    assert obstacles(home.bench().ledger, model) == []
    stop(home.bench(), "Ann", "wrong queue")
    found = obstacles(home.bench().ledger, model)
    assert len(found) == 1
    assert "by Ann (wrong queue), which is no go" in found[0]
    with pytest.raises(GateBlocked, match="which is no go"):
        promote(home.bench(), model, None, "Ann", "why not")
    assert champion(home.bench().ledger) is None
    under_way(home.bench())
    went(home.bench())
    assert obstacles(home.bench().ledger, model) == []


def test_an_interim_look_that_compared_nothing_stops_no_promotion_after_a_sound_final_one(home: Lab) -> None:
    """Dials of one arm were missing, or the run was killed; when they are back the final look is due, and only that."""
    home.run()
    model = validated(home)
    shadowed(home.bench(), model.version)
    under_way(home.bench())
    looked(home.bench(), read=False, srm_p=1e-6)
    assert home.bench().ledger.blocking(home.bench().ledger.latest(INTERIM))
    died = Attempt("died", INTERIM, None, None, "content of died")
    home.bench().record("started", died, {"outputs": {}, "source": None, "parents": {}})
    went(home.bench())
    assert obstacles(home.bench().ledger, model) == []


@pytest.mark.parametrize(("by", "reason"), [(" ", "lost"), ("Ann", " ")])
def test_stopping_needs_a_name_and_a_reason(home: Lab, by: str, reason: str) -> None:
    under_way(home.bench())
    with pytest.raises(UsageError, match="--by"):
        stop(home.bench(), by, reason)
    assert runs(home)


def test_only_a_test_that_runs_is_stopped(home: Lab) -> None:
    with pytest.raises(UsageError, match="No test runs"):
        stop(home.bench(), "Ann", "lost")
    ended(home.bench(), PLANNED, {"plan": {}}, {})
    with pytest.raises(UsageError, match="No test runs"):
        stop(home.bench(), "Ann", "lost")
    under_way(home.bench())
    stop(home.bench(), "Ann", "lost")
    with pytest.raises(UsageError, match=r"stopped on 2026-01-05 by Ann \(lost\) already"):
        stop(home.bench(), "Bob", "lost")
    under_way(home.bench())
    went(home.bench())
    with pytest.raises(UsageError, match="its final analysis compared the arms"):
        stop(home.bench(), "Ann", "I do not like it")
