"""A built table held against its contract: NULLs are counted (R13), and no personal column gets by (R5, R8)."""

from __future__ import annotations

from typing import cast

import pytest

from leadscore_v6.assets.recipe import contract_violations
from leadscore_v6.contracts import Contract, contract
from leadscore_v6.warehouse.protocol import TableColumn, Warehouse


class Table:
    """A table as INFORMATION_SCHEMA and a count show it."""

    def __init__(self, agreed: Contract) -> None:
        self.there = [TableColumn(column.name, column.bq_type, nullable=True) for column in agreed.columns]
        self.nulls: dict[str, int] = {}

    def columns(self, name: str) -> list[TableColumn]:
        return self.there

    def count_nulls(self, name: str, columns: list[str]) -> dict[str, int]:
        return {column: self.nulls.get(column, 0) for column in columns}


@pytest.fixture
def table() -> Table:
    """A training table that keeps its contract."""
    return Table(contract("training"))


def violations(table: Table) -> list[str]:
    return contract_violations(cast("Warehouse", table), "LeadScoring.t", contract("training"))


def test_a_table_that_keeps_its_contract_has_none(table: Table) -> None:
    assert violations(table) == []


def test_a_null_where_none_may_be_is_one(table: Table) -> None:
    table.nulls = {"target_label": 2}
    assert [line for line in violations(table) if "target_label" in line and "2 NULLs" in line]


@pytest.mark.parametrize("name", ["Email_BusinessType", "SocialMedia_LinkedIn", "firstname"])
def test_a_column_beyond_the_contract_is_allowed_unless_it_is_personal(table: Table, name: str) -> None:
    table.there.append(TableColumn("Anything_Else", "STRING", nullable=True))
    assert violations(table) == []
    table.there.append(TableColumn(name, "STRING", nullable=True))
    assert [line.partition(":")[0] for line in violations(table)] == [name]
