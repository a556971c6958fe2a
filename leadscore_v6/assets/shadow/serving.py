"""Step 5.1: the serving copy, what one lead is looked up in (R43), refreshed with every snapshot."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import dagster as dg
import pandas as pd

from leadscore_v6.artifacts.folders import PREFIX
from leadscore_v6.artifacts.manifest import seal, unverified
from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.recipe import Recipe
from leadscore_v6.assets.shadow.data import (
    SERVING,
    column_types,
    features_params,
    named,
    scoring_code_hash,
)
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.assets.training_set import tie_breakers
from leadscore_v6.contracts import contract, feature_columns
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.guard import guard
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.serving import NotACopy, ServingCopy, write_copy
from leadscore_v6.serving.copy import FILE, KEY
from leadscore_v6.warehouse.sql import render

# Of the advisors, evenly spaced by CRD: how many are looked up in the file and held against the table, value by value.
_LOOKED_UP = 1000
_DAYS = ("rep_snapshot_at", "firm_snapshot_at", "as_of")


@plan_asset(SERVING)
def serving_advisors_v6(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """The newest row per advisor by the SQL of steps 3.1 and 3.2, as a table and as the local file of the look-up."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, SERVING, None)
        recipe = _recipe(bench)
        work = _work(bench, recipe)
    yield from carry_out(context, warehouse, options, work, Told(recipe.sql, recipe.contract))


def _recipe(bench: Bench) -> Recipe:
    dataset, newest = bench.warehouse.dataset, bench.ledger.snapshots()[-1]
    reps = {"reps_vintages": f"{dataset}.v_discovery_reps_all_vintages"}
    return Recipe(
        SERVING,
        f"{dataset}.{SERVING}",
        tables={**reps, "firms_vintages": f"{dataset}.v_discovery_firms_all_vintages"},
        lists={"tie_breakers": tie_breakers(), "contract_columns": contract("serving").names},
        params=features_params(snapshot_day(newest)),
        check_tables=reps,
        contract=contract("serving"),
    )


def _work(bench: Bench, recipe: Recipe) -> Work:
    warehouse, newest = bench.warehouse, bench.ledger.snapshots()[-1]
    inner = recipe.work(warehouse, SERVING)
    table, folder = recipe.output, f"{PREFIX}{SERVING}_{{version}}"
    columns = column_types(contract("serving"))
    digests: list[str] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        facts = inner.build({table: candidates[table]})
        path, key = bench.folders.begin(_folder(candidates)), _folder(candidates).rpartition("__")[2]
        with suppress(NotACopy):
            # Rows that make no copy fail their own gate, and that of the file that is not there.
            write_copy(path, _rows(bench, candidates[table]), columns)
        as_of = snapshot_day(newest).isoformat()
        digests.append(seal(path, key, {"as_of": as_of, "rows": facts["rows"], "table": table}))
        size = sum(file.stat().st_size for file in path.glob(FILE))
        return {**facts, "as_of": as_of, "manifest_sha256": digests[0], "file_bytes": size}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        path = bench.folders.path(_folder(candidates))
        # Compared without case, as both engines compare names (R13).
        allowed = {name.lower() for name in (KEY, *_DAYS, *feature_columns(contract("training")))}
        names = [column.name.lower() for column in warehouse.columns(candidates[table])]
        damaged = unverified(path, digests.pop(), (FILE,))
        differing = None
        if not damaged:
            # A file that is no copy looks nothing up: not judgeable.
            with suppress(NotACopy), ServingCopy(path / FILE) as copy:
                differing = _differing(bench, candidates[table], copy)
        return {
            **inner.measure({table: candidates[table]}),
            "columns_not_allowed": sum(name not in allowed for name in names),
            "files_unverified": len(damaged),
            "lookups_differing": differing,
        }

    inputs = {**inner.inputs, "copy": scoring_code_hash()}
    return Work(SERVING, None, inputs, (table, folder), build, measure, version=newest)


def _folder(candidates: Candidates) -> str:
    (candidate,) = (candidate for name, candidate in candidates.items() if name.startswith(PREFIX))
    return candidate


def _rows(bench: Bench, table: str) -> pd.DataFrame:
    lists = {"contract_columns": contract("serving").names}
    return named(bench.warehouse.frame(render(f"{SERVING}/rows.sql", {"candidate": table}, lists)), contract("serving"))


def _differing(bench: Bench, table: str, copy: ServingCopy) -> int:
    """Rows too many or too few in the file, and looked-up advisors for whom it has another value than the table."""
    frame = _rows(bench, table)
    sample = frame.iloc[:: max(1, len(frame) // _LOOKED_UP)]
    columns = column_types(contract("serving"))
    found = [(row, copy.look_up(row[KEY]).features) for row in sample.to_dict("records")]
    return abs(len(copy) - len(frame)) + sum(
        any(not _same(row[name], features[name], kind) for name, kind in columns.items()) for row, features in found
    )


def _same(in_table: Any, in_file: Any, kind: str) -> bool:
    if pd.isna(in_table) or in_file is None:
        return bool(pd.isna(in_table)) and in_file is None
    return bool(str(in_table)[:10] == in_file if kind == "DATE" else in_table == in_file)
