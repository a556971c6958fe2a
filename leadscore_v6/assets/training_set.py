"""Steps 3.1-3.3: the point-in-time join, the versioned training set, and its promotion."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.leads import parse_day
from leadscore_v6.assets.recipe import Recipe
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.contracts import contract
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.decisions import PROMOTED, TRAINING, rolled_back_from
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.manifest import manifest
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.warehouse.sql import render

# A call within this many days of contact, or of the dial where those are logged (R50), is a conversion (plan, 3.2).
LABEL_WINDOW_DAYS = 30
# An as_of later than this after the extract would take leads for negatives that the extract cannot know of (R47).
EXTRACT_TOLERANCE = timedelta(days=7)


@plan_asset("step_3_1_staging_join_v6")
def step_3_1_staging_join_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Step 3.1: one row per lead, beside its first dial and what was known about its advisor on the day of contact."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, "step_3_1_staging_join_v6", None)
        as_of = resolve_as_of(bench, options.as_of)
    recipe = _staging(bench, as_of)
    work = recipe.work(bench.warehouse, "step_3_1_staging_join_v6", version=f"{bench.clock():%Y%m%d_%H%M}")
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, recipe.contract))


@plan_asset("step_3_3_training_dataset_v6")
def step_3_3_training_dataset_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Steps 3.2: features, label and audit columns, from the staging table of the same version."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, TRAINING, None)
        recipe, version = _training(bench, options)
    work = recipe.work(bench.warehouse, TRAINING, version=version)
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, recipe.contract))


@plan_asset("v_latest_training_dataset_v6")
def v_latest_training_dataset_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Step 3.3: the view that everything after it reads, moved to the version that passed."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, PROMOTED, None)
    newest = bench.ledger.latest(TRAINING)
    assert newest is not None, "the guard has passed"
    instead = rolled_back_from(bench.ledger, newest.version)
    if instead is None:
        recipe = _promotion(bench, newest)
        work = recipe.work(bench.warehouse, PROMOTED)
    else:
        context.log.warning("Version %s was rolled back; the view keeps serving %s.", newest.version, instead)
        recipe = _promotion(bench, _training_attempt(bench, instead))
        served = bench.ledger.latest(PROMOTED)
        assert served is not None, "something was rolled back to"
        work = replace(recipe.work(bench.warehouse, PROMOTED), same_as=served.content_key)
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, contract("training")))


def resolve_as_of(bench: Bench, given: str) -> date:
    """The day after which nothing is known (R9, R47): the given one, else the day of the CRM extract.

    Raises UsageError when it lies before the first snapshot, or more than seven days after the extract.
    """
    extracted = extract_day(bench.ledger)
    as_of = parse_day(given, "--as-of") if given else extracted
    first = snapshot_day(bench.ledger.snapshots()[0])
    if as_of < first:
        raise UsageError(
            f"as_of {as_of} lies before the first snapshot ({first}): no lead would have any feature. "
            f"Choose a day from {first} on."
        )
    if as_of > extracted + EXTRACT_TOLERANCE:
        raise UsageError(
            f"as_of {as_of} lies more than {EXTRACT_TOLERANCE.days} days after the CRM extract ({extracted}): calls "
            "scheduled since then are unknown, and their leads would become false negatives. Bring a newer Lead.csv, "
            f"or choose a day up to {extracted + EXTRACT_TOLERANCE}, or say --crm-extracted-at if the extract is newer."
        )
    return as_of


def _staging(bench: Bench, as_of: date) -> Recipe:
    dataset = bench.warehouse.dataset
    tables = {
        "leads": f"{dataset}.crm_leads",
        "crm_dials": f"{dataset}.crm_dials",
        "reps_vintages": f"{dataset}.v_discovery_reps_all_vintages",
        "firms_vintages": f"{dataset}.v_discovery_firms_all_vintages",
    }
    known = [snapshot_day(key) for key in bench.ledger.snapshots() if snapshot_day(key) <= as_of]

    def facts(candidate: str) -> Mapping[str, Any]:
        sql = render("step_3_1_staging_join_v6/quarters.sql", {"candidate": candidate})
        return {"as_of": as_of.isoformat(), "quarters": bench.warehouse.query(sql)}

    return Recipe(
        "step_3_1_staging_join_v6",
        f"{dataset}.step_3_1_staging_join_v6",
        tables=tables,
        lists={"tie_breakers": tie_breakers()},
        params={"as_of": as_of, "label_window_days": LABEL_WINDOW_DAYS},
        check_tables=tables,
        check_params={"snapshot_dates": known},
        contract=contract("staging"),
        facts=facts,
    )


def _options(bench: Bench, options: RunOptions) -> dict[str, Any]:
    """What else was set for a version, or followed from its inputs."""
    leads = bench.ledger.latest("crm_leads")
    assert leads is not None, "the guard has passed"
    return {
        "crm_extracted_at": leads.facts["crm_extracted_at"],
        "label_window_days": LABEL_WINDOW_DAYS,
        "entry_lag_days": options.entry_lag_days,
    }


def tie_breakers() -> list[str]:
    """Columns that settle between rows of one advisor in one snapshot, after what the join orders by itself (R2)."""
    settled = ("RepCRD", "snapshot_at", "IsPrimaryRIAFirm", "RIAFirmCRD")
    return [name for name in contract("reps").names if name not in settled]


def _training(bench: Bench, options: RunOptions) -> tuple[Recipe, str]:
    dataset, staging = bench.warehouse.dataset, bench.ledger.latest("step_3_1_staging_join_v6")
    if options.entry_lag_days < 0:
        raise UsageError(
            f"entry_lag_days is {options.entry_lag_days}: a CRM cannot learn of calls before they are scheduled, and "
            "leads would count as negatives before their 30 days are over. Give 0 or more."
        )
    assert staging is not None, "the guard has passed"
    assert staging.version is not None, "staging is versioned"
    (table,) = staging.outputs
    as_of = date.fromisoformat(staging.facts["as_of"])
    known = [snapshot_day(key) for key in bench.ledger.snapshots() if snapshot_day(key) <= as_of]

    def facts(candidate: str) -> Mapping[str, Any]:
        sql = render("step_3_3_training_dataset_v6/quarters.sql", {"candidate": candidate})
        return {
            "as_of": as_of.isoformat(),
            "staging": table,
            "quarters": bench.warehouse.query(sql),
            "manifest": manifest(bench.ledger, TRAINING, {"as_of": as_of.isoformat(), **_options(bench, options)}),
        }

    recipe = Recipe(
        "step_3_3_training_dataset_v6",
        f"{dataset}.step_3_3_training_dataset_v6",
        tables={"staging": table},
        params={"as_of": as_of, "label_window_days": LABEL_WINDOW_DAYS, "entry_lag_days": options.entry_lag_days},
        check_tables={"staging": table, "leads": f"{dataset}.crm_leads"},
        check_params={"snapshot_dates": known, "first_snapshot": known[0]},
        contract=contract("training"),
        facts=facts,
    )
    return recipe, staging.version


def _training_attempt(bench: Bench, version: str) -> Attempt:
    (attempt,) = (
        attempt
        for attempt in bench.ledger.attempts.values()
        if attempt.asset == TRAINING and attempt.version == version
    )
    return attempt


def _promotion(bench: Bench, training: Attempt) -> Recipe:
    (table,) = training.outputs
    promoted = {"promoted_version": training.version, "as_of": training.facts["as_of"]}
    return Recipe(
        "v_latest_training_dataset_v6",
        f"{bench.warehouse.dataset}.v_latest_training_dataset_v6",
        tables={"training": table},
        check_tables={"training": table},
        view=True,
        facts=lambda candidate: promoted,
    )
