"""Step 6.1: what the champion was worth on leads that have matured, and what its scores promise of young ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.monitoring.dials import read_dials, worked_of
from leadscore_v6.assets.monitoring.reference import (
    Entered,
    champion_scorer,
    earlier_months,
    entered,
    leads_sql,
    monitoring_code_hash,
)
from leadscore_v6.assets.production.alarms import raise_alerts
from leadscore_v6.assets.production.data import require_known
from leadscore_v6.assets.shadow.data import latest
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.assets.tables import figures_of, write_table
from leadscore_v6.contracts import contract
from leadscore_v6.estimate import Estimate
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.champions import Reign, require_champion
from leadscore_v6.gates.guard import guard
from leadscore_v6.monitoring.cohorts import Cohorts, LeftOut, Window, Worked, cohorts, left_out
from leadscore_v6.monitoring.performance import Performance, Scored, performance
from leadscore_v6.monitoring.settings import MonitoringSettings, monitoring_settings
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.warehouse.protocol import DAY_COLUMN

PERFORMANCE = "model_performance_v6"


@plan_asset(PERFORMANCE)
def model_performance_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Ranking and calibration on ninety matured days, with intervals; an estimate of the young beside it."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, PERFORMANCE, context.partition_key)
        day = snapshot_day(context.partition_key)
        require_known(bench, day)
        work = _work(bench, day)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract("model_performance")))
    figures = latest(bench, PERFORMANCE, context.partition_key).figures
    raise_alerts(bench, warehouse.settings, "performance", figures, about_day=day)


@dataclass(frozen=True)
class _Looked:
    """One look: whose leads, what came of them, and who of the leads contacted in those days is left out."""

    cohorts: Cohorts
    performance: Performance
    days: tuple[date, date]
    left_out: LeftOut


def _work(bench: Bench, day: date) -> Work:
    reign, settings = require_champion(bench.ledger), monitoring_settings()
    scorer, window = champion_scorer(bench, reign), _window(day, settings)
    output = f"{bench.warehouse.dataset}.{PERFORMANCE}${day:%Y%m%d}"
    key = f"{day:%Y%m%d}"
    found: list[_Looked] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        leads = entered(bench, scorer, _first_contact(reign, window), day)
        worked = worked_of(leads.frame, read_dials(bench.warehouse, day))
        looked = _look(leads, worked, window, settings)
        found.append(looked)
        row = _row(looked, day, reign.version)
        told = write_table(bench.warehouse, candidates[output], pd.DataFrame([row]), PERFORMANCE)
        return {**told, **_facts(looked, row), "history": _history(bench, key)}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        given = {"day": day, "mature_by": window.mature_by}
        return {
            **found.pop().performance.figures(),
            **figures_of(bench.warehouse, candidates[output], PERFORMANCE, given),
        }

    inputs = {
        "day": day,
        "champion": reign.digest,
        "settings": asdict(settings.performance),
        "maturity": [settings.class_balance.label_window_days, settings.class_balance.entry_lag_days],
        "seed": settings.seed,
        "sql": leads_sql(bench, scorer),
        "code": monitoring_code_hash(),
        "earlier": earlier_months(bench, PERFORMANCE, key),
    }
    return Work(PERFORMANCE, key, inputs, (output,), build, measure, version=f"{day:%Y%m}")


def _window(day: date, settings: MonitoringSettings) -> Window:
    matures = settings.class_balance
    return Window(day, settings.performance.window_days, matures.label_window_days, matures.matures_after_days)


def _first_contact(reign: Reign, window: Window) -> date:
    """The first contact that counts: leads that the champion was fitted or calibrated on say nothing of it.

    A label window more than the cohort's days is read: so long may a lead wait for its first dial.
    """
    (calibration,) = (block for block in reign.model.trained.facts["blocks"] if block["block"] == "calibration")
    unseen = date.fromisoformat(calibration["to"]) + timedelta(days=1)
    return max(unseen, window.first_day - timedelta(days=window.label_window_days))


def _look(leads: Entered, worked: Worked, window: Window, settings: MonitoringSettings) -> _Looked:
    found, days = cohorts(worked, window), (window.first_day, window.mature_by)
    advisors = pd.factorize(leads.frame["FA_CRD__c"])[0].astype(np.int64)
    matured, young = (Scored(leads.score[rows], advisors[rows]) for rows in (found.matured, found.young))
    judged = performance(matured, found.label, young, settings.performance, settings.seed)
    return _Looked(found, judged, days, left_out(worked, found, *days))


def _row(looked: _Looked, day: date, version: str) -> dict[str, Any]:
    """The month's row; what is not judgeable is not there."""
    of, judged = looked.cohorts, looked.performance
    row: dict[str, Any] = {
        DAY_COLUMN: pd.Timestamp(day),
        "model_version": version,
        "basis": of.basis,
        "cohort_from": pd.Timestamp(of.first) if of.first else None,
        "cohort_to": pd.Timestamp(of.last) if of.last else None,
        "leads": judged.matured_leads,
        "mqls": judged.matured_positives,
        "assumed_dials": of.assumed,
        "young_leads": len(of.young),
        "dropped": None if judged.dropped is None else int(judged.dropped),
    }
    if judged.matured is not None:
        one = judged.matured
        row |= _estimate("average_precision", one.average_precision) | _estimate("auc_roc", one.auc_roc)
        row |= _estimate("auc_drop", one.auc_drop) | _estimate("expected_observed", one.reliability.expected_observed)
        row |= {"auc_expected": one.expected.auc_roc, "ece": one.reliability.ece, "lift": one.lift}
    if judged.young is not None:
        promised = judged.young
        row |= {
            "young_expected_mqls": promised.positives,
            "young_average_precision": promised.average_precision,
            "young_auc_roc": promised.auc_roc,
        }
    return row


def _estimate(name: str, found: Estimate) -> dict[str, float | None]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _facts(looked: _Looked, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows: the row, and the tenths of the score."""
    matured, of = looked.performance.matured, looked.cohorts
    said = {name: value.date() if isinstance(value, pd.Timestamp) else value for name, value in row.items()}
    return {
        "model_version": row["model_version"],
        "as_of": said[DAY_COLUMN],
        "basis": of.basis,
        "cohort_from": of.first,
        "cohort_to": of.last,
        "row": said,
        "first_day": looked.days[0],
        "last_day": looked.days[1],
        **asdict(looked.left_out),
        "reliability": [asdict(one) for one in matured.reliability.bins] if matured else [],
    }


def _history(bench: Bench, key: str) -> list[dict[str, Any]]:
    """Rows of the months before, oldest first, as their attempts keep them."""
    return [latest(bench, PERFORMANCE, month).facts["row"] for month in earlier_months(bench, PERFORMANCE, key)]
