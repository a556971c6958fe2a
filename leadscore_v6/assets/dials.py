"""The CRM's associates and dials, both optional: landed, typed and gated like the leads (R50).

Where the CRM logs no dials the tables are there and empty, so that what follows need not ask twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import dagster as dg
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.intake import take_in, withdrawal_of
from leadscore_v6.assets.leads import file_table, landed_facts
from leadscore_v6.assets.recipe import Recipe, table_facts
from leadscore_v6.contracts import contract
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.guard import guard
from leadscore_v6.locations import Location
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import CRM_TABLES, land


@dataclass(frozen=True)
class OptionalTable:
    """A table of the CRM that need not be there: `table` as the CRM calls it, `raw` its contract as it comes."""

    table: str
    raw: str

    @property
    def asset(self) -> str:
        """The step that takes it in; its folder in sql/ and its contract have the same name."""
        return CRM_TABLES[self.table]


ASSOCIATES = OptionalTable("Associates", "associates")
DIALS = OptionalTable("Dials", "dials")


@plan_asset("crm_associates")
def crm_associates(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Who dials, and how much in a week."""
    with stops():
        guard(warehouse.bench.ledger, ASSOCIATES.asset, None)
        work, sql = _work(warehouse.bench, warehouse.settings, ASSOCIATES, {})
    yield from carry_out(context, warehouse, options, work, Told(sql, contract(ASSOCIATES.asset)))


@plan_asset("crm_dials")
def crm_dials(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Who was dialled when, by whom, from which queue."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, DIALS.asset, None)
        held_against = {
            "leads": f"{bench.warehouse.dataset}.crm_leads",
            "crm_associates": f"{bench.warehouse.dataset}.{ASSOCIATES.asset}",
        }
        work, sql = _work(bench, warehouse.settings, DIALS, held_against)

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        figures = work.measure(candidates)
        return {**figures, **_log_moved(bench, figures.get("logged_since"))}

    yield from carry_out(context, warehouse, options, replace(work, measure=measure), Told(sql, contract(DIALS.asset)))


def _log_moved(bench: Bench, since: date | None) -> dict[str, int]:
    """Days by which the log begins later, and earlier, than in the table that is published; 0 where that had no log.

    The log's first day decides which leads count as dialled unseen (step 3.1). A log that is gone begins today.
    """
    served = bench.ledger.serving(f"{bench.warehouse.dataset}.{DIALS.asset}")
    before = served.figures.get("logged_since") if served is not None and not served.withdrawn else None
    days = ((since or bench.clock().date()) - date.fromisoformat(before)).days if before else 0
    return {"log_begins_later_days": max(days, 0), "log_begins_earlier_days": max(-days, 0)}


def _work(bench: Bench, settings: Settings, source: OptionalTable, held_against: Mapping[str, str]) -> tuple[Work, str]:
    """`held_against`: tables that the checks read beside the candidate, by template variable."""
    facts = _landed(bench, settings, source)
    warehouse = bench.warehouse
    raw, typed = warehouse.landed_table(source.table), f"{warehouse.dataset}.{source.asset}"
    recipe = Recipe(
        source.asset,
        typed,
        tables={source.raw: raw},
        check_tables=held_against,
        check_params={"records": facts["records"] if facts else 0},
        contract=contract(source.asset),
    )
    inner = recipe.work(warehouse, source.asset)

    def build(candidates: Candidates) -> Mapping[str, Any]:
        if facts is None:
            agreed = contract(source.asset)
            none = pd.DataFrame({column.name: [] for column in agreed.columns}, dtype=object)
            types = {column.name: column.bq_type for column in agreed.columns}
            told = warehouse.write_frame(candidates[typed], none, types, recipe.layout)
            return {**told, **table_facts(warehouse, candidates[typed]), "file_name": f"no {source.table}.csv"}
        warehouse.expose_file(candidates[raw], file_table(facts, settings))
        on_candidate = replace(recipe, tables={source.raw: candidates[raw]})
        told = warehouse.create_table(candidates[typed], on_candidate.sql, layout=recipe.layout)
        known = {name: facts[name] for name in ("file_name", "digest", "bytes", "records", "synthetic")}
        return {**told, **table_facts(warehouse, candidates[typed]), **known}

    work = Work(
        asset=source.asset,
        partition=None,
        inputs={**inner.inputs, "file": facts["digest"] if facts else None},
        outputs=(raw, typed) if facts else (typed,),
        build=build,
        measure=lambda candidates: inner.measure({typed: candidates[typed]}),
        source=facts["digest"] if facts else None,
    )
    return work, recipe.sql


def _landed(bench: Bench, settings: Settings, source: OptionalTable) -> Mapping[str, Any] | None:
    """Facts of the file that serves; None where there is none, and none that was landed before is in use."""
    columns = contract(source.raw).names
    place = (source.asset, None)
    file = bench.warehouse.crm_file(source.table, settings.data, settings.crm_spool, columns)
    if file is None:
        return None
    use = file.is_file() and withdrawal_of(bench.ledger, place, file) is None
    if not use and not bench.ledger.usable(place):
        return None

    def land_it(found: Location) -> Mapping[str, Any]:
        return landed_facts(land(found, settings.store, columns))

    return take_in(bench, place, file, settings.store, land_it)
