"""The CRM extract: landed, typed and gated, held against the one before, and in the manifest of every version (R49)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.intake import refusal_recorded, require_whole, take_in
from leadscore_v6.assets.recipe import Recipe, table_facts
from leadscore_v6.contracts import contract
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.extract import extract_before
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.locations import Location
from leadscore_v6.partitions import days, last_days, register
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import Landed, land_leads
from leadscore_v6.warehouse.landing.leads import FILE_NAME as _FILE
from leadscore_v6.warehouse.protocol import FileTable
from leadscore_v6.warehouse.sql import render

_LEAD = "Lead"
_PLACE = ("crm_leads", None)
# What helps where the file cannot be mended; `leadscore run` has the option, and `score` goes by what was said there.
_BY_HAND = ", or say when it was taken: `leadscore run --data DIR --crm-extracted-at YYYY-MM-DD`."
# Of an extract, in Dagster's page; `leadscore shadow` registers what it is asked for.
_OFFERED_DAYS = 31
# The texts that hold an extract against the one before: figures, first Ids.
_LOST = ("lost", "lost_ids")
# Of an extract's leads, those contacted in so many days before it are its recent ones.
_RECENT_DAYS = 30
# Of so many times one may be mistyped: the last one is held against the last that is left without those.
_AMONG = 500
# What there is to say of the first extract: there was none before it.
_NONE_BEFORE = {
    **dict.fromkeys(("leads_before", "lost_leads", "recent_before", "lost_recent"), 0),
    **dict.fromkeys(("lost_share", "lost_recent_share"), 0.0),
}


@plan_asset("crm_leads")
def crm_leads(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """The landed extract as a table, and `crm_leads`, typed, from it."""
    settings, bench = warehouse.settings, warehouse.bench
    with stops():
        store = settings.store
        extract = bench.warehouse.crm_file(_LEAD, settings.data, settings.crm_spool, contract("lead").names)
        if extract is None:
            raise InputError(
                f"The CRM's table {bench.warehouse.crm_dataset}.{_LEAD} does not exist",
                remedy="see that the CRM is synchronised into LEADSCORE_CRM_DATASET; `leadscore doctor` looks.",
            )
        day = partial(_day_of, bench, options.crm_extracted_at)
        facts = take_in(bench, _PLACE, extract, store, lambda file: _land(file, store, day))
        with refusal_recorded(bench, _PLACE, facts):
            extracted = day(facts)
    work, sql = _work(bench, settings, facts, extracted)
    yield from carry_out(context, warehouse, options, work, Told(sql, contract("crm_leads")))
    # The days that a new extract lets one score (R49), where the UI offers partitions.
    register(context.instance, days, last_days(extracted, _OFFERED_DAYS))


def _day_of(bench: Bench, given: str, facts: Mapping[str, Any]) -> date:
    """`extraction_date` of a landed extract; what a person said against its times when it was built stays said."""
    told = [
        date.fromisoformat(attempt.facts["crm_extracted_at"])
        for attempt in bench.ledger.attempts.values()
        if attempt.place == _PLACE and attempt.source == facts["digest"] and "crm_extracted_at" in attempt.facts
    ]
    last = _utc_day(facts["last_timestamp"])
    if not given and told and (last is None or told[-1] < last):
        return told[-1]
    return extraction_date(given, facts["last_timestamp"], bench.clock().date())


def extraction_date(given: str, last_timestamp: str | None, today: date) -> date:
    """When the extract was taken: the given day, else the UTC day of its last timestamp; never today (R47).

    `today` is the day of receipt. It only refuses: a file that cannot tell, for want of a timestamp or by one of the
    future (InputError); a given day after it, or before the last timestamp (UsageError). Each would let leads count as
    negatives whose 30 days are not over (R10).
    """
    last = _utc_day(last_timestamp)
    if not given:
        if last is None:
            raise InputError(
                "There is no timestamp in the extract: it cannot tell when it was taken",
                file=_FILE,
                remedy=f"export it with its times{_BY_HAND}",
            )
        if last > today:
            raise InputError(
                f"The last timestamp is of {last}, after the day it was received ({today}): it cannot tell when the "
                "extract was taken",
                file=_FILE,
                remedy=f"correct it in the CRM and export again{_BY_HAND}",
            )
        return last
    extracted = parse_day(given, "--crm-extracted-at")
    if extracted > today:
        raise UsageError(f"--crm-extracted-at {extracted} lies after the day Lead.csv was received ({today}).")
    if last is not None and extracted < last <= today:
        raise UsageError(
            f"--crm-extracted-at {extracted} lies before the last timestamp in Lead.csv ({last}); the extract was "
            "taken on that day or later."
        )
    return extracted


def _utc_day(timestamp: str | None) -> date | None:
    return None if timestamp is None else datetime.fromisoformat(timestamp).astimezone(UTC).date()


def parse_day(text: str, name: str) -> date:
    """A day in the form YYYY-MM-DD. Raises UsageError naming the option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name} is {text!r}; it must be a day of the form YYYY-MM-DD.") from None


def _land(file: Location, store: Path, day: Callable[[Mapping[str, Any]], date]) -> dict[str, Any]:
    """Raises InputError too where nothing tells of which day the extract is: no run could go on to it."""
    landed = land_leads(file, store, contract("lead").names)
    last = landed.last_timestamp
    facts = {**landed_facts(landed.file), "last_timestamp": last.isoformat() if last else None}
    day(facts)
    return facts


def landed_facts(landed: Landed) -> dict[str, Any]:
    """What the ledger remembers of a landed file."""
    return {
        "file_name": landed.file_name,
        "digest": landed.digest,
        "bytes": landed.size,
        "records": landed.records,
        "synthetic": landed.synthetic,
        "stored_as": landed.path.name,
        "stored_mtime_ns": landed.path.stat().st_mtime_ns,
        # Pairs, in file order, which is what the raw table reads by; JSON does not keep the order of an object.
        "names": [[column.original, column.name] for column in landed.columns],
    }


def file_table(facts: Mapping[str, Any], settings: Settings) -> FileTable:
    """The landed file as a table; its path is relative to the home (R55)."""
    path = (settings.store / facts["stored_as"]).relative_to(settings.home)
    return FileTable(path.as_posix(), [legal for _, legal in facts["names"]])


def _work(bench: Bench, settings: Settings, facts: Mapping[str, Any], extracted: date) -> tuple[Work, str]:
    warehouse = bench.warehouse
    lead, typed = warehouse.landed_table(_LEAD), f"{warehouse.dataset}.crm_leads"
    recipe = Recipe(
        "crm_leads",
        typed,
        tables={"lead": lead},
        check_params={"records": facts["records"], "among": _AMONG},
        contract=contract("crm_leads"),
    )
    inner = recipe.work(warehouse, "crm_leads")

    def build(candidates: Candidates) -> Mapping[str, Any]:
        warehouse.expose_file(candidates[lead], file_table(facts, settings))
        on_candidate = replace(recipe, tables={"lead": candidates[lead]})
        told = warehouse.create_table(candidates[typed], on_candidate.sql, layout=recipe.layout)
        return {
            **told,
            **table_facts(warehouse, candidates[typed]),
            **{name: facts[name] for name in ("file_name", "digest", "bytes", "records", "synthetic")},
            "crm_extracted_at": extracted.isoformat(),
        }

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        figures = inner.measure({typed: candidates[typed]})
        last = _utc_day(facts["last_timestamp"])
        if last is not None and last > extracted:
            # A person said the day against it: the last time dates nothing, and may stand as alone as it likes.
            figures = {**figures, "last_time_alone_days": 0}
        # Where the contract does not hold there may be no Id to compare.
        return {**figures, **_lost(bench, settings, recipe, candidates)} if "leads" in figures else figures

    lost = [render(f"crm_leads/{text}.sql", {"candidate": typed, "before": typed}) for text in _LOST]
    work = Work(
        asset="crm_leads",
        partition=None,
        # Which extract was before decides the verdict, and not the content (R38): how it is asked is an input alone.
        inputs={**inner.inputs, "file": facts["digest"], "crm_extracted_at": extracted, "lost": lost},
        outputs=(lead, typed),
        build=build,
        measure=measure,
        source=facts["digest"],
    )
    return work, recipe.sql


def _lost(bench: Bench, settings: Settings, recipe: Recipe, candidates: Candidates) -> Mapping[str, Any]:
    """Which leads of the extract before the candidate lacks: `lost` of sql/crm_leads/schema.yaml, and the first Ids."""
    before = extract_before(bench.ledger)
    if before is None:
        return _NONE_BEFORE
    with _typed_again(bench, settings, recipe, before, candidates) as table:
        if table is None:
            return _NONE_BEFORE
        tables = {"candidate": candidates[recipe.output], "before": table}
        figures, first = (render(f"crm_leads/{text}.sql", tables) for text in _LOST)
        since = date.fromisoformat(before.facts["crm_extracted_at"]) - timedelta(days=_RECENT_DAYS)
        (row,) = bench.warehouse.query(figures, {"recent_since": since})
        lost = bench.warehouse.query(first) if row["lost_leads"] else []
    return {**row, "lost_first": [lead["lead_id"] for lead in lost], "extract_before": before.facts["crm_extracted_at"]}


@contextmanager
def _typed_again(
    bench: Bench, settings: Settings, recipe: Recipe, before: Attempt, candidates: Candidates
) -> Iterator[str | None]:
    """The extract before as a typed table: the published one, or a view on its file where a withdrawn one is served.

    None where neither the table nor the file is there any more (R56).
    """
    warehouse, typed = bench.warehouse, recipe.output
    if bench.ledger.serving(typed) is before and warehouse.exists(typed):
        yield typed
        return
    landed = (facts for facts in bench.ledger.landed.get(before.place, []) if facts["digest"] == before.source)
    kept = next((facts for facts in landed if (settings.store / facts["stored_as"]).is_file()), None)
    if kept is None:
        yield None
        return
    require_whole(kept, settings.store)
    (lead,) = recipe.tables.values()
    raw, view = (f"{candidates[name]}__before" for name in (lead, typed))
    try:
        warehouse.expose_file(raw, file_table(kept, settings))
        warehouse.create_view(view, replace(recipe, tables={"lead": raw}).sql)
        yield view
    finally:
        warehouse.drop(view)
        warehouse.drop(raw)
