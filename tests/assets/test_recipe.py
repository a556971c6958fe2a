"""A built table held against its contract: NULLs are counted (R13), and no personal column gets by (R5, R8)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import leadscore_v6
from leadscore_v6.assets import recipe as recipes
from leadscore_v6.assets.recipe import Recipe, code_hash, contract_violations
from leadscore_v6.contracts import Contract, contract
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
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


def measured(candidate: str) -> Any:
    """Figures of a CRM extract's candidate, on DuckDB."""
    with closing(DuckDBWarehouse(Path(":memory:"))) as warehouse:
        warehouse.create_table("LeadScoring.c", candidate)
        recipe = Recipe(
            "crm_leads",
            "LeadScoring.crm_leads",
            tables={"lead": "SavvyGTMData.Lead"},
            check_params={"records": 1, "among": 500},
            contract=contract("crm_leads"),
        )
        return recipe.work(warehouse, "crm_leads").measure({"LeadScoring.crm_leads": "LeadScoring.c"})


HONEST = (
    "SELECT 'L1' AS Id, '7' AS FA_CRD__c, '7' AS crd, 0 AS contacting_unparsed, {scheduled} AS scheduled_unparsed, "
    "TIMESTAMP '2024-01-02 00:00:00+00' AS Stage_Entered_Contacting__c, "
    "TIMESTAMP '2024-01-03 00:00:00+00' AS Stage_Entered_Call_Scheduled__c"
)


def test_a_candidate_that_the_checks_could_not_add_up_breaks_its_contract_and_nothing_else() -> None:
    """A text beside a number is an error of the engine's: it must not keep the contract's gate from being judged."""
    assert measured(HONEST.format(scheduled="0"))["rows_missing"] == 0
    assert measured(HONEST.format(scheduled="'5'")) == {"contract_violations": 1}
    assert measured(HONEST.format(scheduled="'none'")) == {"contract_violations": 1}
    # A NULL where none may be breaks it too; that adds up.
    nulls = measured(HONEST.format(scheduled="CAST(NULL AS INT64)"))
    assert (nulls["contract_violations"], nulls["rows_missing"]) == (1, 0)


# --- what another content is (R38) ------------------------------------------------------------------------------


def inputs(**changed: Any) -> Any:
    """What the step would hand in for its content key."""
    given: dict[str, Any] = {"tables": {"lead": "SavvyGTMData.Lead"}, "check_params": {"records": 3}, **changed}
    warehouse = cast("Warehouse", SimpleNamespace())
    return Recipe("crm_leads", "LeadScoring.crm_leads", **given).work(warehouse, "crm_leads").inputs


def test_another_check_or_another_value_to_check_against_is_another_content(monkeypatch: pytest.MonkeyPatch) -> None:
    assert inputs() == inputs()
    assert inputs(check_params={"records": 4}) != inputs()
    as_it_is, before = recipes.render, inputs()
    monkeypatch.setattr(
        recipes, "render", lambda template, *names: as_it_is(template, *names) + " -- changed" * ("checks" in template)
    )
    assert {name for name, value in inputs().items() if value != before[name]} == {"checks"}


@pytest.mark.parametrize("module", ["warehouse/casts.py", "warehouse/landing/records.py", "assets/snapshots.py"])
def test_another_code_on_the_data_path_is_another_content(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(leadscore_v6.__file__).parent
    for file in root.rglob("*.py"):
        copy = tmp_path / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    monkeypatch.setattr(leadscore_v6, "__file__", str(tmp_path / "__init__.py"))
    code_hash.cache_clear()
    before = code_hash()
    (tmp_path / module).write_text((tmp_path / module).read_text() + "# changed")
    code_hash.cache_clear()
    assert code_hash() != before
    code_hash.cache_clear()


def test_another_engine_is_another_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_hash()
    code_hash.cache_clear()
    monkeypatch.setattr(recipes.metadata, "version", lambda library: f"{library} of tomorrow")
    assert code_hash() != before
    code_hash.cache_clear()
