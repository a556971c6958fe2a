"""Tables that a step makes from a frame: written by their contract, audited by `checks.sql` of their folder.

Belongs here: writing and measuring such a candidate. Does not belong here: what is in one. Where SQL makes the table,
`assets/recipe.py` does this.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from leadscore_v6.assets.recipe import contract_violations, layout_of, table_facts
from leadscore_v6.contracts import Contract, compare, contract
from leadscore_v6.warehouse.protocol import Params, Warehouse
from leadscore_v6.warehouse.sql import render

# The others' are called as the table is.
_CONTRACTS = {"ab_test_power_analysis_v6": "ab_test_power"}


def contract_of(asset: str) -> Contract:
    """The contract of the table that an asset makes."""
    return contract(_CONTRACTS.get(asset, asset.removesuffix("_v6")))


def types_of(asset: str) -> dict[str, str]:
    """GoogleSQL type by column, in contract order."""
    return {column.name: column.bq_type for column in contract_of(asset).columns}


def write_table(warehouse: Warehouse, candidate: str, frame: pd.DataFrame, asset: str) -> dict[str, Any]:
    """Make the candidate; returns what the ledger keeps of it. A value that is not there is NULL."""
    types = types_of(asset)
    values = frame.reindex(columns=list(types)).astype(object)
    layout = layout_of(asset, contract_of(asset))
    told = warehouse.write_frame(candidate, values.where(values.notna(), None), types, layout)
    return {**told, **table_facts(warehouse, candidate)}


def figures_of(warehouse: Warehouse, candidate: str, asset: str, params: Params, **tables: str) -> Mapping[str, Any]:
    """Figures of `checks.sql` and `contract_violations`; those alone where the columns are not the contract's."""
    agreed = contract_of(asset)
    violations = {"contract_violations": len(contract_violations(warehouse, candidate, agreed))}
    if compare(agreed, warehouse.columns(candidate)).violations:
        return violations
    sql = render(f"{asset}/checks.sql", {"candidate": candidate, **tables})
    (row,) = warehouse.query(sql, params)
    return {**row, **violations}


def digest_of(frame: pd.DataFrame) -> str:
    """SHA-256 of rows in their order: what stands in a table that is only appended to decides what comes next (R38)."""
    return hashlib.sha256(as_csv(frame).encode()).hexdigest()


def as_csv(frame: pd.DataFrame) -> str:
    """The rows as the plan's file: days as YYYY-MM-DD, an empty field for NULL."""
    return frame.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
