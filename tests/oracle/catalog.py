"""The project's SQL with everything around it: tables and types from the contracts, parameters from `schema.yaml`.

Belongs here: finding each text of `sql/`, and the names, columns and types it is rendered and analysed with.
Does not belong here: rows (`tests/sql/`), the engines (`reference.py`, `compare.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from leadscore_v6.paths import config_root, sql_root
from leadscore_v6.warehouse.sql import render
from tests.oracle.reference import Table

# Which contract describes the table behind a template variable; `candidate` and `earlier` have their own folder's.
_CONTRACTS = {
    "lead": "v6_lead_contract.json",
    "dials": "v6_dials_contract.json",
    "associates": "v6_associates_contract.json",
    "crm_dials": "v6_crm_dials_contract.json",
    "crm_associates": "v6_crm_associates_contract.json",
    "curve": "v6_ab_test_power_contract.json",
    "assignments": "v6_ab_test_assignments_contract.json",
    "queue": "v6_ab_test_queue_contract.json",
    "metrics": "v6_ab_test_daily_metrics_contract.json",
    "raw": "v6_raw_contract.json",
    "reps": "v6_feature_contract.json",
    "leads": "v6_crm_leads_contract.json",
    "reps_vintages": "v6_feature_contract.json",
    "firms_vintages": "v6_firm_feature_contract.json",
    "staging": "v6_staging_contract.json",
    "training": "v6_training_contract.json",
    "crm": "v6_crm_leads_contract.json",
    "before": "v6_crm_leads_contract.json",
    "scores": "v6_shadow_scores_contract.json",
    "serving": "v6_serving_contract.json",
    "production": "v6_production_scores_contract.json",
    "drift": "v6_feature_drift_contract.json",
    "performance": "v6_model_performance_contract.json",
}
# Columns that R2 has settled by the time the others break a tie.
_SETTLED = ("RepCRD", "RIAFirmCRD", "IsPrimaryRIAFirm", "snapshot_at")
_SNAPSHOTS = ("LeadScoring.snapshot_one", "LeadScoring.snapshot_two")


@lru_cache
def contract(file: str) -> Mapping[str, str]:
    """GoogleSQL type of each column of a contract, in contract order."""
    return {column["name"]: column["bq_type"] for column in json.loads((config_root() / file).read_text())}


@lru_cache
def never_null(file: str) -> frozenset[str]:
    """The columns that the contract allows no NULL in."""
    return frozenset(c["name"] for c in json.loads((config_root() / file).read_text()) if not c["nullable"])


@dataclass(frozen=True)
class Text:
    """One SQL text of the project, ready for both engines. Tables, contracts and columns are by template variable."""

    folder: str
    name: str
    sql: str
    tables: Mapping[str, str]
    contracts: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def columns(self) -> dict[str, Mapping[str, str]]:
        """GoogleSQL type by column."""
        return {variable: contract(file) for variable, file in self.contracts.items()}

    @property
    def catalog(self) -> dict[str, Table]:
        """The tables by their rendered names."""
        return {self.tables[variable]: Table(columns) for variable, columns in self.columns.items()}

    def rows(self, given: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[tuple[Any, ...]]]:
        """Rows by rendered name from rows by variable; a column that a row does not mention is NULL."""
        placed = {}
        for variable, records in given.items():
            columns = self.columns[variable]
            unknown = {name for record in records for name in record} - set(columns)
            if unknown:
                raise KeyError(f"{self.folder}, {variable}: no columns {sorted(unknown)}")
            placed[self.tables[variable]] = [tuple(record.get(name) for name in columns) for record in records]
        return placed

    def bound(self, values: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
        """Parameters with their declared types; one too many or too few is a KeyError."""
        if set(values) != set(self.parameters):
            raise KeyError(f"{self.folder}/{self.name}: parameters are {sorted(self.parameters)}, not {sorted(values)}")
        return {name: (kind, values[name]) for name, kind in self.parameters.items()}


def folders() -> list[str]:
    """The folders of `sql/`, one per table or view."""
    return sorted(folder.name for folder in sql_root().iterdir() if folder.is_dir())


def schema(folder: str) -> dict[str, Any]:
    """The folder's `schema.yaml`."""
    loaded: dict[str, Any] = yaml.safe_load((sql_root() / folder / "schema.yaml").read_text())
    return loaded


def texts() -> list[tuple[str, str]]:
    """(folder, file) of every SQL text of the project."""
    return sorted((file.parent.name, file.name) for file in sql_root().glob("*/*.sql"))


@lru_cache
def text(folder: str, file: str) -> Text:
    """One SQL text, rendered over test tables `LeadScoring.<variable>`.

    query.sql sees what the head of schema.yaml declares; another text what stands there under its own name, else what
    `checks` declares.
    """
    declared = schema(folder)
    part = declared if file == "query.sql" else declared.get(file.removesuffix(".sql"), declared["checks"])
    own = declared["contract"]
    mine = ("candidate", "earlier")
    contracts = {variable: own if variable in mine else _CONTRACTS[variable] for variable in part["tables"]}
    tables = {variable: f"LeadScoring.{variable}" for variable in contracts}
    lists: dict[str, list[str]] = {}
    if "contract_columns" in part["lists"]:
        lists["contract_columns"] = list(contract(own))
    if "tie_breakers" in part["lists"]:
        lists["tie_breakers"] = [name for name in contract("v6_feature_contract.json") if name not in _SETTLED]
    if "features" in part["lists"]:
        lists["features"] = ["Has_CFP", "Branch_State", "DateBecameRep_NumberOfYears"]
    if "snapshots" in part["lists"]:
        lists["snapshots"] = list(_SNAPSHOTS)
    sql = render(f"{folder}/{file}", tables, lists)
    for name in lists.get("snapshots", ()):
        contracts[name], tables[name] = own, name
    parameters = {name: declared_as["type"] for name, declared_as in part["parameters"].items()}
    if file not in ("query.sql", "checks.sql"):  # the report's texts take what they need of the audit's parameters
        parameters = {name: kind for name, kind in parameters.items() if f"@{name}" in sql}
    return Text(folder, file, sql, tables, contracts, parameters)
