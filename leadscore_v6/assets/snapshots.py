"""Steps 1.1-1.6: one vendor file becomes a raw, a rep and a firm table, each under the date of the file's name."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.intake import require_whole, take_in
from leadscore_v6.assets.leads import file_table, landed_facts
from leadscore_v6.assets.recipe import Recipe, code_hash
from leadscore_v6.contracts import compare, contract
from leadscore_v6.errors import InputError
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import land_once
from leadscore_v6.warehouse.protocol import Warehouse


@plan_asset("snapshot_reps_raw")
def snapshot_reps_raw(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Step 1.1-1.3: the file landed, and readable as `snapshot_reps_YYYYMMDD_raw`."""
    with stops():
        work = _raw_work(warehouse.bench, warehouse.settings, context.partition_key)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract("feed")))


@plan_asset("snapshot_reps")
def snapshot_reps(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Step 1.5: typed and named as the rest of the plan wants it."""
    with stops():
        recipe, work = _reps_work(warehouse.bench, warehouse.settings, context.partition_key)
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, recipe.contract))


@plan_asset("snapshot_firms")
def snapshot_firms(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Step 1.6: firms aggregated from the advisors of the same snapshot."""
    recipe, work = _firms_work(warehouse.bench, context.partition_key)
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, recipe.contract))


def standing(bench: Bench, settings: Settings, key: str) -> list[Attempt]:
    """What serves of a landed snapshot, step by step, if a run of its job would build and judge nothing; else nothing.

    Writes nothing. `bench` has the file in its ledger: one that was never landed is for a run to take in.
    """
    try:
        works = [_raw_work(bench, settings, key), _reps_work(bench, settings, key)[1], _firms_work(bench, key)[1]]
    except InputError:
        return []  # the run says what is wrong, where a report says it too
    found = [bench.standing(work) for work in works]
    return [attempt for attempt in found if attempt is not None] if all(found) else []


def begin_typing(warehouse: Warehouse, settings: Settings, key: str, facts: Mapping[str, Any]) -> None:
    """Let the engine begin with step 1.5 of a landed file, ahead of the run that will ask for it."""
    recipe = _typing(warehouse, key, facts["records"])
    warehouse.begin_table(
        recipe.tables["raw"],
        file_table(facts, settings),
        lambda raw: replace(recipe, tables={"raw": raw}).sql,
        recipe.params,
    )


def _reps_work(bench: Bench, settings: Settings, key: str) -> tuple[Recipe, Work]:
    raw = bench.ledger.latest("snapshot_reps_raw", key)
    for landed in bench.ledger.landed.get(("snapshot_reps_raw", key), []):
        if raw is not None and landed["digest"] == raw.source:
            require_whole(landed, settings.store)
    recipe = _typing(bench.warehouse, key, raw.facts.get("records") if raw else None)
    return recipe, replace(recipe.work(bench.warehouse, "snapshot_reps", key), source=raw.source if raw else None)


def _firms_work(bench: Bench, key: str) -> tuple[Recipe, Work]:
    dataset = bench.warehouse.dataset
    reps = {"reps": f"{dataset}.snapshot_reps_{key}"}
    recipe = Recipe(
        "snapshot_firms_YYYYMMDD",
        f"{dataset}.snapshot_firms_{key}",
        tables=reps,
        check_tables=reps,
        check_params={"snapshot_at": snapshot_day(key)},
        contract=contract("firms"),
    )
    attempt = bench.ledger.latest("snapshot_reps", key)
    source = attempt.source if attempt else None
    return recipe, replace(recipe.work(bench.warehouse, "snapshot_firms", key), source=source)


def _typing(warehouse: Warehouse, key: str, records: int | None) -> Recipe:
    return Recipe(
        "snapshot_reps_YYYYMMDD",
        f"{warehouse.dataset}.snapshot_reps_{key}",
        tables={"raw": f"{warehouse.dataset}.snapshot_reps_{key}_raw"},
        params={"snapshot_at": snapshot_day(key)},
        check_params={"records": records},
        contract=contract("reps"),
    )


def snapshot_day(key: str) -> date:
    """The date of a partition key `YYYYMMDD`. Raises InputError if it is none."""
    with suppress(ValueError):
        if re.fullmatch("[0-9]{8}", key):
            return date.fromisoformat(key)
    raise InputError(f"{key!r} is not a snapshot date", remedy="use the date of the file's name, YYYYMMDD.")


def _raw_work(bench: Bench, settings: Settings, key: str) -> Work:
    _refuse_future(bench, key)
    file = settings.data / f"RIARepDataFeed_{key}.csv"
    expected = contract("feed").names
    place = ("snapshot_reps_raw", key)
    store = settings.store
    facts = take_in(bench, place, file, store, lambda path: landed_facts(land_once(path, store, expected)))
    output = f"{bench.warehouse.dataset}.snapshot_reps_{key}_raw"

    def build(candidates: Candidates) -> Mapping[str, Any]:
        bench.warehouse.expose_file(candidates[output], file_table(facts, settings))
        renamed = {name: legal for name, legal in facts["names"] if name != legal}
        told = {name: facts[name] for name in ("file_name", "digest", "bytes", "records", "synthetic")}
        columns = [[legal, "STRING"] for _, legal in facts["names"]]
        return {**told, "rows": facts["records"], "columns": columns, "columns_read": len(columns), "renamed": renamed}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        comparison = compare(contract("feed"), bench.warehouse.columns(candidates[output]))
        return {
            # Only the first row: the engine's one pass over the whole file is the transform's (R59, R60).
            "rows_probed": bench.warehouse.probe(candidates[output]),
            "records_in_file": facts["records"],
            "columns": comparison.actual_columns,
            "columns_beyond_contract": len(comparison.extras),
            "columns_wrong": len(comparison.violations),
            "names_wrong": int(facts["file_name"] != f"RIARepDataFeed_{key}.csv"),
        }

    inputs = {"file": facts["digest"], "names": facts["names"], "code": code_hash(), "key": key}
    return Work("snapshot_reps_raw", key, inputs, (output,), build, measure, source=facts["digest"])


def _refuse_future(bench: Bench, key: str) -> None:
    if snapshot_day(key) > bench.clock().date():
        raise InputError(
            f"The snapshot is dated {snapshot_day(key)}, after the day it was received (R48)",
            file=f"RIARepDataFeed_{key}.csv",
            remedy="check the date in the file's name with the vendor.",
        )
