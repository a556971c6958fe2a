"""Whom nobody is to call is neither assigned nor queued; who was assigned already stays in the arm (R25, R28)."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from leadscore_v6.assets.experiment import enrolment
from leadscore_v6.experiments.records import Records
from leadscore_v6.serving.settings import ScoringSettings, ShadowSettings

RULES = ScoringSettings(frozenset({"111"}), frozenset({"L2"}), ShadowSettings(7, 20, 2000, 1))
DAY = pd.Timestamp("2026-01-02")
PLAN: Any = SimpleNamespace(fingerprint="f", attempt="plan")


def leads(*crds: str | None) -> pd.DataFrame:
    return pd.DataFrame({"lead_id": [f"L{place}" for place in range(1, len(crds) + 1)], "crd": crds})


def test_whom_a_rule_excludes_is_not_assigned_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = leads("111", "222", "333", None).assign(entered_at=DAY, dialled_already=0, called_already=0)
    monkeypatch.setattr(enrolment, "_arrivals", lambda *given: arrived)
    monkeypatch.setattr(enrolment, "extract_day", lambda ledger: date(2026, 1, 5))
    monkeypatch.setattr(enrolment, "scoring_settings", lambda: RULES)
    monkeypatch.setattr(enrolment, "has_ended", lambda *given: False)
    records: Any = SimpleNamespace(assignments=pd.DataFrame({"lead_id": []}))
    bench: Any = SimpleNamespace(ledger=None)
    eligible, left_out = enrolment._eligible(bench, PLAN, records, None)
    assert list(eligible["lead_id"]) == ["L3"]
    assert left_out == {"without a CRD": 1, "excluded by a rule: advisor": 1, "withdrawn": 1}


def test_whom_a_rule_or_a_call_forbids_since_is_not_queued_and_stays_assigned() -> None:
    assigned = leads("111", "222", "333", "444", "555").assign(arm="control", entered_at=DAY, enrolled_on=DAY)
    called = pd.Series([pd.NaT, pd.NaT, pd.NaT, DAY, pd.NaT])
    records = Records(assigned, pd.DataFrame(), assigned[["lead_id"]].assign(converted_on=called))
    queued = pd.DataFrame({"fingerprint": ["f", "of another test"], "Id": ["L5", "L3"]})
    batch, left_out = enrolment._batch(records, PLAN, queued, RULES)
    assert list(batch["lead_id"]) == ["L3"]
    assert left_out == {"excluded by a rule: advisor": 1, "withdrawn": 1, enrolment.CALLED: 1}
    assert len(records.assignments) == 5
