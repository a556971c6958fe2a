"""Quiet years and planted drift: how often monitoring is wrong. The page and the proof both read it.

Belongs here: worlds of known truth, as frames, judged by the product's own functions with the product's own settings.
Does not belong here: pipelines and fitted models (the played months of the demo world do that, end to end).

A week has 1,000 leads, 3.4 % positive, of which the best-scored 45 % are dialled. A day's scores are those of all leads
that are open then (R51), mostly the same ones as the day before. What a number says about one world is a count; the
page sums them over worlds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from leadscore_v6.alerting.rules import Finding, alerts_for
from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.assets.production.data import production_settings
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.monitoring.champion import Contender, Decision, Evidence, Holdout, decide
from leadscore_v6.monitoring.class_balance import class_balance
from leadscore_v6.monitoring.comparable import Came, comparable
from leadscore_v6.monitoring.health import Day, feature_availability, health
from leadscore_v6.monitoring.performance import Scored, performance
from leadscore_v6.monitoring.psi import SCORE, Reference, drift, freeze, freeze_numbers
from leadscore_v6.monitoring.settings import monitoring_settings

RATE: Final = 0.034
WEEK, MONTH, SMALL_MONTH = 1_000, 4_300, 200
TRAINING, SMALL_TRAINING = 27_300, 2_000
CAPACITY: Final = 0.45
DIALLED: Final = 5_850  # of thirteen weeks
SETTINGS: Final = monitoring_settings()
# Fewer draws than in production: shares move by less than their own error.
DRIFT: Final = replace(SETTINGS.drift, null_draws=1_999)
PERFORMANCE: Final = replace(SETTINGS.performance, bootstrap_draws=150)
CHAMPION: Final = replace(SETTINGS.champion, bootstrap_draws=200)
ALERTING: Final = alerting_settings()
OPEN_DAYS: Final = production_settings().population.open_lead_days
ALL_OPEN, FEW_OPEN = 12_600, 143  # open on a day: of 1,000 new ones a week, and of 11
START: Final = date(2026, 1, 5)  # a Monday
NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
Found = Counter[str]


# --- weekly: class balance (R29) --------------------------------------------------------------------------------------


def balance(seed: int, ratio: float = 1.0, weeks: int = 52) -> Found:
    """Weeks in which the literal and the alert fire, when the rate is `ratio` × training's; `first 1`, `4`, `13`."""
    rng = np.random.default_rng((1, seed))
    training = float(rng.binomial(TRAINING, RATE)) / TRAINING
    days = np.repeat(np.arange(7 * weeks), WEEK // 7 + 1)[: weeks * WEEK]
    label = (rng.random(len(days)) < RATE * ratio).astype(np.int8)
    contact = np.datetime64(START) + days
    as_of = START + timedelta(days=7 * weeks + 30)
    of = replace(SETTINGS.class_balance, weeks=weeks)
    found = class_balance(contact, label, training, as_of, of).weeks
    alerts = [one.alerts for one in found]
    return Counter(
        {"looks": len(found), "literal": sum(one.is_large for one in found), "alerts": sum(alerts)}
        | {f"first {number}": int(any(alerts[:number])) for number in (1, 4, 13)}
    )


# --- daily: health (R25), availability (R40), of all leads that are open (R51) ----------------------------------------


def healthy_year(seed: int, skipped: float, failed: float, leads: int, days: int = 365) -> Found:
    """Days on which the plan's thresholds are missed, by the true shares of skipped and failed leads.

    A lead that is skipped or fails does so on each of its days: a rule excludes it, its values break the model.
    """
    rng = np.random.default_rng((2, seed))
    first, last = open_leads(rng, leads, days)
    fate = rng.choice(3, len(first), p=(1 - skipped - failed, skipped, failed))
    on_day = np.column_stack([_open_each_day(first[fate == one], last[fate == one], days) for one in range(3)])
    of = [Day(START + timedelta(days=day), *map(int, row), np.full(1, 2.0)) for day, row in enumerate(on_day)]
    found = [
        health(of[max(0, place - 6) : place + 1], one.day, (), SETTINGS.health).figures()
        for place, one in enumerate(of)
    ]
    alerts = sum(
        bool(alerts_for(Finding("health", {**figures, "features_unavailable": 0}), ALERTING, NOON)) for figures in found
    )
    return Counter({"looks": days, "literal": alerts, "alerts": alerts})


def available(seed: int, leads: int, points: float = 0.0, weeks: int = 52) -> Found:
    """Days on which one of the twenty features alerts; `points` more of the first one are missing.

    What is missing of a lead is missing on each of its days, so that one day of a week is looked at for all seven.
    """
    rng = np.random.default_rng((3, seed))
    shares = np.tile([0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.02, 0.0, 0.1], 2)
    names = [f"x{place:02d}" for place in range(20)]
    now = shares.copy()
    now[3] += points
    training = dict(zip(names, shares.tolist(), strict=True))
    first, last = open_leads(rng, leads, 7 * weeks)
    values = np.where(rng.random((len(first), 20)) < now, np.nan, 1.0)
    literal = alerts = 0
    for day in range(0, 7 * weeks, 7):
        frame = pd.DataFrame(values[(first <= day) & (day <= last)], columns=names)
        found = feature_availability(frame, names, training, SETTINGS.health)
        literal += 7 * any(one.is_over for one in found)
        alerts += 7 * any(one.is_unavailable for one in found)
    return Counter({"looks": 7 * weeks, "literal": literal, "alerts": alerts})


def open_leads(
    rng: np.random.Generator, leads: int, days: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last day open, both inclusive, of all leads that are open on some of `days`; `leads` of them on each.

    As sql/production_scores_v6/subjects.sql has it: open for ninety days after its contact, or until its call.
    """
    call = rng.integers(0, 31, size := round(leads * (days + OPEN_DAYS) / (OPEN_DAYS + 1 - RATE * (OPEN_DAYS - 14))))
    first = rng.integers(-OPEN_DAYS, days, size)
    return first, first + np.where(rng.random(size) < RATE, call - 1, OPEN_DAYS)


def _open_each_day(first: NDArray[np.int64], last: NDArray[np.int64], days: int) -> NDArray[np.int64]:
    """(days,) how many of them are open."""
    return np.array([((first <= day) & (day <= last)).sum() for day in range(days)])


# --- monthly: PSI (R30) -----------------------------------------------------------------------------------------------


def features(rng: np.random.Generator, leads: int) -> pd.DataFrame:
    """Eighty features of the kinds that the training set has, and the score; independent of each other."""
    found: dict[str, object] = {}
    for place in range(40):
        found[f"flag_{place}"] = (rng.random(leads) < 0.02 + 0.012 * place).astype(np.int64)
    for place in range(20):
        values = rng.gamma(1.5, 4, leads)
        found[f"number_{place}"] = np.where(rng.random(leads) < 0.02 * place, np.nan, values)
    for place in range(14):
        found[f"count_{place}"] = rng.poisson(0.3 + 0.4 * place, leads)
    for place, levels in enumerate((3, 5, 8, 12, 50, 400)):
        weights = 1 / np.arange(1, levels + 1)
        codes = rng.choice(levels, leads, p=weights / weights.sum())
        found[f"level_{place}"] = np.array([f"L{code:03d}" for code in range(levels)], dtype=object)[codes]
    found[SCORE] = expit(-4 + 1.3 * rng.normal(size=leads))
    return pd.DataFrame(found)


def references(rng: np.random.Generator, leads: int = TRAINING) -> tuple[Reference, ...]:
    """Frozen on a training window."""
    frame = features(rng, leads)
    columns = [
        FeatureColumn(name, "STRING" if name.startswith("level") else "FLOAT64") for name in frame if name != SCORE
    ]
    return (*freeze(frame, columns, DRIFT), freeze_numbers(frame[SCORE].to_numpy(), SCORE, DRIFT))


def quiet_months(seed: int, leads: int, training: int = TRAINING, months: int = 12) -> Found:
    """Months with a PSI above .25, and months with an alert."""
    rng = np.random.default_rng((4, seed))
    frozen, literal, alerts = references(rng, training), 0, 0
    for month in range(months):
        figures = drift(frozen, features(rng, leads), DRIFT, month).figures()
        literal += bool(figures["features_above_psi"])
        alerts += bool(figures["features_drifted"])
    return Counter({"looks": months, "literal": literal, "alerts": alerts})


def dialled_months(seed: int, months: int = 12) -> Found:
    """The score alone, of the leads that the model's queue had dialled: in four weeks against a holdout of thirteen.

    Judged at the level that it has among all 81.
    """
    rng = np.random.default_rng((8, seed))

    def weeks(count: int) -> np.ndarray:
        logits = np.sort(-4 + 1.3 * rng.normal(size=(count, WEEK)), axis=1)
        return expit(logits[:, -round(WEEK * CAPACITY) :].ravel())

    of = replace(DRIFT, significance=DRIFT.significance / 81)
    frozen, literal, alerts = freeze_numbers(weeks(DIALLED // round(WEEK * CAPACITY)), SCORE, of), 0, 0
    for month in range(months):
        figures = drift([frozen], pd.DataFrame({SCORE: weeks(4)}), of, month).figures()
        literal += bool(figures["features_above_psi"])
        alerts += bool(figures["features_drifted"])
    return Counter({"looks": months, "literal": literal, "alerts": alerts})


def moved(seed: int, kind: str, size: float, leads: int) -> Found:
    """One month in which one feature has moved; its null is judged at the level that it has among all 81."""
    rng = np.random.default_rng((5, seed))
    before, now = _one(rng, kind, TRAINING), _one(rng, kind, leads)
    if kind == "shift":
        now += size  # of a normal number: standard deviations
    elif kind == "missing":
        now[rng.random(leads) < size / 0.9] = np.nan  # of the nine tenths that are there: points
    elif kind == "new category":
        now[rng.random(leads) < size] = "new"
    else:
        now = expit(np.log(now / (1 - now)) + size)
    of = replace(DRIFT, significance=DRIFT.significance / 81)
    column = FeatureColumn("moved", "STRING" if kind == "new category" else "FLOAT64")
    frozen = freeze(pd.DataFrame({"moved": before}), [column], of)
    (one,) = drift(frozen, pd.DataFrame({"moved": now}), of, seed).features
    return Counter({"looks": 1, "literal": int(one.is_large), "alerts": int(one.alerts)})


def _one(rng: np.random.Generator, kind: str, leads: int) -> np.ndarray:
    """A feature of the kind that is to move: a number, 10 % missing; a category of fifty levels; the score."""
    if kind == "new category":
        # The rare ones have a sixth of the leads.
        weights = 1 / np.arange(1, 51)
        levels = np.array([f"L{code:02d}" for code in range(50)], dtype=object)
        return levels[rng.choice(50, leads, p=weights / weights.sum())]
    values = rng.normal(size=leads)
    return expit(-4 + 1.3 * values) if kind == "score" else np.where(rng.random(leads) < 0.1, np.nan, values)


# --- monthly: performance on matured, dialled leads -------------------------------------------------------------------


def looked(seed: int, remains: float = 1.0, ratio: float = 1.0) -> Found:
    """One look at thirteen weeks: `remains` of what the score knows still holds; odds are `ratio` × what they were.

    The true log-odds are remains × score + what keeps the spread of the truth as it was.
    """
    rng = np.random.default_rng((6, seed))
    pool = rng.normal(size=round(DIALLED / CAPACITY))
    known = np.sort(pool)[-DIALLED:]
    other = np.sqrt(1 - remains**2) * rng.normal(size=DIALLED)
    score = expit(-4.05 + 1.3 * known)
    label = (rng.random(DIALLED) < expit(-4.05 + 1.3 * (remains * known + other) + np.log(ratio))).astype(np.int8)
    advisors = rng.integers(0, round(0.95 * DIALLED), DIALLED)
    nobody = Scored(np.empty(0), np.empty(0, dtype=np.int64))
    figures = performance(Scored(score, advisors), label, nobody, PERFORMANCE, seed).figures()
    if figures["performance_dropped"] is None:
        return Counter({"looks": 1, "dropped": 0, "ratio": 0})
    outside = figures["expected_observed_low"] > 1.1 or figures["expected_observed_high"] < 0.9
    return Counter({"looks": 1, "dropped": figures["performance_dropped"], "ratio": int(outside)})


# --- each quarter: champion or challenger (R31) -----------------------------------------------------------------------


def contest(
    seed: int, aucs: tuple[float, float], dialled: float = 1.0, common: float = 0.5, rate: float = RATE
) -> Found:
    """One decision about champion and challenger of those true AUCs, on 8,400 leads: the plan's literal, and R31.

    dialled: the holdout is that share of the leads that came, those that the champion's score put first (R50). `alerts`
    counts promotions on those of them that are compared, `all` what they were if all of them were; `leads` are those
    compared. common: share of what moves a score, beside the truth, that moves both.
    """
    from scipy.stats import norm

    rng = np.random.default_rng((7, seed))
    leads = round(8_400 / dialled)
    label = (rng.random(leads) < rate).astype(np.int8)
    shared = rng.normal(size=leads)
    # They know the same leads.
    scores = [
        np.sqrt(common) * shared + np.sqrt(1 - common) * rng.normal(size=leads) + np.sqrt(2) * norm.ppf(auc) * label
        for auc in aucs
    ]
    was_dialled = np.zeros(leads, dtype=bool)
    was_dialled[np.argsort(-scores[0], kind="stable")[:8_400]] = True
    contact = np.datetime64("2026-02-01") + rng.integers(0, 120, leads)
    advisors = rng.integers(0, 8_000, leads)
    found = comparable(Came(contact, was_dialled, *scores))

    def decided(held: NDArray[np.bool_]) -> Decision:
        one = Contender("one", date(2025, 11, 1), date(2025, 9, 1), 0.01, 0.05, 0.1)
        other = replace(one, version="other", as_of=date(2026, 2, 1), cut_off=date(2025, 12, 1))
        holdout = Holdout(label[held], advisors[held], contact[held], scores[0][held], scores[1][held])
        return decide((one, other), Evidence(holdout, shadow_holds=True), date(2026, 2, 1), CHAMPION, seed)

    # The plan's literal is of all that have an outcome.
    of_all = decided(was_dialled)
    of_these = decided(found.leads) if found.is_chosen else of_all
    superior = next(condition.holds for condition in of_all.conditions if condition.name == "AUC-PR superior")
    counts = {"literal": bool(superior), "all": of_all.promotes, "alerts": of_these.promotes}
    return Counter({"looks": 1, **{name: int(was) for name, was in counts.items()}, "leads": of_these.holdout_leads})
