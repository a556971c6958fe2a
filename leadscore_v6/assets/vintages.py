"""Steps 1.7 and 2: all published snapshots held against their contracts, and put together as two views."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset
from leadscore_v6.assets.recipe import Recipe, code_hash, contract_violations
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.contracts import Contract, compare, contract
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.resources import RunOptions, WarehouseResource


@plan_asset("snapshot_schemas")
def snapshot_schemas(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Step 1.7: INFORMATION_SCHEMA of every published table against its contract. It builds nothing but its report."""
    yield from carry_out(context, warehouse, options, _schema_work(warehouse.bench), Told())


@plan_asset("v_discovery_reps_all_vintages")
def v_discovery_reps_all_vintages(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Step 2.1: the registered rep snapshots, columns named one by one."""
    recipe = _view(warehouse.bench, "reps")
    work = recipe.work(warehouse.bench.warehouse, "v_discovery_reps_all_vintages")
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, contract("reps")))


@plan_asset("v_discovery_firms_all_vintages")
def v_discovery_firms_all_vintages(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Step 2.2: the registered firm snapshots, columns named one by one."""
    recipe = _view(warehouse.bench, "firms")
    work = recipe.work(warehouse.bench.warehouse, "v_discovery_firms_all_vintages")
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, contract("firms")))


def _view(bench: Bench, kind: str) -> Recipe:
    keys = bench.ledger.snapshots()
    dataset = bench.warehouse.dataset
    # The rows that each table had when it was judged, so that a table changed since is found out (R59).
    rows = {
        f"snapshot_{kind}_{key}": attempt.facts.get("rows", 0)
        for key in keys
        if (attempt := bench.ledger.latest(f"snapshot_{kind}", key)) is not None
    }
    return Recipe(
        f"v_discovery_{kind}_all_vintages",
        f"{dataset}.v_discovery_{kind}_all_vintages",
        lists={
            "snapshots": [f"{dataset}.snapshot_{kind}_{key}" for key in keys],
            "contract_columns": contract(kind).names,
        },
        check_params={"snapshot_dates": [snapshot_day(key) for key in keys], "rows": sum(rows.values())},
        view=True,
        facts=lambda candidate: {"rows_by_table": rows},
    )


def _schema_work(bench: Bench) -> Work:
    tables = {
        f"{bench.warehouse.dataset}.snapshot_{kind}_{key}": contract(kind)
        for kind in ("reps", "firms")
        for key in bench.ledger.snapshots()
    }
    raw = [f"{bench.warehouse.dataset}.snapshot_reps_{key}_raw" for key in bench.ledger.snapshots()]

    violations = [
        f"{name}: {violation}"
        for name, agreed in tables.items()
        for violation in contract_violations(bench.warehouse, name, agreed)
    ]

    def build(candidates: Candidates) -> Mapping[str, Any]:
        return {
            "rep_tables": len(bench.ledger.snapshots()),
            "firm_tables": len(bench.ledger.snapshots()),
            "tables": [_line(bench, name, agreed) for name, agreed in tables.items()],
            "violations": violations,
        }

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        return {
            "contract_violations": len(violations),
            "tables_missing": sum(not bench.warehouse.exists(name) for name in [*tables, *raw]),
            "tables_checked": len(tables),
        }

    # What is there now decides: a table that someone changed by hand, or a value in it, is looked at again.
    there = {name: [[c.name, c.type] for c in bench.warehouse.columns(name)] for name in [*tables, *raw]}
    agreed = {kind: contract(kind).path.read_text() for kind in ("reps", "firms")}
    inputs = {"tables": there, "violations": violations, "contracts": agreed, "code": code_hash()}
    return Work("snapshot_schemas", None, inputs, (), build, measure)


def _line(bench: Bench, name: str, agreed: Contract) -> list[Any]:
    comparison = compare(agreed, bench.warehouse.columns(name))
    return [name, comparison.actual_columns, ", ".join(comparison.extras)]
