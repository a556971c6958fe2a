"""Step 6.1: the rate of conversions among matured leads, week by week, against the champion's training (R29)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import dagster as dg

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.production.alarms import raise_alerts
from leadscore_v6.assets.production.data import PRODUCTION, production_code_hash, require_known
from leadscore_v6.assets.shadow.data import latest
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.champions import require_champion
from leadscore_v6.gates.guard import guard
from leadscore_v6.monitoring.class_balance import class_balance
from leadscore_v6.monitoring.settings import monitoring_settings
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.warehouse.sql import render

BALANCE = "class_balance_v6"


@plan_asset(BALANCE)
def class_balance_v6(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """The newest week of leads that have all matured against the rate that the champion learned from."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, BALANCE, None)
        work = _work(bench, options.as_of)
    yield from carry_out(context, warehouse, options, work, Told())
    raise_alerts(bench, warehouse.settings, "class_balance", latest(bench, BALANCE).figures)


def _work(bench: Bench, asked: str) -> Work:
    reign = require_champion(bench.ledger)
    settings = monitoring_settings().class_balance
    as_of = date.fromisoformat(asked or latest(bench, "crm_leads").facts["crm_extracted_at"])
    require_known(bench, as_of)
    (training,) = (block for block in reign.model.trained.facts["blocks"] if block["block"] == "training")
    found: list[Mapping[str, Any]] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        sql = render(f"{PRODUCTION}/outcomes.sql", {"crm": f"{bench.warehouse.dataset}.crm_leads"})
        params = {"day": as_of, "label_window_days": settings.label_window_days}
        leads = bench.warehouse.frame(sql, params)
        contact = leads["contact_date"].to_numpy().astype("datetime64[D]")
        label = leads["target_label"].to_numpy().astype("int8")
        balance = class_balance(contact, label, training["prevalence"], as_of, settings)
        found.append(balance.figures())
        return {
            "model_version": reign.version,
            "as_of": as_of.isoformat(),
            "training_rate": training["prevalence"],
            "young": balance.young,
            "weeks": balance.rows(),
        }

    inputs = {"champion": reign.digest, "as_of": as_of, "settings": asdict(settings), "code": production_code_hash()}
    return Work(BALANCE, None, inputs, (), build, lambda _candidates: found.pop())
