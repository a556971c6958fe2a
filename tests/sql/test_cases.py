"""Runs every case: both engines must agree, and what a case expects must come out."""

from __future__ import annotations

import math

import pytest

from tests.oracle.catalog import folders
from tests.oracle.compare import agree
from tests.sql.cases import comparable, load, names


@pytest.mark.parametrize("name", names())
def test_case(name: str) -> None:
    case = load(name)
    output = agree(case.made.sql, case.made.catalog, case.rows, case.parameters)
    floats = [value for row in output.rows for value in row if isinstance(value, float)]
    assert all(map(math.isfinite, floats)), "NaN and inf mean different things to the engines; none may come out (R36)"
    if case.expect is None:
        assert output.rows, "a differential case without a row shows nothing"
        return
    kinds = dict(zip(output.columns, output.types, strict=True))
    left = [dict(zip(output.columns, row, strict=True)) for row in output.rows]
    missing = []
    for row in case.expect:
        wanted = {column: comparable(kinds[column], value) for column, value in row.items()}
        match = next((found for found in left if all(found[name] == value for name, value in wanted.items())), None)
        if match is None:
            missing.append(row)
        else:
            left.remove(match)
    shown = [{column: found[column] for column in (case.expect or [found])[0]} for found in left]
    assert (missing, shown) == ([], [])


def test_every_folder_of_sql_has_cases() -> None:
    assert {name.partition("/")[0] for name in names()} == set(folders())
