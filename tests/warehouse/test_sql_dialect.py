"""Each construct of the proven part of GoogleSQL, on the same rows, on the reference engine and on DuckDB."""

from __future__ import annotations

import datetime as dt
import math
import random
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlglot

from leadscore_v6.warehouse.dialect import _PROVEN, to_duckdb
from tests.oracle.compare import agree, agree_on, agree_to_fail, warehouse
from tests.oracle.reference import Table

KINDS = "INT64 INT64 INT64 FLOAT64 FLOAT64 STRING STRING DATE DATE TIMESTAMP TIMESTAMP BOOL NUMERIC"
T = Table(dict(zip("kijfgspdezybn", KINDS.split(), strict=True)))
U = Table({"k": "INT64", "w": "STRING"})


def at(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


# k and i to g and s, p as they are; then two days, two instants, a truth value and a decimal. Ties, NULLs, both zeros.
NUMBERS_AND_TEXTS = [
    (1, 3, 2, 1.5, 0.25, "ab", "12"),
    (2, -3, 2, -2.5, 3.0, "", " 12 "),
    (3, None, 0, 0.1, None, None, "12.0"),
    (4, 0, None, None, -0.5, "AB", None),
    (5, 7, 7, 1e-7, 0.7, "b\na", "007"),
    (6, 2**62, -1, 14.995, 2.675, "日本語é", "x'y\\d"),
    (7, 3, 3, -0.0004, 1e300, "ab", "12"),
]
DAYS_AND_INSTANTS = [
    ("2024-01-31", "2024-02-29", "2024-01-01T23:30:00-02:00", None, True, "1.5"),
    ("2024-02-29", "2023-03-01", "2024-01-01T00:30:00+02:00", "2024-01-01T00:00:00+00:00", False, "-0.000000001"),
    (None, "2024-02-29", None, "2024-01-01T00:00:00+00:00", None, None),
    ("1999-12-31", None, "2024-06-30T12:00:00.000001+00:00", "2024-06-30T13:59:59+00:00", True, "1e9"),
    ("2024-12-29", "2024-12-31", "1969-12-31T23:59:59.500000+00:00", "1970-01-01T00:00:01+00:00", False, "0"),
    ("2024-01-01", "2024-01-01", None, None, True, "2.5"),
    ("2024-01-31", "2024-02-29", "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00+00:00", None, "1.5"),
]
ROWS = [
    (*first, day(d), day(e), at(z), at(y), truth, None if n is None else Decimal(n))
    for first, (d, e, z, y, truth, n) in zip(NUMBERS_AND_TEXTS, DAYS_AND_INSTANTS, strict=True)
]
OTHER = [(1, "one"), (1, "uno"), (2, "two"), (9, None), (None, "none")]
TABLES = {"LeadScoring.t": T, "LeadScoring.u": U}
GIVEN = {"LeadScoring.t": ROWS, "LeadScoring.u": OTHER}
PARAMETERS = {
    "n": ("INT64", 30),
    "m": ("INT64", 2),
    "d": ("DATE", day("2024-02-29")),
    "days": ("ARRAY<DATE>", [day("2024-01-31"), day("2024-02-29"), day("2024-01-31")]),
    "none": ("ARRAY<DATE>", []),
    "texts": ("ARRAY<STRING>", ["ab", ""]),
}


def snippets(file: str) -> list[str]:
    lines = (Path(__file__).parent / "snippets" / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("--")]


EXPRESSIONS, QUERIES = snippets("expressions.sql"), snippets("queries.sql")


def used(sql: str) -> dict[str, tuple[str, object]]:
    return {name: PARAMETERS[name] for name in re.findall(r"@(\w+)", sql)}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression: str) -> None:
    sql = f"SELECT k, {expression} AS answer FROM `LeadScoring.t` ORDER BY k"
    assert len(agree(sql, TABLES, GIVEN, used(sql)).rows) == len(ROWS)


@pytest.mark.parametrize("sql", QUERIES)
def test_query(sql: str) -> None:
    assert agree(sql, TABLES, GIVEN, used(sql)).columns


@pytest.mark.parametrize("sql", QUERIES)
def test_query_over_no_rows(sql: str) -> None:
    over_rows, over_none = (agree(sql, TABLES, given, used(sql)) for given in (GIVEN, {}))
    assert (over_none.columns, over_none.types) == (over_rows.columns, over_rows.types)


def test_nothing_is_called_proven_without_having_been_tried_here() -> None:
    tried = {
        (type(node), name)
        for sql in [*QUERIES, *(f"SELECT {expression} AS answer" for expression in EXPRESSIONS)]
        for node in sqlglot.parse_one(sql, dialect="bigquery").walk()
        for name, value in [*node.args.items(), (None, True)]
        if value
    }
    claimed = {(node, name) for node, names in _PROVEN.items() for name in [*names.split(), None]}
    assert claimed - tried == set()


@pytest.mark.parametrize("expression", ["i / 0", "i / (j - j)", "f / 0.0", "1 / (k - 1)", "i + 9223372036854775807"])
def test_both_engines_fail(expression: str) -> None:
    agree_to_fail(f"SELECT {expression} AS answer FROM `LeadScoring.t` WHERE k = 1", TABLES, GIVEN)


@pytest.mark.parametrize("setting", ["ieee_floating_point_ops", "error_on_division_by_zero"])
def test_division_by_zero_does_not_hang_on_the_session(setting: str) -> None:
    with warehouse(TABLES, GIVEN) as connection:
        for value in ("true", "false"):
            connection.execute(f"SET {setting} = {value}")
            with pytest.raises(duckdb.Error, match=r"(?i)division by zero"):
                connection.execute(to_duckdb("SELECT i / (j - j) AS q FROM `LeadScoring.t` WHERE k = 1"))
            assert connection.execute(to_duckdb("SELECT SAFE_DIVIDE(1, 0) AS q")).fetchall() == [(None,)]


def test_generated_numbers_divide_and_round_alike() -> None:
    draw = random.Random(3)
    numbers = [draw.choice((1, -1)) * draw.random() * 10 ** draw.randint(-6, 9) for _ in range(1000)]
    numbers += [draw.randint(-(10**6), 10**6) / 1000 for _ in range(1000)] + [k / 8 for k in range(-80, 80)]
    numbers += [0.0, -0.0, 2**52 + 0.5, 1e300, math.inf, -math.inf, math.nan, 5e-324, 1e308]
    for digits in (0, 1, 2, 4, 9):
        agree_on(f"ROUND(CAST(x AS FLOAT64), {digits})", "FLOAT64", numbers)
    for divisor in ("0.0", "3", "1e-10", "x", "5e-324"):
        agree_on(f"SAFE_DIVIDE(x, {divisor})", "FLOAT64", numbers)
    agree_on("SAFE_DIVIDE(x, 3)", "INT64", [0, 1, 2**53 + 1, -(2**63), None])
    edges = [0.0, -0.0, 1.0, -1.0, 1e308, 1e-308, 5e-324, math.inf, -math.inf, math.nan, None]
    pairs = {"t": [(number, divisor) for number in edges for divisor in edges]}
    agree("SELECT x, y, SAFE_DIVIDE(x, y) AS q FROM t", {"t": Table({"x": "FLOAT64", "y": "FLOAT64"})}, pairs)


def test_sums_are_int64_and_numeric_to_the_last_digit() -> None:
    draw = random.Random(4)
    numbers = [(draw.randint(0, 10**5) / 10 + draw.choice((0, 1e12)),) for _ in range(500)]
    table = {"t": Table({"x": "FLOAT64"})}
    mean = "SAFE_DIVIDE(CAST(SUM(CAST(x AS NUMERIC)) AS FLOAT64), COUNT(x))"
    answers = {agree(f"SELECT {mean} AS m FROM t", table, {"t": draw.sample(numbers, 500)}).rows[0] for _ in range(5)}
    assert len(answers) == 1
