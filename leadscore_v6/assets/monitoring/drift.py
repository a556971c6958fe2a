"""Step 6.1: how far the champion's features and its score have moved from training, as of a day (R30)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.monitoring.dials import read_dials, worked_of
from leadscore_v6.assets.monitoring.reference import (
    Entered,
    Frozen,
    champion_scorer,
    days_before,
    entered,
    leads_sql,
    monitoring_code_hash,
    newest_of_each,
    references,
)
from leadscore_v6.assets.production.alarms import raise_alerts
from leadscore_v6.assets.production.data import require_known
from leadscore_v6.assets.shadow.data import latest
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.assets.tables import figures_of, write_table
from leadscore_v6.contracts import contract
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.champions import require_champion
from leadscore_v6.gates.guard import guard
from leadscore_v6.monitoring.cohorts import DIALLED
from leadscore_v6.monitoring.psi import SCORE, Drift, FeatureDrift, drift
from leadscore_v6.monitoring.settings import monitoring_settings
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.warehouse.protocol import DAY_COLUMN

DRIFT = "feature_drift_v6"
# So many rows of the table does the page show.
_SHOWN = 15


@plan_asset(DRIFT)
def feature_drift_v6(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Leads of the thirty days before, dialled ones against dialled ones, in the bins that the training set froze."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, DRIFT, context.partition_key)
        day = snapshot_day(context.partition_key)
        require_known(bench, day)
        work = _work(bench, day)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract("feature_drift")))
    found = latest(bench, DRIFT, context.partition_key)
    about = {"features_drifted": found.facts["drifted"]}
    raise_alerts(bench, warehouse.settings, "drift", found.figures, about, day)


def _work(bench: Bench, day: date) -> Work:
    reign, monitoring = require_champion(bench.ledger), monitoring_settings()
    settings, scorer = monitoring.drift, champion_scorer(bench, reign)
    (first, last), waits = days_before(day, settings.window_days), monitoring.class_balance.label_window_days
    output = f"{bench.warehouse.dataset}.{DRIFT}${day:%Y%m%d}"
    expected = len(scorer.get_feature_names_out()) + 1
    found: list[Drift] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        frozen = references(bench, reign, scorer, settings)
        kinds = (frozen.features_of, frozen.score_of)
        # So long may a lead wait for its first dial.
        leads = entered(bench, scorer, first - timedelta(days=waits if DIALLED in kinds else 0), last)
        dials = read_dials(bench.warehouse, last)
        now = {kind: newest_leads(kind, leads, dials, first, last) for kind in kinds}
        of_features, of_score = (now[kind] for kind in kinds)
        moved = drift((*frozen.features, frozen.score), of_features, settings, monitoring.seed, of_score)
        found.append(moved)
        told = write_table(bench.warehouse, candidates[output], _table(moved, frozen, day, reign.version), DRIFT)
        about = {"model_version": reign.version, "as_of": day.isoformat(), "first_day": first.isoformat()}
        return {**told, **about, "features_of": frozen.features_of, "score_of": frozen.score_of, **_facts(moved)}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        given = {"day": day, "expected": expected}
        return {**found.pop().figures(), **figures_of(bench.warehouse, candidates[output], DRIFT, given)}

    inputs = {
        "day": day,
        "champion": reign.digest,
        "settings": {**asdict(settings), "label_window_days": waits},
        "seed": monitoring.seed,
        "sql": leads_sql(bench, scorer),
        "code": monitoring_code_hash(),
    }
    return Work(DRIFT, f"{day:%Y%m%d}", inputs, (output,), build, measure, version=f"{day:%Y%m}")


def newest_leads(kind: str, leads: Entered, dials: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Each advisor's newest lead of those days, with its score: DIALLED first in them, else contacted in them.

    As in training a lead that called before its dial is left out (R10), and so is one whose dial is not in the log.
    """
    worked = worked_of(leads.frame, dials)
    days = worked.logged if kind == DIALLED else worked.contact
    inside = (days >= np.datetime64(first, "D")) & (days <= np.datetime64(last, "D")) & ~(worked.called_on < days)
    frame = leads.frame.assign(**{SCORE: leads.score})[inside]
    return frame.iloc[newest_of_each(frame["FA_CRD__c"])]


def _table(moved: Drift, frozen: Frozen, day: date, version: str) -> pd.DataFrame:
    """A row for each reference: judged where there are leads enough, else without a figure."""
    by_feature: dict[str, FeatureDrift] = {one.feature: one for one in moved.features}
    return pd.DataFrame([
        {
            DAY_COLUMN: pd.Timestamp(day),
            "model_version": version,
            "feature": reference.feature,
            "leads": moved.score_leads if reference.feature == SCORE else moved.leads,
            "training_leads": sum(reference.counts),
            **(_row(by_feature[reference.feature]) if moved.is_judgeable else {}),
        }
        for reference in (*frozen.features, frozen.score)
    ])  # fmt: skip


def _row(one: FeatureDrift) -> dict[str, Any]:
    return {
        "psi": one.psi,
        "null_quantile": one.null_quantile,
        "p_value": one.p_value,
        "adjusted_p": one.adjusted,
        "is_large": int(one.is_large),
        "alerts": int(one.alerts),
    }


def _facts(moved: Drift) -> dict[str, Any]:
    """What the page shows: the largest, and bin by bin those that alert (else the largest of all)."""
    shown = [one for one in moved.features if one.alerts] or list(moved.features[:1])
    return {
        "leads": moved.leads,
        "score_leads": moved.score_leads,
        "is_judgeable": moved.is_judgeable,
        "drifted": list(moved.drifted),
        "largest": [{"feature": one.feature, **_row(one)} for one in moved.features[:_SHOWN]],
        "shifts": {one.feature: [asdict(shift) for shift in one.shifts] for one in shown},
    }
