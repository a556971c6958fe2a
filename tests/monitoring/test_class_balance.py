"""Matured weeks against a loop over days, the exact test against a sum of probabilities (R29)."""

from __future__ import annotations

from datetime import date, timedelta
from math import comb

import numpy as np
import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.monitoring.class_balance import ClassBalance, class_balance
from leadscore_v6.monitoring.settings import MonitoringSettings

AS_OF = date(2025, 11, 24)
MONDAY = date(2025, 10, 13)


def days(*runs: tuple[date, int]) -> np.ndarray:
    return np.concatenate([np.full(count, np.datetime64(day, "D")) for day, count in runs])


def label(leads: int, positives: int) -> np.ndarray:
    return (np.arange(leads) < positives).astype(np.int8)


def week(leads: int, positives: int, settings: MonitoringSettings, rate: float = 0.04) -> ClassBalance:
    return class_balance(days((MONDAY, leads)), label(leads, positives), rate, AS_OF, settings.class_balance)


def exact(positives: int, leads: int, rate: float) -> float:
    """Two-sided: the probability of everything that is not likelier than what came."""
    chances = [comb(leads, k) * rate**k * (1 - rate) ** (leads - k) for k in range(leads + 1)]
    return sum(chance for chance in chances if chance <= chances[positives] * (1 + 1e-7))


@pytest.mark.parametrize(("leads", "positives"), [(200, 8), (200, 1), (200, 17), (800, 21), (800, 50), (150, 0)])
def test_a_week_is_its_exact_test(leads: int, positives: int, settings: MonitoringSettings) -> None:
    figures = week(leads, positives, settings).figures()
    assert figures["class_balance_rate"] == positives / leads
    assert figures["class_balance_change"] == pytest.approx(abs(positives / leads / 0.04 - 1))
    assert figures["class_balance_p_value"] == pytest.approx(exact(positives, leads, 0.04), rel=1e-6)
    expected = abs(positives / leads / 0.04 - 1) > 0.05 and exact(positives, leads, 0.04) <= 0.01
    assert figures["class_balance_alerts"] == expected


def test_five_percent_alone_is_no_alarm(settings: MonitoringSettings) -> None:
    """Statistics: at 1,000 leads a week 5 % relative is passed in 79 % of quiet weeks."""
    rng = np.random.default_rng(6)
    literal = alerts = 0
    for positives in rng.binomial(1000, 0.034, 400):
        found = week(1000, positives, settings, rate=0.034)
        assert found.latest is not None
        literal += found.latest.is_large
        alerts += found.latest.alerts
    assert literal / 400 == pytest.approx(0.79, abs=0.06)
    assert alerts / 400 <= 0.02


def test_what_is_certain_but_below_five_percent_is_no_alarm(settings: MonitoringSettings) -> None:
    (only,) = week(200_000, 8_360, settings).weeks
    assert only.is_beyond_chance
    assert not only.alerts


def test_weeks_are_those_of_a_loop_and_only_the_wholly_matured(settings: MonitoringSettings) -> None:
    rng = np.random.default_rng(3)
    contact = [AS_OF - timedelta(days=int(back)) for back in rng.integers(0, 130, 5000)]
    converted = (rng.random(5000) < 0.05).astype(np.int8)
    found = class_balance(np.array(contact, dtype="datetime64[D]"), converted, 0.05, AS_OF, settings.class_balance)
    expected: dict[date, list[int]] = {}
    young = 0
    for day, hit in zip(contact, converted, strict=True):
        monday = day - timedelta(days=day.weekday())
        if monday + timedelta(days=6 + 30) > AS_OF:
            young += 1
        else:
            expected.setdefault(monday, []).append(int(hit))
    newest = sorted(expected)[-settings.class_balance.weeks :]
    assert [one.monday for one in found.weeks] == newest
    assert [(one.leads, one.positives) for one in found.weeks] == [(len(expected[m]), sum(expected[m])) for m in newest]
    assert found.young == young > 0


def test_a_week_whose_last_day_matures_tomorrow_is_young(settings: MonitoringSettings) -> None:
    """Monday to Sunday, and 30 days after the Sunday: its leads would be false negatives until then."""
    last = MONDAY + timedelta(days=6 + 30)
    for as_of, weeks in ((last - timedelta(days=1), 0), (last, 1)):
        found = class_balance(days((MONDAY, 500)), label(500, 20), 0.04, as_of, settings.class_balance)
        assert len(found.weeks) == weeks


def test_a_small_newest_week_is_not_judgeable_and_no_older_one_stands_in(settings: MonitoringSettings) -> None:
    contact = days((MONDAY - timedelta(days=7), 500), (MONDAY, 99))
    figures = class_balance(contact, np.zeros(599, dtype=np.int8), 0.04, AS_OF, settings.class_balance).figures()
    assert figures["class_balance_alerts"] is None
    assert figures["class_balance_leads"] == 99
    assert figures["weeks_alerting"] == 1


def test_no_leads_are_not_judgeable(settings: MonitoringSettings) -> None:
    empty = class_balance(
        np.array([], dtype="datetime64[D]"), np.array([], dtype=np.int8), 0.04, AS_OF, settings.class_balance
    )
    assert empty.figures()["class_balance_alerts"] is None


def test_contacts_after_as_of_and_rates_that_are_none_are_refused(settings: MonitoringSettings) -> None:
    contact = days((AS_OF + timedelta(days=1), 3))
    with pytest.raises(InputError, match="3 leads were contacted after 2025-11-24"):
        class_balance(contact, label(3, 1), 0.04, AS_OF, settings.class_balance)
    with pytest.raises(InputError, match="training rate"):
        class_balance(days((MONDAY, 3)), label(3, 1), 0.0, AS_OF, settings.class_balance)
