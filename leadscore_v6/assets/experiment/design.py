"""Step 5.2: how large the test is, how long it takes, and with which model and settings it will be run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.experiment.plan import (
    ASSIGNMENTS,
    POWER,
    Plan,
    current_plan,
    experiment_code_hash,
    experiment_settings,
    rows,
    table,
    text,
    whole_table,
)
from leadscore_v6.assets.experiment.scoring import calibrated_model
from leadscore_v6.assets.tables import contract_of, figures_of, types_of, write_table
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.power import Flow, PowerAnalysis, chance_of_go, power_analysis
from leadscore_v6.experiments.records import days
from leadscore_v6.experiments.settings import ExperimentSettings
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.decisions import PROMOTED
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.models import manifest_digest
from leadscore_v6.gates.programme import experiment_runs
from leadscore_v6.resources import RunOptions, WarehouseResource

# True lifts at which the plan's gate is described, besides its own (R27).
_LIFTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Measured:
    """What the design is made from. rate: MQLs per lead, taken for the rate per dial (assuming one dial per lead).

    capacity_from: "associates" where the CRM says how much can be dialled, else "config".
    """

    as_of: date
    leads: int
    mqls: int
    flow: Flow
    capacity_share: float
    capacity_from: str

    @property
    def rate(self) -> float:
        """MQLs per lead of the promoted training set."""
        return self.mqls / self.leads


@plan_asset(POWER)
def ab_test_power_analysis_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Required dials, power by week, duration and looks, at today's rate, flow of leads and capacity (R26, R42)."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, POWER, None)
        settings = experiment_settings()
        _require_no_test(bench, settings)
        work = _work(bench, settings)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract_of(POWER)))


def _require_no_test(bench: Bench, settings: ExperimentSettings) -> None:
    """Raises UsageError while a test runs, or when its salt dealt an earlier one: its plan stays what it was (R28)."""
    assigned = whole_table(bench.warehouse, ASSIGNMENTS, "assignments")
    plan = current_plan(bench.ledger)
    if plan is not None and experiment_runs(bench.ledger):
        raise UsageError(
            f"A test has been running since {plan.started_on}; its plan, settings and model stay as they are.\n"
            "  what to do: `leadscore experiment status` shows how far it is. A challenger, or another design, waits "
            "until it has ended (R58); one that cannot be read is ended by `leadscore experiment stop`."
        )
    if (assigned["fingerprint"] == settings.assignment.fingerprint).any():
        raise UsageError(
            "An earlier test was dealt by this very salt, segment, ratio and block size: the next one would put every "
            "advisor into the same arm again.\n"
            "  what to do: give the next test a salt of its own (v6_experiment.yaml, assignment.salt)."
        )


def _work(bench: Bench, settings: ExperimentSettings) -> Work:
    measured = _measure(bench, settings)
    design = replace(settings.design, capacity_share=measured.capacity_share)
    settings = replace(settings, design=design)
    starts_on = measured.as_of + timedelta(days=1)
    model = calibrated_model(bench.ledger, _model_version(bench))
    analysis = power_analysis(measured.rate, measured.flow, settings, starts_on)
    output = table(bench.warehouse, POWER)

    def build(candidates: Candidates) -> Mapping[str, Any]:
        curve = pd.DataFrame([asdict(point) for point in analysis.curve])
        told = write_table(bench.warehouse, candidates[output], curve, POWER)
        plan = Plan("", settings, starts_on, analysis.dials, str(model.version), manifest_digest(model))
        return {**told, "plan": plan.as_dict(), **_facts(analysis, measured, settings)}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        return {**analysis.figures(), **figures_of(bench.warehouse, candidates[output], POWER, {})}

    inputs = {
        "code": experiment_code_hash(),
        "settings": settings.as_dict(),
        "measured": asdict(measured),
        "model": [model.version, manifest_digest(model)],
        "types": types_of(POWER),
    }
    return Work(POWER, None, inputs, (output,), build, measure)


def _measure(bench: Bench, settings: ExperimentSettings) -> Measured:
    warehouse, as_of = bench.warehouse, extract_day(bench.ledger)
    sql = text(warehouse, f"{POWER}/arrivals.sql", leads="crm_leads")
    arrivals = rows(warehouse, sql, {"as_of": as_of}, ("crd", "entered_on"))
    entered = days(arrivals["entered_on"]).to_numpy(dtype="datetime64[D]")
    window = settings.design.flow_window_weeks
    flow = Flow.of(entered, arrivals["crd"].to_numpy(), as_of + timedelta(days=1), window)
    (rate,) = warehouse.query(text(warehouse, f"{POWER}/baseline.sql", training=PROMOTED))
    capacity = _weekly_capacity(bench.ledger)
    share, source = settings.design.capacity_share, "config"
    if capacity is not None and flow.leads_per_week > 0:
        share, source = min(1.0, capacity / flow.leads_per_week), "associates"
    return Measured(as_of, int(rate["leads"]), int(rate["mqls"]), flow, share, source)


def _weekly_capacity(ledger: Ledger) -> float | None:
    """Dials a week of the active associates; None where the CRM names no associate. Raises InputError where it is 0."""
    associates = ledger.latest("crm_associates")
    if associates is None or not associates.figures.get("associates"):
        return None
    capacity = float(associates.figures["weekly_capacity"])
    if not capacity:
        raise InputError(
            "No associate is active with a capacity above 0: nobody would dial the test's queues",
            file="Associates.csv",
            column="weekly_capacity",
            remedy="correct the export and land it again; without the file the share in v6_experiment.yaml is taken.",
        )
    return capacity


def _model_version(bench: Bench) -> str:
    shadow = bench.ledger.latest("shadow_scoring")
    assert shadow is not None, "the guard has passed"
    return str(shadow.facts["model_version"])


def _facts(analysis: PowerAnalysis, measured: Measured, settings: ExperimentSettings) -> dict[str, Any]:
    lifts = dict.fromkeys([settings.readout.min_lift, *_LIFTS])
    per_arm = analysis.dials / 2
    return {
        "as_of": measured.as_of.isoformat(),
        "baseline": asdict(measured) | {"rate": measured.rate},
        "target_rate": analysis.target_rate,
        "leads_per_week": analysis.leads_per_week,
        "dials_per_week": analysis.dials_per_week,
        "capacity_from": measured.capacity_from,
        "per_arm_arcsine": analysis.per_arm_arcsine,
        "per_arm_pooled_z": analysis.per_arm_pooled_z,
        "looks_inflation": analysis.looks_inflation,
        "design_effect": analysis.design_effect,
        "dials_required": analysis.dials,
        "dials_available": analysis.dials_available,
        "enrolment_weeks": analysis.enrolment_weeks,
        "minimum_lift": analysis.minimum_lift,
        "lift_at_adoption": analysis.lift_at_adoption,
        "dials_at_adoption": analysis.dials_at_adoption,
        "leads_a_week_needed": analysis.leads_a_week_needed,
        "boundaries": asdict(analysis.boundaries),
        "curve": [asdict(point) for point in analysis.curve],
        "calendar": [{**asdict(look), "due_on": look.due_on.isoformat()} for look in analysis.calendar],
        "chance_of_go": [
            [lift, chance_of_go(lift, analysis.baseline_rate, per_arm, settings)]
            for lift in sorted(lifts)
            if 0 < analysis.baseline_rate * (1 + lift) < 1
        ],
    }
