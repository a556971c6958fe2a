"""R31: every condition alone keeps the champion; what is better beyond chance takes the place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from leadscore_v6.errors import InputError
from leadscore_v6.monitoring.champion import Contender, Decision, Evidence, Holdout, champion_age, decide
from leadscore_v6.monitoring.comparable import Came, comparable
from leadscore_v6.monitoring.settings import MonitoringSettings

AS_OF = date(2025, 11, 3)
CHAMPION = Contender("20250502", date(2025, 5, 2), date(2025, 1, 20), ece=0.01, train_test_gap=0.05, cv_coefficient=0.1)
CHALLENGER = replace(CHAMPION, version="20251103", as_of=AS_OF, cut_off=date(2025, 5, 31))


def holdout(champion: float, challenger: float, leads: int = 6000, seed: int = 1) -> Holdout:
    """Two scores that know the same truth with that much weight."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=leads)
    label = (rng.random(leads) < 1 / (1 + np.exp(3.4 - 1.5 * truth))).astype(np.int8)
    one, other = (weight * truth + rng.normal(size=leads) for weight in (champion, challenger))
    contact = np.datetime64("2025-06-01") + rng.integers(0, 90, leads)
    return Holdout(label, rng.integers(0, leads, leads), contact, one, other)


def decision(leads: Holdout, settings: MonitoringSettings, **changes: Any) -> Decision:
    of = replace(settings.champion, bootstrap_draws=300, **changes.pop("of", {}))
    shadow = changes.pop("shadow", True)
    return decide((CHAMPION, replace(CHALLENGER, **changes)), Evidence(leads, shadow), AS_OF, of, 1)


def test_a_better_challenger_takes_the_place(settings: MonitoringSettings) -> None:
    leads = holdout(0.5, 2.0)
    found = decision(leads, settings)
    assert found.promotes
    assert found.headline == "20251103 takes the place of 20250502: all conditions hold."
    figures = found.figures()
    assert figures["promotes"] == 1
    assert figures["champion_average_precision"] == pytest.approx(average_precision_score(leads.label, leads.champion))
    assert figures["challenger_average_precision"] == pytest.approx(
        average_precision_score(leads.label, leads.challenger)
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ece": 0.0501}, "ECE 0.0501 is not <= 0.05"),
        ({"train_test_gap": 0.15}, "train-test gap 0.1500 is not < 0.15"),
        ({"cv_coefficient": 0.2}, "CV coefficient 0.2000 is not < 0.2"),
        ({"shadow": False}, "shadow scoring shows a degradation"),
        ({"shadow": None}, "shadow scoring was not run"),
        ({"cut_off": date(2025, 6, 1)}, "leads of the comparison are not later than both cut-offs (2025-06-01)"),
        ({"of": {"min_positives_interval": 100_000}}, "positives are too few for an interval"),
    ],
)
def test_each_condition_alone_keeps_the_champion(
    changes: dict[str, Any], why: str, settings: MonitoringSettings
) -> None:
    found = decision(holdout(0.5, 2.0), settings, **changes)
    assert not found.promotes
    assert len(found.reasons) == 1
    assert why in found.reasons[0]
    assert found.headline.startswith("20250502 stays: ")
    assert found.figures()["conditions_missed"] == 1


def test_a_champion_that_cannot_be_loaded_stays_until_a_person_decides(settings: MonitoringSettings) -> None:
    """It scores nothing any more: nothing is compared, nothing is replaced by itself, and nothing is stuck for good."""
    of = replace(settings.champion, bootstrap_draws=300)
    gone = Evidence("made with xgboost 2.1.4; this installation has 3.0.1", shadow_holds=True)
    found = decide((CHAMPION, CHALLENGER), gone, AS_OF, of, 1)
    assert not found.promotes
    assert found.reasons_for_anyone == ()
    assert found.headline.startswith("20250502 stays: the champion 20250502 cannot be loaded any more")
    assert "by a person's decision" in found.headline_of_a_promotion
    assert "made with xgboost 2.1.4" in found.headline_of_a_promotion
    figures = found.figures()
    assert (figures["promotes"], figures["conditions_missed"], figures["holdout_leads"]) == (0, 1, 0)
    assert figures["challenger_minus_champion_low"] is None
    # What the challenger is asked of itself is no person's to pass.
    weak = decide((CHAMPION, replace(CHALLENGER, ece=0.06)), gone, AS_OF, of, 1)
    assert [why.split()[0] for why in weak.reasons_for_anyone] == ["ECE"]


def test_on_which_leads_the_comparison_is_made_is_said_and_asks_for_nothing(settings: MonitoringSettings) -> None:
    leads = holdout(0.5, 2.0)
    of_all = Came(leads.contact, np.ones(6000, dtype=bool), leads.champion, leads.challenger)
    everybody, best = comparable(of_all), comparable(replace(of_all, dialled=leads.champion > 0))
    of = replace(settings.champion, bootstrap_draws=300)
    both = (CHAMPION, CHALLENGER)
    for given, holds, says in (
        (best, True, "its order chose"),
        (everybody, None, "nothing tells whether the champion's order chose"),
        (None, None, "nobody can tell whether the champion's order chose"),
    ):
        found = decide(both, Evidence(leads, shadow_holds=True, comparable=given), AS_OF, of, 1)
        (row,) = (one for one in found.conditions if one.name == "leads that favour neither")
        assert row.holds is holds
        assert says in row.says
        assert not row.is_missed
        assert found.promotes


def test_the_champions_own_cut_off_counts_too(settings: MonitoringSettings) -> None:
    late = replace(CHAMPION, cut_off=date(2025, 7, 1))
    found = decide((late, CHALLENGER), Evidence(holdout(0.5, 2.0), True), AS_OF, settings.champion, 1)
    assert not found.promotes


def test_superior_alone_is_a_coin_and_the_bound_is_not(settings: MonitoringSettings) -> None:
    """Statistics: of two equal models the newer is "superior" 52 % of the time."""
    found = [decision(holdout(1.0, 1.0, 2500, seed), settings) for seed in range(60)]
    superior = sum(one.conditions[1].holds is True for one in found)
    assert 20 <= superior <= 40
    assert sum(one.promotes for one in found) <= 5


def test_a_worse_challenger_stays_outside_and_both_reasons_are_said(settings: MonitoringSettings) -> None:
    found = decision(holdout(2.0, 0.5), settings)
    assert [one.split(" ")[0] for one in found.reasons] == ["AUC-PR", "the"]


def test_non_inferior_is_opted_into_and_has_its_margin(settings: MonitoringSettings) -> None:
    leads = holdout(1.0, 1.0, seed=2)
    close = replace(leads, challenger=leads.champion + 0.02 * np.random.default_rng(1).normal(size=6000))
    policy = {"policy": "non_inferior", "non_inferior_margin": 0.02}
    assert not decision(close, settings).promotes
    assert decision(close, settings, of=policy).promotes
    assert not decision(holdout(2.0, 0.5), settings, of=policy).promotes
    assert not decision(close, settings, of=policy, ece=0.06).promotes


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_decides_nothing(label: int, settings: MonitoringSettings) -> None:
    leads = replace(holdout(0.5, 2.0), label=np.full(6000, label, dtype=np.int8))
    found = decision(leads, settings)
    assert not found.promotes
    assert found.figures()["challenger_minus_champion"] is None


def test_no_lead_that_both_scored_decides_nothing(settings: MonitoringSettings) -> None:
    found = decision(holdout(0.5, 2.0, leads=0), settings)
    assert not found.promotes
    assert found.figures()["holdout_leads"] == 0


def test_a_lead_without_a_score_is_refused(settings: MonitoringSettings) -> None:
    leads = holdout(0.5, 2.0)
    leads.champion[3] = np.nan
    with pytest.raises(InputError, match="no score"):
        decision(leads, settings)


@pytest.mark.parametrize(
    ("as_of", "old"),
    [(date(2025, 11, 2), False), (date(2025, 11, 3), True), (date(2025, 5, 2), False), (date(2026, 5, 2), True)],
)
def test_a_champion_older_than_two_quarters_is_said(as_of: date, old: bool, settings: MonitoringSettings) -> None:
    warning = champion_age(CHAMPION.version, CHAMPION.as_of, as_of, settings.champion)
    assert (warning is not None) == old
    if warning:
        assert warning.startswith("The champion 20250502 is as of 2025-05-02, more than 2 quarters before")
