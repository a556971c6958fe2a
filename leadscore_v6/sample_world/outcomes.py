"""What becomes of a lead: its probability of a call scheduled within 30 days, and the outcome drawn from it.

Belongs here: the two documented truths and the draw. Does not belong here: what was known at contact (evidence.py).

`historical` multiplies the published conversion rates by segment (real_data_facts, "The leads"), with the base rate
of each quarter: an honest model gets AUC .62-.64 and AUC-PR about .06.

`demo` (R41) plants thresholds and interactions: who is worth a call is a *combination* (a veteran who has just joined
a team, a restless advisor in the window of the usual stay, ...), so that trees win against a linear model, no single
feature gives more than AUC .75, and the true AUC is about .89. No base rate moves with time, and none wobbles: in each
month so many leads convert as their probabilities add up to.

An unmatched lead converts three times as often as a matched one (published 9.8 against 3.2 %) in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.sample_world.draws import dealt, stream
from leadscore_v6.sample_world.evidence import Evidence, Floats
from leadscore_v6.sample_world.leads import contact_date
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.words import LOS_ANGELES, MIAMI, NEW_YORK, PLACES

UNMATCHED_RATE: Final = 0.098
LABEL_DAYS: Final = 30

_PUBLISHED_RATE: Final = {
    (2024, 1): 2.58, (2024, 2): 1.64, (2024, 3): 2.64, (2024, 4): 3.03,
    (2025, 1): 4.07, (2025, 2): 3.54, (2025, 3): 3.31, (2025, 4): 3.40,
}  # fmt: skip
_MEAN_RATE: Final = 3.39
_TENURE_SHARE: Final = ((0.3, 7.1), (0.6, 5.4), (0.9, 3.9), (np.inf, 2.5))
_PRIOR_TENURE: Final = ((2.0, 4.3), (5.0, 3.9), (10.0, 2.8), (np.inf, 2.0))
_METRO: Final = {NEW_YORK: 2.6 / 4.1, LOS_ANGELES: 2.5 / 4.1, MIAMI: 1.9 / 4.1}
_ONE_STATE: Final = 1.55  # relative to several states: 38 % of converters and 27 % of the rest are in one
_HISTORICAL_SCALE: Final = 0.0268

# Days to conversion: share of calls by day (0, 1, 2-3, 4-7, 8-30 of those within 30 days), then 12 % later.
_WITHIN: Final = ((0, 0, 36), (1, 1, 18), (2, 3, 11), (4, 7, 11), (8, LABEL_DAYS, 12))
_LATER_ODDS: Final = 12 / 88
_NEGATIVE_RATE: Final = 0.0048  # 11 % of all that convert: a call entered before the contact; independent of the lead


@dataclass(frozen=True)
class Outcomes:
    """Per lead (n,): true probability, the fixed uniform number it is compared with, days to the call (NaN: none)."""

    probability: Floats
    draw: Floats
    days: Floats

    @property
    def label(self) -> NDArray[np.bool_]:
        """(n,) a call was scheduled 0 to 30 days after contact."""
        return (self.days >= 0) & (self.days <= LABEL_DAYS)


@dataclass(frozen=True)
class Luck:
    """What is drawn for a lead once and for all (n,): uniform numbers, and `late` exponential with mean 1."""

    draw: Floats
    later: Floats
    group: Floats
    within: Floats
    late: Floats


def probabilities(scenario: str, evidence: Evidence) -> Floats:
    """(n,) true probability of a call within 30 days, from what was known at contact and nothing else."""
    matched = _demo(evidence) if scenario == "demo" else _historical(evidence)
    return np.where(evidence.matched, matched, UNMATCHED_RATE)


def draw_outcomes(spec: WorldSpec, evidence: Evidence) -> Outcomes:
    """One fixed draw per lead; in `demo` they are dealt by the month, so that an honest model passes with room (R41).

    By independent draws the base rates of two blocks differ by some 6 %, and a gate that holds the probabilities of the
    one against the other (R20) stops about one right model in eleven: docs/adr/0024.
    """
    rng = stream(spec.seed, "outcomes")
    n = len(evidence.day)
    probability = probabilities(spec.scenario, evidence)
    draw, later, negative = rng.random(n), rng.random(n), rng.random(n)
    if spec.scenario == "demo":
        draw = dealt(stream(spec.seed, "months"), probability, _months(evidence.day))
    luck = Luck(draw, later, rng.random(n), rng.random(n), rng.exponential(1.0, n))
    early = -1 - np.minimum(rng.exponential(40.0, n), 300).astype(int)
    days = np.where(negative < _NEGATIVE_RATE, early, days_to_call(probability, luck))
    return Outcomes(probability, draw, days)


def _months(day: NDArray[np.integer]) -> NDArray[np.integer]:
    """(n,) calendar months of day numbers, counted from 1970-01."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(int)


def days_to_call(probability: Floats, luck: Luck) -> Floats:
    """(n,) whole days until a call is scheduled: 0 to 30 with the given chance, now and then later; NaN for never."""
    first, last, weight = np.array(_WITHIN).T
    group = np.searchsorted(np.cumsum(weight) / weight.sum(), luck.group, side="right")
    within = first[group] + (luck.within * (last - first + 1)[group]).astype(int)
    late = LABEL_DAYS + 1 + np.minimum(85.0 * luck.late, 480).astype(int)
    days = np.where(luck.later < _LATER_ODDS * probability, late, np.nan)
    return np.where(luck.draw < probability, within, days)


def _step(value: Floats, steps: tuple[tuple[float, float], ...], missing: float) -> Floats:
    """The rate of the first step whose upper bound is above `value`; `missing` for NaN."""
    bounds, rates = np.array(steps).T
    found = rates[np.searchsorted(bounds, np.nan_to_num(value), side="right").clip(max=len(rates) - 1)]
    return np.where(np.isnan(value), missing, found)


def _historical(evidence: Evidence) -> Floats:
    share = evidence.tenure / np.maximum(evidence.experience, 0.01)
    metro = np.array([*(_METRO.get(place.metro, 1.0) for place in PLACES), 1.0])[evidence.home]
    quarters = np.array([_quarter_rate(day) for day in range(evidence.day.min(), evidence.day.max() + 1)])
    relative = (
        _step(share, _TENURE_SHARE, _MEAN_RATE)
        / _MEAN_RATE
        * _step(evidence.prior_mean, _PRIOR_TENURE, _MEAN_RATE)
        / _MEAN_RATE
        * metro
        * np.where(evidence.states == 1, _ONE_STATE, 1.0)
        * quarters[evidence.day - evidence.day.min()]
        / _MEAN_RATE
    )
    probability: Floats = np.minimum(_HISTORICAL_SCALE * relative, 0.6)
    return probability


def _quarter_rate(day: int) -> float:
    contact = contact_date(day)
    return _PUBLISHED_RATE.get((contact.year, (contact.month + 2) // 3), _MEAN_RATE)


def _demo(evidence: Evidence) -> Floats:
    """The planted signal: four reasons to talk, each a combination that grows in steps. AUC .89, 3.4 % positive.

    A comparison with a blank is False: what is not known does not make a lead worth a call. Log-odds have many levels,
    low ones too: between two levels alone no score of a model that must estimate them is linear in the true log-odds,
    and Platt scaling, which is, would be wrong for every model (R20 would stop it, rightly).
    """
    e = evidence
    newly_hired_veteran = (e.tenure < 2.5) & (e.experience >= 14)
    restless = (e.tenure >= 3) & (e.tenure < 7) & (e.prior_mean < 3.5)
    outgrown = (e.firm_reps <= 20) & (e.tenure >= 7) & (e.tenure < 14)
    rising = (e.experience >= 5) & (e.experience < 14) & (e.dual == 0)
    reason = (
        newly_hired_veteran * (1.4 + 1.6 * (e.states >= 6) + 1.2 * (e.states >= 14))
        + restless * (1.4 + 1.6 * (e.prior_mean < 2.8) + 1.2 * (e.prior_mean < 2.0))
        + outgrown * (1.4 + 1.6 * (e.states >= 5) + 1.2 * (e.states >= 12))
        + rising * (1.4 + 2.0 * (e.cfp == 1))
    )
    reachable = (e.linkedin == 1) & (e.states >= 2)  # matters only for those who have a reason to talk
    content = (
        0.7 * (e.tenure >= 9)
        + 0.9 * (e.tenure >= 16)
        + 0.7 * (e.states < 2)
        + 0.6 * (e.linkedin == 0)
        + 0.5 * (e.prior_mean >= 6)
    )
    logit = -4.88 + np.minimum(reason, 5.6) * np.where(reachable, 1.0, 0.65) - content * (reason == 0)
    probability: Floats = 1 / (1 + np.exp(-logit))
    return probability


def other_pattern(evidence: Evidence) -> Floats:
    """The demo's other concept (drift.py): who answers has nothing to do with who did; about as many of them do.

    Combinations again, so that no single feature tells it, of features that the first concept uses and of some that it
    does not; those whom `_demo` favours are left at the base.
    """
    e = evidence
    patterns = (
        (e.tenure >= 14) & (e.states <= 3) & (e.licences >= 2),
        (e.experience < 9) & (e.firm_reps > 20) & (e.linkedin == 0),
        (e.experience >= 25) & (e.series65 == 1) & (e.tenure < 14) & (e.linkedin == 0),
    )
    met = np.sum(patterns, axis=0)
    keen = np.where(e.dual == 1, 0.6, -1.0)
    logit = -5.38 + (met > 0) * (3.75 + keen)
    probability: Floats = 1 / (1 + np.exp(-logit))
    return probability
