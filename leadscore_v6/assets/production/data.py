"""What production scoring reads: the champion, the settings, who is to be scored, where they stood before.

Belongs here: from ledger, folders and warehouse to values of production/ and modeling/. Does not belong here: scoring.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import pandas as pd

from leadscore_v6.assets.code import code_digest
from leadscore_v6.assets.shadow.data import SERVING, LoadedModel, load_model, scoring_settings, served_day
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.contracts import contract, load_document
from leadscore_v6.errors import UsageError, WrongDay
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.champions import Reign, require_champion
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.paths import config_root, sql_root
from leadscore_v6.production.settings import PRODUCTION_FILE, PopulationSettings, ProductionSettings
from leadscore_v6.warehouse.protocol import Warehouse
from leadscore_v6.warehouse.sql import render

PRODUCTION = "production_scores_v6"
# What decides a row besides the champion, the features and the configuration. The champion's code is in its content.
_CODE = ("production/ranking.py", "assets/production/*.py", "serving/*.py", "monitoring/class_balance.py")


def production_settings() -> ProductionSettings:
    """`config/v6_production.yaml`, checked. Raises InputError with file and line."""
    return ProductionSettings.of(load_document(config_root() / PRODUCTION_FILE, "production"))


def champion_model(bench: Bench) -> tuple[Reign, LoadedModel]:
    """The model that serves, verified and loaded.

    Raises GateBlocked where none was promoted, InputError when its files are not what was published.
    """
    reign = require_champion(bench.ledger)
    return reign, load_model(bench, reign.model, scoring_settings().shadow.top_features)


def require_known(bench: Bench, day: date) -> None:
    """Raise WrongDay for a day that the CRM extract does not reach."""
    extracted = extract_day(bench.ledger)
    if day > extracted:
        raise WrongDay(
            f"{day} lies after the CRM extract ({extracted}): its leads are not known yet.\n"
            f"  what to do: bring a newer Lead.csv (`leadscore score --data DIR`), or choose a day up to {extracted}."
        )


def require_day(bench: Bench, day: date) -> None:
    """Raise WrongDay for a day that the extract does not reach, or that the serving copy knows too much for."""
    require_known(bench, day)
    newest = served_day(bench)
    if day < newest:
        raise WrongDay(
            f"{day} lies before the newest snapshot ({newest}), which the serving copy is of: its scores would know "
            f"what nobody knew that day (R9).\n  what to do: choose a day from {newest} on."
        )


def subjects(bench: Bench, day: date, features: list[str], population: PopulationSettings) -> pd.DataFrame:
    """Who is scored on that day, with the features that the champion reads, in the order of kind, Id and CRD."""
    dataset = bench.warehouse.dataset
    tables = {
        "crm": f"{dataset}.crm_leads",
        "serving": f"{dataset}.{SERVING}",
        "reps_vintages": f"{dataset}.v_discovery_reps_all_vintages",
    }
    asked = [*features, *(name for name in population.require if name not in features)]
    _require_columns(asked)
    sql = render(f"{PRODUCTION}/subjects.sql", tables, {"features": asked})
    params = {"day": day, "open_lead_days": population.open_lead_days, "converted_days": population.converted_days}
    frame = bench.warehouse.frame(sql, params)
    is_admitted = frame["kind"] == "lead"
    if population.prospects:
        fits = pd.Series(data=True, index=frame.index)
        for name, values in population.require.items():
            fits &= frame[name].isin(values)
        is_admitted |= fits
    return frame[is_admitted].reset_index(drop=True)


def _require_columns(names: list[str]) -> None:
    unknown = [name for name in names if name not in contract("serving").names]
    if unknown:
        raise UsageError(f"population.require of {PRODUCTION_FILE}: the serving copy has no column {unknown[0]!r}.")


def compared_with(bench: Bench, version: str, days: int) -> Attempt | None:
    """The day that a trend is taken against, as the table has it: the last that was scored before the newest snapshot.

    What is known of an advisor changes with a snapshot and no day in between: a day since would show no trend at all.
    None where no day of the `days` before the snapshot was scored by the model of that version. Of a day whose newest
    attempt failed these are the rows that were published before.
    """
    newest = served_day(bench)
    for back in range(1, days + 1):
        key = f"{newest - timedelta(days=back):%Y%m%d}"
        served = bench.ledger.serving(f"{bench.warehouse.dataset}.{PRODUCTION}${key}")
        if served is not None and served.facts["model_version"] == version:
            return served
    return None


def percentiles_then(bench: Bench, then: Attempt | None, model_digest: str) -> "pd.Series[Any]":
    """By CRD the percentile of that day by that model; empty where there is no such day."""
    if then is None:
        return pd.Series(dtype=float)
    sql = render(f"{PRODUCTION}/previous.sql", {"production": f"{bench.warehouse.dataset}.{PRODUCTION}"})
    frame = bench.warehouse.frame(sql, {"day": snapshot_day(str(then.partition)), "model_digest": model_digest})
    frame = frame.reindex(columns=["FA_CRD__c", "percentile"])  # without rows an engine may give no columns
    return pd.Series(frame["percentile"].to_numpy(dtype=float), index=frame["FA_CRD__c"].to_numpy(dtype=object))


def read_day(warehouse: Warehouse, table: str, day: date) -> pd.DataFrame:
    """The rows of one day, leads first, as the contract has them."""
    names = contract("production_scores").names
    frame = warehouse.frame(
        render(f"{PRODUCTION}/query.sql", {"production": table}, {"contract_columns": names}), {"day": day}
    )
    return frame if len(frame.columns) else pd.DataFrame(columns=list(names))


def read_person(warehouse: Warehouse, day: date, lead: str, crd: str | None) -> list[dict[str, Any]]:
    """The rows of one day of the lead with that Id, and of the advisor with that canonical CRD, first things first."""
    lists, table = {"contract_columns": contract("production_scores").names}, f"{warehouse.dataset}.{PRODUCTION}"
    params = {"day": day, "lead": lead, "crd": crd or ""}
    return warehouse.query(render(f"{PRODUCTION}/person.sql", {"production": table}, lists), params)


def read_calls(warehouse: Warehouse) -> pd.DataFrame:
    """By canonical CRD `crm_records` of the newest extract, and `last_call_on`, of whichever of them (UTC day; NaT)."""
    sql = render(f"{PRODUCTION}/calls.sql", {"crm": f"{warehouse.dataset}.crm_leads"})
    told = pd.DataFrame(warehouse.query(sql), columns=["FA_CRD__c", "crm_records", "last_call_on"])
    return told.assign(last_call_on=pd.to_datetime(told["last_call_on"])).set_index("FA_CRD__c")


def read_last_dials(warehouse: Warehouse) -> dict[str, date]:
    """By canonical CRD the UTC day of the newest dial, of whichever lead, by the newest log; empty without (R50)."""
    sql = render(f"{PRODUCTION}/last_dials.sql", {"crm_dials": f"{warehouse.dataset}.crm_dials"})
    return {row["FA_CRD__c"]: row["last_dial_on"] for row in warehouse.query(sql)}


@lru_cache(maxsize=1)
def production_code_hash() -> str:
    """Digest of the code, the SQL with its checks, and the contract that decide a row and its verdicts (R38)."""
    texts = [*sorted((sql_root() / PRODUCTION).glob("*.sql")), sql_root() / "macros.sql"]
    return code_digest(_CODE, files=[*texts, contract("production_scores").path])
