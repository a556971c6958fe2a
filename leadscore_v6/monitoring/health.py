"""Daily health: were leads scored, fast, and with the features that matter (plan 5.1, 6.1; R25, R40).

Belongs here: counting outcomes and latencies of scoring, and what of the most important features is missing. Does not
belong here: scoring, or what a lead's outcome was (`performance.py`).

Every lead ends as scored, skipped or failed. A lead without a snapshot is scored. Skipped: no valid CRD, excluded by a
rule, withdrawn. Success is scored / all, error is failed / all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.monitoring.holm import holm
from leadscore_v6.monitoring.settings import HealthSettings


@dataclass(frozen=True)
class Day:
    """One day of scoring: outcomes, and latencies (k,) in ms of the single-lead path, look-up included."""

    day: date
    scored: int
    skipped: int
    failed: int
    latency_ms: NDArray[np.float64]

    @property
    def leads(self) -> int:
        """All that were handed to scoring."""
        return self.scored + self.skipped + self.failed


@dataclass(frozen=True)
class Latency:
    """Milliseconds; percentiles are measured values, not interpolated ones."""

    mean: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Availability:
    """How much of one of the most important features is missing: share in training, share now.

    p_value is that of the one-sided exact binomial test of training's share; adjusted is Holm's over the features.
    `is_over`: R40's literal, more points than allowed; `is_unavailable`: and beyond chance.
    """

    feature: str
    training: float
    now: float
    p_value: float
    adjusted: float
    is_over: bool
    is_unavailable: bool


@dataclass(frozen=True)
class Health:
    """What `judged` says: the day's leads, or those of the days up to it where the day has too few."""

    day: Day
    judged: Day
    pooled_days: int
    latency: Latency | None
    availability: tuple[Availability, ...]

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Names of the features that are missing more often than they may, beyond chance."""
        return tuple(one.feature for one in self.availability if one.is_unavailable)

    def figures(self) -> dict[str, float | int | None]:
        """What gates and alerts read; None is not judgeable (no lead at all).

        success_rate, error_rate, latency_mean_ms, latency_p50_ms, latency_p95_ms, latency_p99_ms, features_over_points
        (R40's literal), features_unavailable (and beyond chance), leads_judged, leads_today, days_pooled.
        """
        leads, latency = self.judged.leads, self.latency
        features = self.availability
        return {
            "success_rate": self.judged.scored / leads if leads else None,
            "error_rate": self.judged.failed / leads if leads else None,
            "latency_mean_ms": latency.mean if latency else None,
            "latency_p50_ms": latency.p50 if latency else None,
            "latency_p95_ms": latency.p95 if latency else None,
            "latency_p99_ms": latency.p99 if latency else None,
            "features_over_points": sum(one.is_over for one in features) if features else None,
            "features_unavailable": len(self.unavailable) if features else None,
            "leads_judged": leads,
            "leads_today": self.day.leads,
            "days_pooled": self.pooled_days,
        }


def health(days: Sequence[Day], today: date, availability: Sequence[Availability], settings: HealthSettings) -> Health:
    """Judge the day `today` (R25): on its own leads when there are enough, else pooled over the days up to it.

    `days` may be in any order and lack days: a day without a run has no leads. Raises InputError if one is there twice.
    """
    by_day = {one.day: one for one in days}
    if len(by_day) < len(days):
        raise InputError("A day of scoring is there twice.", column="day")
    own = by_day.get(today) or pool([], today)
    judged, pooled = own, 1
    if own.leads < settings.min_leads_day:
        first, pooled = today - timedelta(days=settings.pooled_days - 1), settings.pooled_days
        judged = pool([one for one in days if first <= one.day <= today], today)
    return Health(own, judged, pooled, latency(judged.latency_ms), tuple(availability))


def pool(days: Sequence[Day], last: date) -> Day:
    """Several days as one, named after the last of them: the seven shadow days of step 5.1 are judged so."""
    return Day(
        day=last,
        scored=sum(one.scored for one in days),
        skipped=sum(one.skipped for one in days),
        failed=sum(one.failed for one in days),
        latency_ms=np.concatenate([np.empty(0), *(one.latency_ms for one in sorted(days, key=lambda one: one.day))]),
    )


def latency(milliseconds: NDArray[np.float64]) -> Latency | None:
    """Mean and percentiles of (k,) measurements; None if there are none."""
    if not len(milliseconds):
        return None
    p50, p95, p99 = np.quantile(milliseconds, (0.5, 0.95, 0.99), method="inverted_cdf")
    return Latency(float(milliseconds.mean()), float(p50), float(p95), float(p99))


def feature_availability(
    frame: pd.DataFrame, top: Sequence[str], training_missing: Mapping[str, float], settings: HealthSettings
) -> tuple[Availability, ...]:
    """Missing values of the features `top` (most important first) among the leads of `frame`, against training's share.

    `training_missing` is a share by feature. A feature that is not a column at all is missing for every lead: that it
    vanished is what this is to find. Too few leads to be judged (below `min_leads_day`): empty.
    """
    names, leads = list(top[: settings.top_features]), len(frame)
    if leads < settings.min_leads_day:
        return ()
    missing = {name: int(frame[name].isna().sum()) if name in frame.columns else leads for name in names}
    return availability(missing, leads, training_missing, settings)


def availability(
    missing: Mapping[str, int], leads: int, training_missing: Mapping[str, float], settings: HealthSettings
) -> tuple[Availability, ...]:
    """Each feature of `missing`, which is lacking for so many of `leads` (at least one), against training's share.

    Seven days in shadow and a day in production ask this alike (5.1, 6.1).
    """
    from scipy.stats import binomtest

    p_values = [
        float(binomtest(count, leads, training_missing[name], alternative="greater").pvalue)
        for name, count in missing.items()
    ]
    over = {name: count / leads - training_missing[name] > settings.missing_points for name, count in missing.items()}
    return tuple(
        Availability(
            feature=name,
            training=training_missing[name],
            now=missing[name] / leads,
            p_value=p_value,
            adjusted=adjusted,
            is_over=over[name],
            is_unavailable=over[name] and adjusted <= settings.significance,
        )
        for name, p_value, adjusted in zip(missing, p_values, holm(p_values), strict=True)
    )
