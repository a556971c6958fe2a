"""What is named as a row to look at is what the SQL counted as one: the two readings of a field are held together."""

from __future__ import annotations

from datetime import date

import pytest

from leadscore_v6.assets.offenders import at_fault
from leadscore_v6.contracts import contract
from leadscore_v6.contracts.contract import ContractColumn
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
from leadscore_v6.warehouse.sql import _environment, render, sql_root

FIELDS = [
    *("", " ", "\t", "\n", "0", "00", "0.0", "12", "12.0", "12.", "12.7", ".5", ".", "-4", "+4", " 7 ", "007", "1,5"),
    *("1_0", "1e3", "1e99", "1e100", "1e-400", "1E+02", "e5", "0x10", "nan", "inf", "-inf", "1d", "12.00000", "12.01"),
    *("9" * 15, "9" * 40, "1" + "0" * 99, "1" + "0" * 98, "1.0.0", "1 2", "--1", "+-1"),
    *("9223372036854775807", "9223372036854775808", "9223372036854775807.0"),
    *("-9223372036854775808", "-9223372036854775809"),
    # A no-break space, digits of other scripts, blanks that are not ASCII's or not RE2's.
    *("\u00a07", "7\u00a0", "\u0667", "\uff17", "\x0b7", "7\x0c", "\x1f7", "\u20287", "\u00a0", "\u2003"),
    *("Yes", "No", "Unknown", " Yes", "Yes ", "yes", "NO", "NA", "true", "Yes\n", "Unknown."),
]
TYPED = [column for column in contract("feed").columns if column.typed or column.words]


@pytest.fixture(scope="module")
def losses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bool]]:
    """By column of the feed, whether the SQL of step 1.5 counts each of FIELDS against it."""
    warehouse = DuckDBWarehouse(tmp_path_factory.mktemp("offenders") / "warehouse.duckdb")
    names = contract("feed").names
    columns = ", ".join(f"NULLIF(field, '') AS \"{name}\"" for name in names)
    connection = warehouse._connection
    numbered = {"fields": FIELDS, "places": list(range(len(FIELDS)))}
    connection.execute("CREATE TABLE fields AS SELECT unnest($fields) AS field, unnest($places) AS place", numbered)
    connection.execute(f'CREATE TABLE "LeadScoring".raw AS SELECT {columns} FROM fields ORDER BY place')
    sql = render("snapshot_reps_YYYYMMDD/query.sql", {"raw": "LeadScoring.raw"})
    rows = warehouse.query(sql, {"snapshot_at": date(2024, 1, 7)})
    warehouse.close()
    macros = _environment(str(sql_root())).get_template("macros.sql").module
    typed = [source for source, _, _ in macros.numbers] + list(macros.crds)  # type: ignore[attr-defined]
    worded = [source for source, _ in macros.words]  # type: ignore[attr-defined]
    found = {source: [bool(row["typing_losses"] >> bit & 1) for row in rows] for bit, source in enumerate(typed)}
    found |= {source: [bool(row["domain_losses"] >> bit & 1) for row in rows] for bit, source in enumerate(worded)}
    # Of these two the gates count what is no CRD, a blank too.
    return found | {name: [row[name] is None for row in rows] for name in ("RepCRD", "RIAFirmCRD")}


@pytest.mark.parametrize("column", TYPED, ids=lambda column: column.name)
def test_a_row_is_named_exactly_if_it_was_counted(column: ContractColumn, losses: dict[str, list[bool]]) -> None:
    is_at_fault = at_fault(column)
    named = {field for field in FIELDS if is_at_fault(field)}
    counted = {field for field, lost in zip(FIELDS, losses[column.name], strict=True) if lost}
    assert named == counted
    assert 0 < len(counted) < len(set(FIELDS))


def test_every_column_that_is_counted_is_held(losses: dict[str, list[bool]]) -> None:
    assert {column.name for column in TYPED} == set(losses)
