"""Tables of monitoring: a month's candidate made from a frame by its contract, and audited by `checks.sql`."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from leadscore_v6.assets.recipe import contract_violations, layout_of, table_facts
from leadscore_v6.assets.shadow.data import column_types
from leadscore_v6.contracts import Contract, compare, contract
from leadscore_v6.warehouse.protocol import Params, Warehouse
from leadscore_v6.warehouse.sql import render


def write_table(warehouse: Warehouse, candidate: str, frame: pd.DataFrame, asset: str) -> dict[str, Any]:
    """Make the candidate; returns what the ledger keeps of it. A value that is not there is NULL."""
    types = column_types(_contract(asset))
    values = frame.reindex(columns=list(types)).astype(object)
    told = warehouse.write_frame(
        candidate, values.where(values.notna(), None), types, layout_of(asset, _contract(asset))
    )
    return {**told, **table_facts(warehouse, candidate)}


def figures_of(warehouse: Warehouse, candidate: str, asset: str, params: Params) -> Mapping[str, Any]:
    """Figures of `checks.sql` and `contract_violations`; that alone where the columns are not the contract's."""
    agreed = _contract(asset)
    violations = {"contract_violations": len(contract_violations(warehouse, candidate, agreed))}
    if compare(agreed, warehouse.columns(candidate)).violations:
        return violations
    (row,) = warehouse.query(render(f"{asset}/checks.sql", {"candidate": candidate}), params)
    return {**row, **violations}


def _contract(asset: str) -> Contract:
    return contract(asset.removesuffix("_v6"))
