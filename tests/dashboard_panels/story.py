"""A ledger made up line by line, as the product would have written it; and the home that a panel reads.

Belongs here: lines. Does not belong here: what a panel makes of them. Figures hold every gate of the product's own
config/gates.yaml unless one is given that does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from leadscore_v6.alerting.outbox import Filed
from leadscore_v6.dashboard.page import Panel
from leadscore_v6.dashboard_panels.assemble import PANELS
from leadscore_v6.dashboard_panels.home import Home, dashboard_settings
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.gates.steps import SNAPSHOT, STEPS, upstream
from leadscore_v6.monitoring.settings import monitoring_settings
from tests.gates.later_steps import holding

TODAY = date(2026, 3, 2)
BEGUN = datetime(2026, 3, 1, 8, tzinfo=UTC)
SCORES = "production_scores_v6"
DECILES = [[place, 100, 20, 0.001 * 2**place] for place in range(1, 11)]


class Story:
    """Lines of a ledger, in the order in which they are told."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.said: list[dict[str, Any]] = []

    def lines(self) -> list[dict[str, Any]]:
        """As a ledger's reader gives them."""
        return self.said

    def line(self, event: str, asset: str, key: str, payload: Mapping[str, Any], partition: str | None = None) -> None:
        """One line, a minute after the one before."""
        seq = len(self.said) + 1
        self.said.append(
            {
                "seq": seq, "at": BEGUN + timedelta(minutes=seq), "event": event, "attempt": key, "asset": asset,
                "partition_key": partition, "version": payload.get("version"), "content_key": f"content of {key}",
                "run_id": "run", "payload": json.dumps(payload),
            }
        )  # fmt: skip

    def attempt(
        self,
        asset: str,
        partition: str | None = None,
        facts: Mapping[str, Any] | None = None,
        version: str | None = None,
        **figures: float | None,
    ) -> str:
        """An attempt that was judged, and published if no gate stops it; returns its key."""
        key = f"{asset[:9]}_{len(self.said)}"
        told = self._figures(asset) | figures
        parents = self.ledger().parents_of(asset, partition)
        outputs = {f"LeadScoring.{asset}" + (f"${partition}" if partition else ""): "candidate"}
        begun = {"outputs": outputs, "source": None, "parents": parents, "version": version}
        self.line("started", asset, key, begun, partition)
        self.line("judged", asset, key, {"figures": told, "facts": dict(facts or {}), "hashes": {}}, partition)
        ledger = self.ledger()
        if not ledger.blocking(ledger.attempts[key]):
            self.line("published", asset, key, {}, partition)
        return key

    def day(self, day: str, **figures: float | None) -> str:
        """A day of production scores, with all that its panel reads."""
        facts = {
            "model_version": "20260101",
            "by_kind": {"lead": {"scored": 990, "skipped": 10}, "prospect": {"scored": 5000}},
            "deciles": DECILES,
            "trends": {"new": 5990},
        }
        shown = {"open_leads": 1000, "success_rate": 0.998, "success_rate_leads": 1.0, "scored": 5990}
        return self.attempt(SCORES, day, facts, **(shown | figures))

    def extract(self, day: date = TODAY, *, synthetic: bool = False) -> None:
        """The CRM extract of that day."""
        self.attempt("crm_leads", facts={"crm_extracted_at": day.isoformat(), "synthetic": synthetic})

    def snapshot(self) -> None:
        """One snapshot, and all that scores of a day are made from beside the extract."""
        names = {step.asset for step in upstream(SCORES)} - {"crm_leads"}
        for asset in (name for name in STEPS if name in names):
            self.attempt(asset, "20260101" if STEPS[asset].partition == SNAPSHOT else None)

    def model(self, version: str, as_of: str = "2025-11-03", by: str = "Ann", **said: Any) -> None:
        """A model that passed 4.1 to 4.4 and was made champion."""
        facts = {
            "as_of": as_of, "dataset_version": "20251103_0900", "estimates": {"auc_pr": [0.29, 0.25, 0.33]},
            "manifest_sha256": "0" * 64, "holdout": {"from": "2025-06-03", "to": "2025-10-04", "leads": 1000},
            "after": {"bins": [[100, 0.01, 0.02], [100, 0.2, 0.21]]}, "made_from": None,
        }  # fmt: skip
        made = {}
        for asset in ("trained_model", "calibrated_model", "backtest"):
            made[asset] = self.attempt(asset, facts=facts, version=version)
            facts["made_from"] = made[asset]
        payload = {"by": by, "reason": "passed", "evidence": {}, "attempts": made, "version": version} | said
        self.line("promoted", "backtest", made["backtest"], payload)

    def waive(self, key: str, gate: str, expires: str, reason: str = "known") -> None:
        """A person waves a gate through."""
        ledger = self.ledger()
        asset, partition = ledger.attempts[key].place
        self.line("waived", asset, key, {"gate": gate, "by": "Bo", "reason": reason, "expires": expires}, partition)

    def ledger(self) -> Ledger:
        """What the lines add up to."""
        return Ledger(self, load_gates(), TODAY)

    def home(self, as_of: date = TODAY, alerts: tuple[Filed, ...] = ()) -> Home:
        """What the panels read; a run holds the warehouse."""
        return Home(self.ledger(), None, alerts, as_of, dashboard_settings(), monitoring_settings())

    def panel(self, name: str, as_of: date = TODAY, alerts: tuple[Filed, ...] = ()) -> Panel:
        """One panel of that home."""
        home = self.home(as_of, alerts)
        (described,) = [one for one in home.settings.panels if one.panel == name]
        return PANELS[name](home, described)

    @staticmethod
    def _figures(asset: str) -> dict[str, float | None]:
        """Figures with which every gate of the asset holds; of alarms, none that rings."""
        found: dict[str, float | None] = {}
        for gate in load_gates().of(asset):
            rings = gate.combine == "alert_if_both"
            for condition in (gate.literal, gate.companion, gate.when):
                if condition is not None:
                    found[condition.figure] = 0.0 if rings and condition is gate.literal else holding(condition)
        return found
