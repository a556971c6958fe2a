"""Step 6.1: the rate of conversions among matured leads, week by week, against the champion's training (R29).

Of leads as training had them: a lead that nobody dialled cannot convert (R50), and one that the model's queue put first
converts more often because it was chosen. The first are left out where dials are logged, and so are the second: whether
*they* convert as they should is what `model_performance_v6` says.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.monitoring.dials import read_dials, worked_of
from leadscore_v6.assets.monitoring.reference import monitoring_code_hash
from leadscore_v6.assets.production.alarms import raise_alerts
from leadscore_v6.assets.production.data import PRODUCTION, production_code_hash, require_known
from leadscore_v6.assets.shadow.data import latest
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.champions import require_champion
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.guard import guard
from leadscore_v6.monitoring.class_balance import ClassBalance, class_balance
from leadscore_v6.monitoring.cohorts import Cohorts, Days, Window, Worked, cohorts, left_out
from leadscore_v6.monitoring.settings import ClassBalanceSettings, monitoring_settings
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
    found = latest(bench, BALANCE)
    # The newest week is the same all week long: whoever was told of it is not told again.
    about = {"class_balance_alerts": [row["week"] for row in found.facts["weeks"][-1:]]}
    as_of = date.fromisoformat(found.facts["as_of"])
    raise_alerts(bench, warehouse.settings, "class_balance", found.figures, about, as_of)


def _work(bench: Bench, asked: str) -> Work:
    reign = require_champion(bench.ledger)
    settings = monitoring_settings().class_balance
    as_of = date.fromisoformat(asked) if asked else extract_day(bench.ledger)
    require_known(bench, as_of)
    (training,) = (block for block in reign.model.trained.facts["blocks"] if block["block"] == "training")
    found: list[Mapping[str, Any]] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        sql = render(f"{PRODUCTION}/outcomes.sql", {"crm": f"{bench.warehouse.dataset}.crm_leads"})
        leads = bench.warehouse.frame(sql, {"day": as_of}).reindex(columns=["Id", "contact_date", "scheduled_on"])
        window = _window(as_of, settings)
        counted = as_training_had_them(leads, read_dials(bench.warehouse, as_of), window)
        balance = class_balance(counted.start, counted.label, training["prevalence"], as_of, settings)
        found.append(balance.figures())
        return {
            "model_version": reign.version,
            "as_of": as_of.isoformat(),
            "training_rate": training["prevalence"],
            "basis": counted.cohorts.basis,
            **_left_out(counted, balance, window),
            "young": balance.young,
            "weeks": balance.rows(),
        }

    # Whose clock starts when is decided there.
    code = [production_code_hash(), monitoring_code_hash()]
    inputs = {"champion": reign.digest, "as_of": as_of, "settings": asdict(settings), "code": code}
    return Work(BALANCE, None, inputs, (), build, lambda _candidates: found.pop())


@dataclass(frozen=True)
class Counted:
    """Leads that are looked at: the day on which each one's clock starts (k,), and its label (k,), 0 of the young.

    worked, cohorts: all of them, and those that nobody dialled. chosen: of leads that are not looked at because the
    model's queue had them, the day on which each one's clock starts.
    """

    start: np.ndarray
    label: np.ndarray
    worked: Worked
    cohorts: Cohorts
    chosen: Days


def as_training_had_them(leads: pd.DataFrame, dials: pd.DataFrame, window: Window) -> Counted:
    """Of `leads` (Id, contact_date, scheduled_on) those that were dialled and that no model had chosen, by `dials`."""
    leads = leads.rename(columns={"scheduled_on": "called_on"})
    is_chosen = leads["Id"].isin(dials.loc[dials["by_model"] == 1, "Id"])
    worked, chosen = (worked_of(leads[some], dials) for some in (~is_chosen, is_chosen))
    found = cohorts(worked, window)
    label = np.zeros(len(worked.contact), dtype=np.int8)
    label[found.matured] = found.label
    rows = np.union1d(found.matured, found.young)
    return Counted(found.start[rows], label[rows], worked, found, cohorts(chosen, window).start)


def _left_out(counted: Counted, balance: ClassBalance, window: Window) -> dict[str, Any]:
    """Who is left out of the weeks that are shown; where there is none, of those that would be."""
    first, last = window.first_day, window.mature_by
    if balance.weeks:
        first, last = balance.weeks[0].monday, balance.weeks[-1].monday + timedelta(days=6)
    inside = (counted.chosen >= np.datetime64(first, "D")) & (counted.chosen <= np.datetime64(last, "D"))
    return {
        "first_day": first,
        "last_day": last,
        **asdict(left_out(counted.worked, counted.cohorts, first, last)),
        "chosen_by_model": int(inside.sum()),
    }


def _window(as_of: date, settings: ClassBalanceSettings) -> Window:
    """The weeks that are shown, and two more, so that none of them is cut."""
    return Window(as_of, 7 * (settings.weeks + 2), settings.label_window_days, settings.matures_after_days)
