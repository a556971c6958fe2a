"""Step 5.3, how the test goes and what came of it: daily metrics, the interim look, the final analysis.

Before a planned look no outcome is told by arm (R26). A look that is not due is refused before anything is attempted:
asking too early is bad usage, not a failed gate.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.experiment.plan import (
    DAILY,
    FINAL,
    INTERIM,
    QUEUE,
    Plan,
    inputs_of,
    require_started,
    running_plan,
    table,
    whole_table,
)
from leadscore_v6.assets.experiment.progress import (
    RECORDS,
    data_digest,
    look_attempt,
    protocol_of,
    records_of,
    require_dials,
)
from leadscore_v6.assets.tables import as_csv, contract_of, figures_of, write_table
from leadscore_v6.experiments.cohort import Cohort, cohort, require_one_model
from leadscore_v6.experiments.daily import daily_metrics
from leadscore_v6.experiments.looks import DueLook, LookNotDue, Protocol, due_look, next_due
from leadscore_v6.experiments.primary import ArmFigures
from leadscore_v6.experiments.readout import Readout, analyse
from leadscore_v6.experiments.records import Records, days
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.resources import RunOptions, WarehouseResource


@plan_asset(DAILY)
def ab_test_daily_metrics_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Enrolment, dials and pooled rates of every day so far, and the guardrails that hold no outcome."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, DAILY, None)
        plan = running_plan(bench.ledger)
        as_of = require_started(plan, extract_day(bench.ledger))
        work = _daily(bench, plan, as_of)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract_of(DAILY)))
    warehouse.artifacts.write(f"{DAILY}.csv", as_csv(whole_table(bench.warehouse, DAILY, "metrics")))


@plan_asset(INTERIM)
def ab_test_interim_analysis_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """The first planned look: safety, and whether the boundary is crossed (the plan's interim analysis)."""
    with stops():
        work = _look(warehouse.bench, INTERIM)
    yield from carry_out(context, warehouse, options, work, Told())


@plan_asset(FINAL)
def ab_test_final_analysis_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """The last look: the plan's go or no-go, with a decision record."""
    with stops():
        work = _look(warehouse.bench, FINAL)
    yield from carry_out(context, warehouse, options, work, Told())


# --- daily ----------------------------------------------------------------------------------------------------------


def _daily(bench: Bench, plan: Plan, as_of: date) -> Work:
    warehouse = bench.warehouse
    records = records_of(warehouse, plan, as_of)
    protocol = protocol_of(bench.ledger, plan, records, as_of)
    metrics = daily_metrics(records, protocol, as_of, plan.settings).astype({"decision_ready": "int64"})
    output = table(warehouse, DAILY)

    def build(candidates: Candidates) -> Mapping[str, Any]:
        told = write_table(warehouse, candidates[output], metrics, DAILY)
        upcoming = next_look(bench.ledger, plan, records, as_of)
        return {**told, "plan": plan.attempt, "as_of": as_of.isoformat(), **upcoming, **_daily_facts(metrics, plan)}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        since = {"first_day": plan.started_on, "as_of": as_of, "expected": (as_of - plan.started_on).days + 1}
        newest = metrics.iloc[-1]
        harm = sum(newest[f"{name}_state"] == "harm" for name in ("dials_per_lead", "days_to_first_dial"))
        found = figures_of(warehouse, candidates[output], DAILY, since)
        ratios = {name: float(newest[name]) for name in ("srm_p", "srm_dials_p")}
        return {**found, **ratios, "process_guardrails_harmed": int(harm)}

    inputs = inputs_of(plan, as_of, *RECORDS, f"{DAILY}/checks.sql")
    return Work(DAILY, None, inputs, (output,), build, measure)


def next_look(ledger: Ledger, plan: Plan, records: Records, as_of: date) -> dict[str, Any]:
    """`next_look` in words, and `due`: the step whose look may be taken now, or None."""
    leads = cohort(records.assignments, records.dials, records.outcomes, as_of, plan.settings.design).leads
    try:
        due = due_look(leads, protocol_of(ledger, plan, records, as_of), as_of, plan.settings.design)
    except LookNotDue as early:
        said = f"The next look is due on {early.due_on}." if early.due_on else "There is no later look."
        return {"next_look": said, "due": None, "due_on": early.due_on.isoformat() if early.due_on else None}
    asset = FINAL if due.is_final else INTERIM
    return {"next_look": f"Look {due.number} may be taken now.", "due": asset, "due_on": as_of.isoformat()}


def _daily_facts(metrics: pd.DataFrame, plan: Plan) -> dict[str, Any]:
    """What the page shows: the newest day, and the curves."""
    newest = {name: _plain(value) for name, value in metrics.iloc[-1].items() if name != "day"}
    curves = "enrolled_leads dialled_leads matured_dialled_leads information mqls_per_100_dials adoption srm_p".split()
    return {
        "planned_dials": plan.dials,
        "newest": newest,
        "days": [day.strftime("%Y-%m-%d") for day in metrics["day"]],
        "curves": {name: [_plain(value) for value in metrics[name]] for name in curves},
    }


# --- looks ----------------------------------------------------------------------------------------------------------


def _look(bench: Bench, asset: str) -> Work:
    guard(bench.ledger, asset, None)
    plan = running_plan(bench.ledger)
    require_dials(bench.ledger)
    as_of = require_started(plan, extract_day(bench.ledger))
    records = records_of(bench.warehouse, plan, as_of)
    leads = cohort(records.assignments, records.dials, records.outcomes, as_of, plan.settings.design)
    digest = data_digest(leads.leads, as_of)
    _require_not_taken(bench.ledger, plan, asset, digest)
    protocol = _protocol(bench.ledger, plan, records, asset, as_of)
    _require_due(leads.leads, protocol, as_of, plan, asset)
    _require_one_model(bench, plan)
    readout = analyse(leads.leads, protocol, as_of, plan.settings)

    def build(candidates: Candidates) -> Mapping[str, Any]:
        facts = _facts(readout, plan)
        return {
            **facts,
            **_data(leads, digest),
            "manifest": {**_record(readout, plan, facts), **_data(leads, digest)},
        }

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        return _figures(readout)

    return Work(asset, None, inputs_of(plan, as_of, *RECORDS), (), build, measure)


def _protocol(ledger: Ledger, plan: Plan, records: Records, asset: str, as_of: date) -> Protocol:
    """Of the interim look, when it is asked for again on the same data: as it was before it was taken."""
    protocol = protocol_of(ledger, plan, records, as_of)
    return protocol if asset == FINAL else replace(protocol, taken=())


def _require_not_taken(ledger: Ledger, plan: Plan, asset: str, digest: str) -> None:
    """A look is spent once, on the data that it was taken on; on the very same ones it is recognised (R26)."""
    before = look_attempt(ledger, plan, asset)
    if before is not None and before.facts["data_sha256"] != digest:
        raise LookNotDue(
            f"this look was taken on {before.facts['as_of']} (attempt {before.key}), on other data than there are now; "
            "a second one would be a look that nobody planned. Its report stands.",
            None,
        )


def _data(leads: Cohort, digest: str) -> dict[str, Any]:
    """What the look was taken on."""
    return {"data_sha256": digest, "dials_outside": leads.dials_outside, "left_out": dict(leads.left_out)}


def _require_due(leads: pd.DataFrame, protocol: Protocol, as_of: date, plan: Plan, asset: str) -> DueLook:
    """The look of this step. Raises LookNotDue with the day of the next one, or naming the step whose look it is."""
    design = plan.settings.design
    due = due_look(leads, protocol, as_of, design)
    if due.is_final and asset == INTERIM:
        raise LookNotDue(
            f"as of {as_of} the final analysis is due, the interim look was passed over: "
            "`leadscore experiment analyse` takes the final one.",
            as_of,
        )
    if not due.is_final and asset == FINAL:
        when, how = next_due(leads, protocol, len(design.looks), as_of, design)
        raise LookNotDue(
            f"the final analysis is not due as of {as_of}: {due.information:.0%} of the planned dials have matured. "
            f"It is due on {when} ({how}); the interim look may be taken now.",
            when,
        )
    return due


def _require_one_model(bench: Bench, plan: Plan) -> None:
    queues = whole_table(bench.warehouse, QUEUE, "queue")
    mine = queues[queues["fingerprint"] == plan.fingerprint].drop_duplicates(["queue_date", "model_digest"])
    models: dict[date, str] = {}
    for day, digest in zip(days(mine["queue_date"]), mine["model_digest"], strict=True):
        models[day.date()] = f"{models[day.date()]}, {digest}" if day.date() in models else str(digest)
    require_one_model(models)


def _figures(readout: Readout) -> dict[str, Any]:
    """Figures of the gates; `parts_missing` counts what a complete validation has and this one lacks (plan 5.3)."""
    figures = readout.figures()
    needed = ("p_value", "lift", "lift_low", "lift_high", "mqls_treatment", "mqls_control", "dials_treatment",
              "dials_control", "guardrails_not_held", "chance_of_go_at_min_lift")  # fmt: skip
    return {**figures, "parts_missing": sum(figures[name] is None for name in needed)}


def _facts(readout: Readout, plan: Plan) -> dict[str, Any]:
    primary = readout.primary
    arms = {arm.arm: _arm(arm) for arm in (primary.treatment, primary.control)} if primary else {}
    told: dict[str, Any] = {
        "plan": plan.attempt,
        "as_of": readout.as_of.isoformat(),
        "look_number": readout.due.number,
        "looks": len(plan.settings.design.looks),
        "planned_dials": plan.dials,
        "decision": asdict(readout.decision),
        "ended_by": list(readout.ended_by),
        "boundaries": asdict(readout.boundaries),
        "srm": asdict(readout.srm),
        "look": {**asdict(readout.look), "as_of": readout.look.as_of.isoformat()} if readout.look else None,
        "arms": arms,
        "guardrails": [asdict(one) for one in readout.guardrails],
        "chance_of_go": [list(pair) for pair in readout.chance_of_go],
        "settings": plan.settings.as_dict(),
    }
    if primary is not None:
        told |= {
            "lift": asdict(primary.lift),
            "interval": primary.interval,
            "difference": asdict(primary.difference),
            "cace": asdict(primary.cace),
            "cace_lift": _plain(primary.cace_lift),
            "adoption_of_treatment": _plain(primary.adoption),
        }
    return told


def _arm(arm: ArmFigures) -> dict[str, Any]:
    return asdict(arm)


def _record(readout: Readout, plan: Plan, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The decision record: what was decided on which figures, under which plan."""
    names = ("as_of", "look_number", "looks", "decision", "arms", "lift", "interval", "srm", "guardrails", "settings")
    return {
        **{name: facts[name] for name in names if name in facts},
        "figures": readout.figures(),
        "plan_attempt": plan.attempt,
        "started_on": plan.started_on.isoformat(),
        "planned_dials": plan.dials,
        "model_version": plan.model_version,
        "model_digest": plan.model_digest,
    }


def _plain(value: Any) -> Any:
    """A number as JSON holds it; what is not there is None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or (isinstance(value, float) and not np.isfinite(value)) else value
