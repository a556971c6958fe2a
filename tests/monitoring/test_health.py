"""Health by hand-made days (R25), availability against scipy's exact test (R40)."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from leadscore_v6.errors import InputError
from leadscore_v6.monitoring.health import Day, feature_availability, health
from leadscore_v6.monitoring.settings import MonitoringSettings

TODAY = date(2025, 11, 10)


def day(back: int, scored: int, skipped: int = 0, failed: int = 0, ms: float = 2.0) -> Day:
    return Day(TODAY - timedelta(days=back), scored, skipped, failed, np.full(scored, ms))


def test_a_day_with_leads_enough_is_judged_alone(settings: MonitoringSettings) -> None:
    found = health([day(0, 97, 2, 1), day(1, 0, 0, 500)], TODAY, (), settings.health).figures()
    assert (found["success_rate"], found["error_rate"]) == (0.97, 0.01)
    assert (found["leads_judged"], found["days_pooled"]) == (100, 1)


def test_a_day_with_too_few_is_pooled_over_seven_and_no_more(settings: MonitoringSettings) -> None:
    days = [day(7, 0, 0, 900), day(6, 400), day(3, 100, 40), day(0, 59, 0, 1)]
    found = health(days, TODAY, (), settings.health).figures()
    assert found["leads_judged"] == 600
    assert found["leads_today"] == 60
    assert found["success_rate"] == pytest.approx(559 / 600)
    assert found["error_rate"] == pytest.approx(1 / 600)


def test_a_lead_that_was_skipped_is_no_success_and_no_error(settings: MonitoringSettings) -> None:
    found = health([day(0, 0, 200)], TODAY, (), settings.health).figures()
    assert (found["success_rate"], found["error_rate"]) == (0.0, 0.0)
    assert found["latency_mean_ms"] is None


@pytest.mark.parametrize("days", [[], [day(9, 500)], [day(0, 0)]], ids=["none", "long ago", "empty"])
def test_no_leads_at_all_are_not_judgeable(days: list[Day], settings: MonitoringSettings) -> None:
    found = health(days, TODAY, (), settings.health).figures()
    assert found["success_rate"] is None
    assert found["error_rate"] is None


def test_later_days_do_not_count(settings: MonitoringSettings) -> None:
    assert health([day(-1, 0, 0, 50), day(0, 50)], TODAY, (), settings.health).figures()["error_rate"] == 0


def test_a_day_that_is_there_twice_is_refused(settings: MonitoringSettings) -> None:
    with pytest.raises(InputError, match="twice"):
        health([day(0, 1), day(0, 1)], TODAY, (), settings.health)


def test_latencies_are_measured_values(settings: MonitoringSettings) -> None:
    values = np.random.default_rng(1).permutation(np.arange(1.0, 1001.0))
    found = health([Day(TODAY, 1000, 0, 0, values)], TODAY, (), settings.health).figures()
    assert (found["latency_p50_ms"], found["latency_p95_ms"], found["latency_p99_ms"]) == (500, 950, 990)
    assert found["latency_mean_ms"] == 500.5


# --- availability ---------------------------------------------------------------------------------------------------


def missing(share: float, leads: int = 400) -> pd.Series:
    return pd.Series([None] * round(share * leads) + [1.0] * (leads - round(share * leads)))


def test_more_than_ten_points_missing_are_found(settings: MonitoringSettings) -> None:
    frame = pd.DataFrame({"a": missing(0.3), "b": missing(0.16), "c": missing(0.5)})
    found = feature_availability(frame, ["a", "b", "c"], {"a": 0.1, "b": 0.05, "c": 0.5}, settings.health)
    assert [(one.feature, one.is_over, one.is_unavailable) for one in found] == [
        ("a", True, True),
        ("b", True, True),
        ("c", False, False),
    ]
    assert found[0].p_value == pytest.approx(binom.sf(119, 400, 0.1), rel=1e-6)
    figures = health([day(0, 400)], TODAY, found, settings.health).figures()
    assert (figures["features_over_points"], figures["features_unavailable"]) == (2, 2)


def test_ten_points_by_chance_are_the_literals_alone(settings: MonitoringSettings) -> None:
    frame = pd.DataFrame({f"x{number}": missing(0.41, 100) for number in range(20)})
    (first, *_) = feature_availability(frame, list(frame), dict.fromkeys(frame, 0.3), settings.health)
    assert first.is_over
    assert not first.is_unavailable


def test_a_feature_that_vanished_is_missing_for_all(settings: MonitoringSettings) -> None:
    (one,) = feature_availability(pd.DataFrame({"a": missing(0)}), ["gone"], {"gone": 0.0}, settings.health)
    assert (one.now, one.is_unavailable) == (1.0, True)


def test_only_the_most_important_features_are_looked_at(settings: MonitoringSettings) -> None:
    names = [f"x{number}" for number in range(30)]
    frame = pd.DataFrame({name: missing(0.9) for name in names})
    found = feature_availability(frame, names, dict.fromkeys(names, 0.0), settings.health)
    assert [one.feature for one in found] == names[:20]


def test_too_few_leads_say_nothing_of_availability(settings: MonitoringSettings) -> None:
    found = feature_availability(pd.DataFrame({"a": missing(1, 99)}), ["a"], {"a": 0.0}, settings.health)
    assert health([day(0, 99)], TODAY, found, settings.health).figures()["features_unavailable"] is None
