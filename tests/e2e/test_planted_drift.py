"""Drift that is planted in the played world is found by the steps that watch, and a quiet one is not cried over.

Sixteen weeks of 1,000 leads after the training, dialled as ever; a small part of what is looked at is older than the
drift. Which drift is found how often is in docs/operating-characteristics.md; here it goes the whole way, through
files, landing, the point-in-time join, the scores of the champion and the alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.driver import raise_for, run_through
from leadscore_v6.driver_monitoring import MonitorRequest, monitor
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.monitoring import MONTHLY, WEEKLY
from tests.e2e.champion_world import copy_of, crown, play_on, quiet
from tests.e2e.model_world import Modelled

pytestmark = pytest.mark.prove
DAY = date(2026, 2, 24)
Found = dict[str, Any]


@pytest.fixture(scope="module")
def after(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Found]:
    """What is found after sixteen weeks under a drift: drifted features, figures, and the rules that alerted."""
    known: dict[str, Found] = {}

    def look(planted: str) -> Found:
        if planted not in known:
            known[planted] = _look(modelled, tmp_path_factory.mktemp("planted"), planted)
        return known[planted]

    return look


def _look(modelled: Modelled, folder: Path, planted: str) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        settings = copy_of(modelled, folder, patch)
        crown(settings)
        play_on(folder / "feed", 16, planted, snapshots=True)
        # The ninth quarter and the CRM's files are landed; the model stays.
        raise_for(run_through(settings, "dataset", {}, quiet))
        raise_for(monitor(settings, MonitorRequest((WEEKLY, MONTHLY), (DAY,)), quiet))
        ledger, _ = read_ledger(settings)
        of = {name: ledger.latest(name, key) for name, key in LOOKS}
        figures = {name: value for attempt in of.values() if attempt for name, value in attempt.figures.items()}
        rules = {filed.alert.key.partition("-")[0] for filed in Outbox(settings.outbox).filed()}
        drifted = of["feature_drift_v6"]
        assert drifted is not None
        return {**figures, "drifted": set(drifted.facts["drifted"]), "rules": rules}


LOOKS = (
    ("feature_drift_v6", f"{DAY:%Y%m%d}"),
    ("model_performance_v6", f"{DAY:%Y%m%d}"),
    ("class_balance_v6", None),
)


def test_a_quiet_world_ranks_and_converts_as_promised(after: Callable[[str], Found]) -> None:
    found = after("quiet")
    assert found["performance_dropped"] == 0
    assert found["class_balance_alerts"] == 0
    assert found["rules"] <= {"feature_drift"}
    assert found["matured_positives"] > 300


@pytest.mark.parametrize(
    ("planted", "feature"),
    [
        ("shift:0.8", "DateBecameRep_NumberOfYears"),
        ("missingness:0.6", "AverageTenureAtPriorFirms"),
        ("new-category:0.1", "Branch_State"),
    ],
)
def test_a_feature_that_moves_is_found_by_name(after: Callable[[str], Found], planted: str, feature: str) -> None:
    assert feature not in after("quiet")["drifted"]
    found = after(planted)
    assert feature in found["drifted"]
    assert "feature_drift" in found["rules"]


def test_another_concept_is_found_by_what_came_of_the_leads(after: Callable[[str], Found]) -> None:
    """Not by the features, which are as before, nor by what the scores promise of the young."""
    found = after("concept:1")
    assert found["performance_dropped"] == 1
    assert "performance_drop" in found["rules"]
    assert found["auc_expected"] - found["auc_roc"] > 0.2


@pytest.mark.parametrize(("planted", "rule"), [("base-rate:3", "below"), ("base-rate:0.3", "above")])
def test_another_base_rate_is_found_by_expected_over_observed(
    after: Callable[[str], Found], planted: str, rule: str
) -> None:
    found = after(planted)
    assert f"expected_{rule}_observed" in found["rules"]
    assert "class_balance" in found["rules"]
