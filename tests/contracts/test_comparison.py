"""The schema gate of step 1.7: every way to break a contract is seen, and what is allowed is no violation."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore_v6.contracts import Contract, ContractColumn, Violation, compare
from leadscore_v6.warehouse.protocol import TableColumn

CONTRACT = Contract(
    (
        ContractColumn("RepCRD", "STRING", nullable=False, role="identifier", description="-"),
        ContractColumn("Age", "INT64", nullable=True, role="feature", description="-"),
        ContractColumn("Share", "FLOAT64", nullable=True, role="feature", description="-"),
    ),
    Path("contract.json"),
)


def table(*columns: str) -> list[TableColumn]:
    return [TableColumn(*column.split(":"), nullable=True) for column in columns]


CLEAN = ("RepCRD:STRING", "Age:INT64", "Share:FLOAT64")


def test_a_table_that_keeps_its_contract_has_no_violation():
    found = compare(CONTRACT, table(*CLEAN))
    assert found.violations == ()
    assert found.extras == ()
    assert (found.expected_columns, found.actual_columns) == (3, 3)


def test_extra_columns_are_allowed_and_listed_and_order_does_not_matter():
    found = compare(CONTRACT, table("Extra:BOOL", *reversed(CLEAN), "More:STRING"))
    assert found.violations == ()
    assert found.extras == ("Extra", "More")
    assert found.actual_columns == 5


@pytest.mark.parametrize(
    ("columns", "violations"),
    [
        (CLEAN[:2], [Violation("missing", "Share", "FLOAT64", "no such column")]),
        (("RepCRD:STRING", "Age:STRING", "Share:FLOAT64"), [Violation("type", "Age", "INT64", "STRING")]),
        (("RepCRD:STRING", "Age:FLOAT64", "Share:INT64"), ["type", "type"]),
        (("RepCRD:STRING", "Age:INT64", "Share:NUMERIC"), ["type"]),
        ((*CLEAN, "AGE:INT64"), [Violation("doubled", "Age", "one column", "Age, AGE")]),
        ((*CLEAN, "x:STRING", "X:STRING"), [Violation("doubled", "x", "one column", "x, X")]),
        ((*CLEAN, "age:STRING"), ["doubled", "type"]),
        ((), ["missing"] * 3),
    ],
)
def test_each_way_to_break_it_is_seen(columns, violations):
    found = compare(CONTRACT, table(*columns)).violations
    assert [violation.kind if isinstance(violations[0], str) else violation for violation in found] == violations


@pytest.mark.parametrize("spelled", ["REPCRD", "repcrd"])
def test_names_match_in_any_case_as_in_both_engines(spelled):
    assert compare(CONTRACT, table(f"{spelled}:STRING", *CLEAN[1:])).violations == ()


@pytest.mark.parametrize(
    ("contract_type", "table_type", "compatible"),
    [
        ("INT64", "INTEGER", True),
        ("INTEGER", "INT64", True),
        ("FLOAT64", "FLOAT", True),
        ("FLOAT", "float64", True),
        ("BOOL", "BOOLEAN", True),
        ("NUMERIC", "NUMERIC(38, 9)", True),
        ("STRING", "STRING(20)", True),
        ("INT64", "HUGEINT", False),
        ("NUMERIC", "BIGNUMERIC", False),
        ("NUMERIC", "FLOAT64", False),
        ("TIMESTAMP", "DATETIME", False),
        ("DATE", "TIMESTAMP", False),
        ("BOOL", "INT64", False),
    ],
)
def test_only_names_of_the_same_type_are_compatible(contract_type, table_type, compatible):
    one = Contract((ContractColumn("a", contract_type, nullable=True, role="audit", description="-"),), Path("c.json"))
    assert (compare(one, [TableColumn("a", table_type, nullable=True)]).violations == ()) is compatible


@pytest.mark.parametrize(
    ("nulls", "got"),
    [({"RepCRD": 3}, "3 NULLs"), ({}, "NULLs not counted"), ({"Age": 0}, "NULLs not counted")],
)
def test_a_column_that_may_not_be_null_is_judged_on_the_nulls_counted(nulls, got):
    assert compare(CONTRACT, table(*CLEAN), nulls).violations == (Violation("nulls", "RepCRD", "no NULL", got),)


def test_nulls_elsewhere_are_no_violation():
    assert compare(CONTRACT, table(*CLEAN), {"RepCRD": 0, "Age": 9}).violations == ()
