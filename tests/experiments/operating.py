"""Experiments of known truth, thousands at a time, and what the product makes of them.

Belongs here: draws, vectorised over experiments, judged by the product's own statistics (`effect`, `sequential`); the
page and the proofs both read it. Does not belong here: whole frames of leads, one test at a time (`trials.py`).

An advisor has one to three leads in the test; what makes them convert is shared: his rate is drawn from a Beta
distribution with an intra-class correlation of 5 %. Half of the dials come before the first look, leads of one advisor
on both sides of it. Sizes and boundaries are those of the product's own design at 3.4 MQLs per 100 dials.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import expit, ndtri

from leadscore_v6.experiments.effect import Comparison, RatioSums
from leadscore_v6.experiments.power import Flow, PowerAnalysis, power_analysis
from leadscore_v6.experiments.sequential import Boundaries, drift_interval
from tests.experiments.trials import settings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
RATE: Final = 0.034
CORRELATION: Final = 0.05  # of two leads of one advisor
LEADS_A_WEEK: Final = 1400
CHUNK: Final = 500  # experiments drawn at once
# Advisors by (leads before the first look, leads after it): 1.25 leads an advisor, half of them before.
_PATTERNS: Final = (((1, 0), 0.40), ((0, 1), 0.40), ((1, 1), 0.15), ((2, 1), 0.025), ((1, 2), 0.025))
SETTINGS = settings()


@cache
def design() -> PowerAnalysis:
    """The product's own plan for this rate, and for advisors like these."""
    squares, leads = (sum(share * (early + late) ** power for (early, late), share in _PATTERNS) for power in (2, 1))
    others = (squares / leads - 1) / SETTINGS.design.capacity_share
    return power_analysis(RATE, Flow(LEADS_A_WEEK, others), SETTINGS, date(2025, 11, 10))


@dataclass(frozen=True)
class Advisors:
    """Leads of each advisor of one arm before and after the first look (a,), and how they convert (n, a) each."""

    before: Floats
    after: Floats
    converted_before: Floats
    converted_after: Floats

    def sums(self, look: int) -> RatioSums:
        """At look 0 or 1, an element per experiment: what `RatioSums.of` gives one by one."""
        y = self.converted_before + (self.converted_after if look else 0)
        d = self.before + (self.after if look else 0)
        return RatioSums(
            advisors=int((d > 0).sum()),
            counted=y.sum(axis=1),
            per=d.sum(),
            counted_squared=(y**2).sum(axis=1),
            counted_per=y @ d,
            per_squared=d @ d,
        )


def draw(rng: np.random.Generator, rate: float, experiments: int, dials: int) -> Advisors:
    """One arm of `experiments` tests with about `dials` dials each."""
    mean = sum(share * (early + late) for (early, late), share in _PATTERNS)
    counts = [round(share * dials / mean) for _, share in _PATTERNS]
    before, after = (
        np.repeat([pattern[side] for pattern, _ in _PATTERNS], counts).astype(np.float64) for side in (0, 1)
    )
    strength = 1 / CORRELATION - 1
    own = rng.beta(rate * strength, (1 - rate) * strength, size=(experiments, len(before)))
    early, late = (rng.binomial(leads.astype(np.int64), own).astype(np.float64) for leads in (before, after))
    return Advisors(before, after, early, late)


@dataclass(frozen=True)
class Outcomes:
    """(n,) each: crossed up or down at one of the looks; the gate's go (p < alpha, lift > min_lift), and by which look;
    the lift told at the end, and whether its interval holds the truth; the same of the interval of the first look."""  # noqa: D205, D209

    up: Flags
    down: Flags
    go: Flags
    go_early: Flags
    lift: Floats
    covered: Flags
    covered_early: Flags


def run(true_lift: float, experiments: int, seed: int) -> Outcomes:
    """Tests at one true lift, read at both looks as the product reads them (guardrails left aside)."""
    parts = []
    for number, start in enumerate(range(0, experiments, CHUNK)):
        rng = np.random.default_rng([seed, round(1000 * true_lift), number])
        size, dials = min(CHUNK, experiments - start), design().dials // 2
        treatment = draw(rng, RATE * (1 + true_lift), size, dials)
        control = draw(rng, RATE, size, dials)
        parts.append(judge(treatment, control, true_lift))
    return Outcomes(*(np.concatenate([getattr(part, name) for part in parts]) for name in Outcomes.__annotations__))


def judge(treatment: Advisors, control: Advisors, true_lift: float) -> Outcomes:
    """The rule of `readout`: a crossed boundary ends the test if the lift is high enough, else it goes on."""
    bar, boundaries = np.log1p(SETTINGS.readout.min_lift), design().boundaries
    first, last = (Comparison(treatment.sums(look), control.sums(look)) for look in (0, 1))
    early_up, early_down = (sign * first.z >= boundaries.critical[0] for sign in (1, -1))
    up = early_up | (~early_down & (last.z >= boundaries.critical[1]))
    go_early = early_up & (first.log_ratio > bar)
    go = go_early | (up & ~go_early & (last.log_ratio > bar))
    ended = go_early | early_down
    truth = np.log1p(true_lift)
    repeated = np.abs(last.log_ratio - truth) <= boundaries.critical[1] * last.log_ratio_error
    covered = np.where(
        ended,
        _stage_wise(first, boundaries, 0, truth),
        np.where(early_up, repeated, _stage_wise(last, boundaries, 1, truth)),
    )
    covered_early = np.abs(first.log_ratio - truth) <= boundaries.critical[0] * first.log_ratio_error
    lift = np.expm1(np.where(ended, first.log_ratio, last.log_ratio))
    return Outcomes(up, early_down | (~early_up & (last.z <= -boundaries.critical[1])), go, go_early, lift, covered,
                    covered_early)  # fmt: skip


def _stage_wise(arms: Comparison, boundaries: Boundaries, look: int, truth: float) -> Flags:
    """Whether the stage-wise interval of a test that ended at `look` holds the true log ratio."""
    low, high = _splines(boundaries, look)
    unit = np.sqrt(boundaries.information[look]) * arms.log_ratio_error
    z = np.clip(arms.log_ratio / arms.log_ratio_error, -_REACH, _REACH)
    return (unit * low(z) <= truth) & (truth <= unit * high(z))


_REACH: Final = 9.0  # of z in the tables below


@cache
def _splines(boundaries: Boundaries, look: int) -> tuple[CubicSpline, CubicSpline]:
    """The product's interval as a function of z: exact at the nodes, to 1e-4 between."""
    z = np.linspace(-_REACH, _REACH, 145)
    information, earlier = boundaries.information[: look + 1], boundaries.critical[:look]
    found = np.array([drift_interval(information, earlier, at, SETTINGS.design.alpha) for at in z])
    return CubicSpline(z, found[:, 0]), CubicSpline(z, found[:, 1])


def peeked(experiments: int, days: int, seed: int) -> float:
    """Share of tests without an effect in which the pooled z passes 1.96 on one of `days` days: what no one may do."""
    rng = np.random.default_rng([seed, days])
    daily = design().dials // 2 // days
    mqls = rng.binomial(daily, RATE, size=(2, experiments, days)).cumsum(axis=2)
    dials = daily * np.arange(1, days + 1)
    with np.errstate(invalid="ignore"):
        pooled = mqls.sum(axis=0) / (2 * dials)
        z = (mqls[0] - mqls[1]) / np.sqrt(2 * dials * pooled * (1 - pooled))
    return float((np.abs(np.nan_to_num(z)) >= 1.959964).any(axis=1).mean())


# --- interference -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Team:
    """Leads a week, the share that can be dialled, and how well the score tells who converts (AUC)."""

    leads: int
    capacity: float
    auc: float


@dataclass(frozen=True)
class Readings:
    """(n,) relative lifts that tests read, and the true one: everybody's queue by score against nobody's."""

    truth: float
    shared_per_dial: Floats
    shared_per_lead: Floats
    split_per_dial: Floats
    split_per_lead: Floats


def interference(team: Team, experiments: int, weeks: int, seed: int) -> Readings:
    """What tests read if the arms share one queue, and if each has its half of the capacity.

    In the shared queue the treatment's leads stand by their probability, the control's by order of arrival at the
    average one: the team dials whoever stands in front.
    """
    found, truth = [], []
    for number in range(0, experiments, _TEAMS):
        rng = np.random.default_rng([seed, team.leads, number])
        size = min(_TEAMS, experiments - number)
        counts = np.zeros((4, 2, size))  # design (shared, split) × (dials, MQLs), by arm
        for _ in range(weeks):
            converts, score = _week(rng, team, size)
            truth.append(_rates_of_all(converts, score, team))
            counts += _dialled(rng, converts, score, team)
        found.append(counts)
    counts = np.concatenate(found, axis=2)
    shared_dials, shared_mqls, split_dials, split_mqls = counts
    by_score, by_arrival = np.mean(truth, axis=0)
    return Readings(
        truth=float(by_score / by_arrival - 1),
        shared_per_dial=_lift(shared_mqls, shared_dials),
        shared_per_lead=_lift(shared_mqls, np.ones_like(shared_dials)),
        split_per_dial=_lift(split_mqls, split_dials),
        split_per_lead=_lift(split_mqls, np.ones_like(split_dials)),
    )


_TEAMS: Final = 250  # experiments drawn at once


def _week(rng: np.random.Generator, team: Team, size: int) -> tuple[Flags, Floats]:
    """Who converts if dialled, and the probability that a right model gives: (size, leads) each."""
    distance = np.sqrt(2) * ndtri(team.auc)
    converts = rng.random((size, team.leads)) < RATE
    normal = rng.standard_normal((size, team.leads)) + distance * converts
    return converts, expit(np.log(RATE / (1 - RATE)) + distance * normal - distance**2 / 2)


def _rates_of_all(converts: Flags, score: Floats, team: Team) -> tuple[float, float]:
    """MQLs per dial if the whole team dials by score, and if it dials by order of arrival (which is at random)."""
    dials = round(team.capacity * team.leads)
    return float(np.take_along_axis(converts, _front(score, dials), 1).mean()), float(converts[:, :dials].mean())


def _dialled(rng: np.random.Generator, converts: Flags, score: Floats, team: Team) -> Floats:
    """(4, 2, size) dials and MQLs of treatment and control: shared queue, then split capacity."""
    half, dials = team.leads // 2, round(team.capacity * team.leads)
    arrival = rng.random((len(score), half))
    waiting = 1e-9 * np.concatenate([rng.random(arrival.shape), arrival], axis=1)  # ties go by arrival
    shared = np.concatenate([score[:, :half], np.full_like(arrival, RATE)], axis=1) + waiting
    front = _front(shared, dials)
    in_treatment = front < half
    mqls = np.take_along_axis(converts, front, 1)
    own = _front(score[:, :half], dials // 2)
    usual = _front(arrival, dials // 2) + half
    split = [np.take_along_axis(converts, chosen, 1).sum(axis=1) for chosen in (own, usual)]
    return np.array(
        [
            [in_treatment.sum(axis=1), (~in_treatment).sum(axis=1)],
            [(mqls & in_treatment).sum(axis=1), (mqls & ~in_treatment).sum(axis=1)],
            [np.full(len(score), dials // 2)] * 2,
            split,
        ],
        dtype=np.float64,
    )


def _front(order: Floats, dials: int) -> NDArray[np.intp]:
    """Places of the `dials` highest in each row."""
    return np.argpartition(-order, dials - 1, axis=1)[:, :dials]


def _lift(counted: Floats, per: Floats) -> Floats:
    rates = counted / per
    return rates[0] / rates[1] - 1
