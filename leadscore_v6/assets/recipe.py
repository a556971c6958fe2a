"""A table or view that one SQL folder makes: the common shape of the steps that are SQL.

Belongs here: turning `sql/<folder>/query.sql` and `checks.sql` into a `Work`. Does not belong here: any step's names.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from typing import Any

import yaml

from leadscore_v6.assets.code import code_digest
from leadscore_v6.contracts import Contract, compare, pii_droplist
from leadscore_v6.gates.attempt import Candidates, Work
from leadscore_v6.paths import sql_root
from leadscore_v6.warehouse.protocol import Layout, Warehouse
from leadscore_v6.warehouse.sql import render

# What decides a table's content besides its SQL: reading, translating and typing. Reports and the CLI do not.
_DATA_PATH = ("warehouse/**/*.py", "contracts/*.py", "assets/*.py")
# And the libraries that do it for us.
_ENGINES = ("duckdb", "sqlglot")
# Staging holds personal data; where an engine can, it removes such a table by itself when it is this old (R56).
_STAGING_DAYS = 60
_STAGING = "step_3_1_staging_join_v6"


@dataclass(frozen=True)
class Recipe:
    """How one SQL folder becomes `output`. Names go to the renderer, values are query parameters."""

    folder: str
    output: str
    tables: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    check_tables: Mapping[str, str] = field(default_factory=dict)
    check_params: Mapping[str, Any] = field(default_factory=dict)
    contract: Contract | None = None
    view: bool = False
    facts: Callable[[str], Mapping[str, Any]] = lambda candidate: {}

    @property
    def sql(self) -> str:
        """The rendered GoogleSQL."""
        return render(f"{self.folder}/query.sql", self.tables, self.lists)

    @property
    def layout(self) -> Layout:
        """What the catalogue says of the table: the folder's schema.yaml, and the contract column by column."""
        return layout_of(self.folder, self.contract)

    def work(self, warehouse: Warehouse, asset: str, partition: str | None = None, version: str | None = None) -> Work:
        """The step's work: build the candidate, audit it with `checks.sql`, hold it against its contract."""
        output = self.output + ("_{version}" if version else "")

        def build(candidates: Candidates) -> Mapping[str, Any]:
            (candidate,) = candidates.values()
            told: Mapping[str, Any] = {}
            if self.view:
                warehouse.create_view(candidate, self.sql, self.layout)
            else:
                told = warehouse.create_table(candidate, self.sql, self.params, self.layout)
            return {**table_facts(warehouse, candidate), **self.facts(candidate), **told}

        def measure(candidates: Candidates) -> Mapping[str, Any]:
            (candidate,) = candidates.values()
            if self.contract is None:
                return self._figures(warehouse, candidate)
            violations = {"contract_violations": len(contract_violations(warehouse, candidate, self.contract))}
            # The checks are written for the contract's columns and types; of others they can say nothing.
            if compare(self.contract, warehouse.columns(candidate)).violations:
                return violations
            return {**self._figures(warehouse, candidate), **violations}

        return Work(
            asset=asset,
            partition=partition,
            inputs={
                "sql": self.sql,
                "params": self.params,
                # A verdict is only as good as its check: another check means another attempt.
                "checks": self._checks(self.output),
                "check_params": self.check_params,
                "code": code_hash(),
                "contract": _digest(self.contract),
            },
            outputs=(output,),
            build=build,
            measure=measure,
            version=version,
        )

    def _checks(self, candidate: str) -> str:
        return render(f"{self.folder}/checks.sql", {**self.check_tables, "candidate": candidate}, self.lists)

    def _figures(self, warehouse: Warehouse, candidate: str) -> dict[str, Any]:
        sql = self._checks(candidate)
        given = {**self.params, **self.check_params}
        (row,) = warehouse.query(sql, {name: value for name, value in given.items() if f"@{name}" in sql})
        return row


def layout_of(folder: str, contract: Contract | None) -> Layout:
    """The folder's schema.yaml and the contract, as an engine's catalogue shows them."""
    schema = _schema(folder)
    return Layout(
        description=f"{schema['description']} Grain: {schema['grain']}.",
        columns={column.name: column.description for column in contract.columns} if contract else {},
        cluster_by=tuple(schema["cluster_by"]),
        keep_days=_STAGING_DAYS if folder == _STAGING else None,
    )


def table_facts(warehouse: Warehouse, name: str) -> dict[str, Any]:
    """Rows and columns of a table, for the report and for Dagster."""
    columns = [[column.name, column.type] for column in warehouse.columns(name)]
    return {"rows": warehouse.count_rows(name), "columns": columns}


def contract_violations(warehouse: Warehouse, name: str, contract: Contract) -> list[str]:
    """How a table breaks its contract: INFORMATION_SCHEMA for names and types, a count for its NULLs (R13, R8)."""
    actual = warehouse.columns(name)
    there = {column.name.lower() for column in actual}
    required = [column.name for column in contract.columns if not column.nullable and column.name.lower() in there]
    nulls = warehouse.count_nulls(name, required)
    comparison = compare(contract, actual, nulls)
    # Columns beyond the contract are allowed (R13), but not such as may never reach a model (R8).
    pii = {column.lower() for column in pii_droplist()}
    leaked = [column for column in comparison.extras if column.lower() in pii]
    return [
        *map(str, comparison.violations),
        *(f"{column}: on the PII droplist, and not in the contract" for column in leaked),
    ]


@lru_cache(maxsize=1)
def code_hash() -> str:
    """Digest of the code, ours and the engine's, that decides a table's content (R38)."""
    return code_digest(_DATA_PATH, {library: metadata.version(library) for library in _ENGINES})


def code_version(asset: str) -> str:
    """What Dagster shows as an asset's code version: it changes with the data path's code and with the asset's SQL."""
    digest = hashlib.sha256(code_hash().encode())
    for file in (sql_root() / "macros.sql", *sorted(sql_root().glob(f"{asset}*/*.sql"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache
def _schema(folder: str) -> Mapping[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((sql_root() / folder / "schema.yaml").read_text(encoding="utf-8"))
    return loaded


def _digest(contract: Contract | None) -> str:
    return "" if contract is None else hashlib.sha256(contract.path.read_bytes()).hexdigest()
