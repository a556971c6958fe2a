"""R31 where the champion chose who was dialled: on which leads two models are compared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import hypergeom

from leadscore_v6.monitoring.comparable import Came, comparable
from tests.monitoring.operating import CAPACITY, contest

MONDAY = date(2026, 2, 2)


def world(seed: int, leads: int = 900, levels: int = 0, share: float = 0.4, by: str = "champion") -> Came:
    """Leads of five weeks and a day, the best `share` of each week dialled `by` one model's score, or by none's.

    levels: scores are whole numbers below it, so that many tie; 0: none does.
    """
    rng = np.random.default_rng((11, seed))
    shared = rng.normal(size=leads)
    scores = {name: shared + rng.normal(size=leads) for name in ("champion", "challenger")}
    if levels:
        scores = {name: np.clip(np.round(score + levels / 2), 0, levels) for name, score in scores.items()}
    day = np.datetime64(MONDAY) + rng.integers(0, 36, leads)
    order = scores[by] if by in scores else rng.random(leads)
    dialled = np.zeros(leads, dtype=bool)
    for rows in weeks_of(day).values():
        first = sorted(rows, key=lambda row: -order[row])[: round(share * len(rows))]
        dialled[first] = True
    return Came(day, dialled, scores["champion"], scores["challenger"])


def weeks_of(days: np.ndarray) -> dict[date, list[int]]:
    """Rows by the Monday of their week."""
    found = defaultdict(list)
    for row, day in enumerate(days.astype(object)):
        found[day - timedelta(days=day.weekday())].append(row)
    return found


def by_hand(came: Came) -> tuple[set[int], int, float, float]:
    """Rows dialled and among the best of both; dialled among the champion's best; its mean and variance by chance."""
    both: set[int] = set()
    best_dialled, mean, variance = 0, 0.0, 0.0
    for rows in weeks_of(came.contact).values():
        made = sum(bool(came.dialled[row]) for row in rows)

        def better(score: np.ndarray, row: int, rows: list[int] = rows) -> int:
            return sum(score[other] > score[row] for other in rows)

        best = [{row for row in rows if better(score, row) < made} for score in (came.champion, came.challenger)]
        dialled = {row for row in rows if came.dialled[row]}
        both |= best[0] & best[1] & dialled
        best_dialled += len(best[0] & dialled)
        hits = np.arange(made + 1)
        chance = hypergeom.pmf(hits, len(rows), len(best[0]), made)
        mean += hits @ chance
        variance += hits**2 @ chance - (hits @ chance) ** 2
    return both, best_dialled, mean, variance


@pytest.mark.parametrize("levels", [0, 6], ids=["no ties", "ties"])
@pytest.mark.parametrize("by", ["champion", "challenger", "nobody"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_leads_are_those_that_a_count_by_hand_finds(seed: int, by: str, levels: int) -> None:
    came = world(seed, 250, levels, by=by)
    both, best_dialled, mean, variance = by_hand(came)
    found = comparable(came)
    assert (found.came, found.dialled, found.best_dialled) == (250, came.dialled.sum(), best_dialled)
    assert found.best_by_chance == pytest.approx(mean)
    assert found.is_chosen is bool(best_dialled > mean + 1.645 * variance**0.5)
    assert set(np.flatnonzero(found.leads)) == (both if found.is_chosen else set(np.flatnonzero(came.dialled)))


@pytest.mark.parametrize("seed", range(5))
def test_two_models_swapped_are_compared_on_the_same_leads(seed: int) -> None:
    """Whichever of the two was champion: on these leads neither has the advantage."""
    came = world(seed)
    swapped = replace(came, champion=came.challenger, challenger=came.champion)
    one, other = comparable(came), comparable(swapped)
    assert one.is_chosen
    assert other.is_chosen
    assert np.array_equal(one.leads, other.leads)
    assert 0 < one.leads.sum() < came.dialled.sum()


def test_a_score_counts_by_its_order_alone_and_rows_by_no_order() -> None:
    came = world(3)
    found = comparable(came)
    bent = replace(came, champion=np.exp(came.champion), challenger=came.challenger**3)
    assert np.array_equal(comparable(bent).leads, found.leads)
    mixed = np.random.default_rng(1).permutation(len(came.dialled))
    moved = Came(came.contact[mixed], came.dialled[mixed], came.champion[mixed], came.challenger[mixed])
    assert np.array_equal(comparable(moved).leads, found.leads[mixed])


def test_leads_that_nobody_chose_are_all_compared() -> None:
    """By the order of arrival, or all of them: nothing is left out, but in one world of twenty by chance."""
    left_out = 0
    for seed in range(40):
        came = world(seed, by="nobody")
        found = comparable(came)
        left_out += found.is_chosen
        assert found.is_chosen or np.array_equal(found.leads, came.dialled)
        assert found.is_chosen or "its order did not choose among them" in found.says
    assert left_out <= 6


def test_where_all_who_came_were_dialled_nothing_tells_who_chose_and_all_are_compared() -> None:
    came = world(1)
    found = comparable(replace(came, dialled=np.ones(len(came.dialled), dtype=bool)))
    assert (found.is_chosen, found.leads.all()) == (None, True)
    assert "all 900 leads that came" in found.says
    assert "nothing tells whether the champion's order chose who came" in found.says


def test_a_week_in_which_nobody_was_dialled_has_nothing_to_compare() -> None:
    came = world(1)
    first_week = came.contact < np.datetime64(MONDAY + timedelta(days=7))
    found = comparable(replace(came, dialled=came.dialled & ~first_week))
    assert found.is_chosen
    assert not found.leads[first_week].any()
    assert found.leads.any()


def test_no_lead_at_all_is_no_choice() -> None:
    nobody = np.empty(0)
    found = comparable(Came(np.empty(0, dtype="datetime64[D]"), np.empty(0, dtype=bool), nobody, nobody))
    assert (found.came, found.is_chosen, len(found.leads)) == (0, None, 0)


def test_the_words_have_the_figures() -> None:
    came = world(1)
    found = comparable(came)
    assert f"{found.dialled:,} of the 900 leads" in found.says
    assert f"only the {found.leads.sum()} are compared" in found.says


@pytest.mark.prove
def test_the_champions_choice_gives_an_equal_challenger_nothing() -> None:
    """On all that it chose an equal one wins far beyond 2.5 %, and on these leads it does not (R31, R50)."""
    found = [contest(seed, (0.84, 0.84), CAPACITY) for seed in range(100)]
    assert sum(one["all"] for one in found) >= 8
    assert sum(one["alerts"] for one in found) <= 8
