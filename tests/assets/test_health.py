"""Health of a day, as alerts read it: by its leads, pooled over a week where they are few (R25, R40)."""

from __future__ import annotations

from typing import Any

import pytest

from leadscore_v6.alerting.rules import Finding, alerts_for
from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.assets.production.health import health_figures
from leadscore_v6.gates.judge import judge
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.monitoring.settings import monitoring_settings
from tests.monitoring.operating import NOON

SETTINGS = monitoring_settings().health


class Days:
    """A ledger of scored days: outcomes of the leads by key: scored, skipped, failed, without a CRD."""

    def __init__(self, **days: tuple[int, int, int, int]) -> None:
        self.days = {key.removeprefix("d"): counts for key, counts in days.items()}

    def latest(self, asset: str, key: str | None) -> Attempt | None:
        assert asset == "production_scores_v6"
        if key not in self.days:
            return None
        scored, skipped, failed, without_crd = self.days[key]
        leads = {"scored": scored, "skipped": skipped + without_crd, "failed": failed}
        facts = {
            "by_kind": {"lead": leads, "prospect": {"scored": 10_000}},
            "skipped_by": {"no valid CRD": without_crd, "excluded by a rule: advisor": skipped},
        }
        figures: dict[str, Any] = {"latency_mean_ms": 3.0, "features_over_points": 1, "features_unavailable": 0}
        return Attempt(key, asset, key, None, key, "published", figures=figures, facts=facts)


def figures(key: str, **days: tuple[int, int, int, int]) -> dict[str, Any]:
    found = health_figures(Days(**days), key, SETTINGS)
    assert found is not None
    return found


def told(found: dict[str, Any]) -> set[str]:
    return {alert.key for alert in alerts_for(Finding("health", found), alerting_settings(), NOON)}


def test_a_day_of_a_hundred_leads_is_judged_by_itself() -> None:
    found = figures("20260305", d20260305=(97, 2, 1, 0), d20260304=(900, 0, 0, 0))
    assert (found["success_rate"], found["error_rate"], found["days_pooled"]) == (0.97, 0.01, 1)
    assert told(found) == {"scoring_success", "scoring_errors"}


def test_a_day_of_few_leads_is_pooled_with_the_six_before_it() -> None:
    """One failed lead of 99 is 1 %; of the 1,099 of seven days it is not 0.5 %. The day before those is not asked."""
    days = {"d20260305": (98, 0, 1, 0), "d20260304": (900, 0, 0, 0), "d20260227": (100, 0, 0, 0)}
    found = figures("20260305", **days, d20260226=(0, 0, 500, 0))
    assert (found["leads_judged"], found["leads_today"], found["days_pooled"]) == (1_099, 99, 7)
    assert found["error_rate"] == pytest.approx(1 / 1_099)
    assert told(found) == set()


def test_a_lead_without_a_crd_is_nobodys_failure() -> None:
    found = figures("20260305", d20260305=(150, 0, 0, 9))
    assert found["success_rate"] == 1.0


def test_points_that_chance_explains_are_no_alarm() -> None:
    """One feature is over ten points, by chance: the literal says so, alarm and gate read the other (R40)."""
    found = figures("20260305", d20260305=(150, 0, 0, 0))
    assert (found["features_over_points"], found["features_unavailable"]) == (1, 0)
    assert told(found) == set()
    gate = load_gates()["production_features_available"]
    assert [judge(gate, {**found, "open_leads": 150, "features_unavailable": one}).word for one in (0, 1)] == [
        "pass", "fail"
    ]  # fmt: skip


def test_a_day_that_was_not_judged_has_no_health() -> None:
    assert health_figures(Days(), "20260305", SETTINGS) is None


def test_no_lead_at_all_is_an_alarm() -> None:
    assert told(figures("20260305", d20260305=(0, 0, 0, 0))) == {"scoring_success"}
