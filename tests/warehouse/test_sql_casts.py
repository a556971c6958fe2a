"""CAST and SAFE_CAST on DuckDB give what the reference gives: on hand-picked nasty values, and on generated ones."""

from __future__ import annotations

import datetime as dt
import math
import random
from decimal import Decimal

import duckdb
import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.warehouse.sql import to_duckdb
from tests.oracle.compare import agree_on, run_duckdb
from tests.oracle.reference import Table

MANY = 2000
INTEGERS = [
    "12",
    " 12 ",
    "\t12\n",
    "+12",
    "-0",
    "007",
    "1\r",
    "\v1",
    "\f1",
    "9223372036854775807",
    "-9223372036854775808",
]
NO_INTEGERS = [
    "",
    "  ",
    "12.7",
    "12.0",
    "1e3",
    "1_000",
    "1,000",
    "1 2",
    "--1",
    "+-1",
    "+",
    "0b1",
    "9223372036854775808",
]
NO_INTEGERS += ["\u00a012", "\u0661", "abc", "0x", "NA", "nan", "12\u3000"]
HEXADECIMAL = ["0x1F", "-0X1f", " 0xA ", "\t0xA", "+0x7fffffffffffffff", "0x8000000000000000", "-0x8000000000000000"]
FLOATS = ["1", "12.", ".5", "1e3", "1E+3", " -1.5e-3 ", "+.5", "1e400", "-1e400", "1e-400", "4.9e-324", "-0", "0.1"]
FLOATS += ["nan", "NaN", "-nan", "+nan", "inf", "Infinity", "-INF", " inf ", "9007199254740993", "1e22", "1e23"]
NO_FLOATS = ["", " ", "1_0.5", "1e", "e5", ".", "-.", "1..2", "12,5", "1 2", "1e 3", "+-1", "1d", "1f", "infin", "nano"]
NUMERICS = ["1", "0.1234567895", "-0.0000000005", "1e3", "1e-9", "99999999999999999999999999999.999999999", " 2.50 "]
NO_NUMERICS = ["", "nan", "inf", "1_0", "1e30", "99999999999999999999999999999.9999999995", "0x1F", ".", "1e"]
DAYS = ["2024-01-02", "2024-1-2", "0001-01-01", "9999-12-31", "2024-02-29"]
NO_DAYS = [
    "",
    "2024/01/02",
    " 2024-01-02",
    "2024-01-02 ",
    "2024-01-02 03:04:05",
    "2023-02-29",
    "0000-01-01",
    "20240102",
]
NO_DAYS += [
    "10000-01-01",
    "24-01-02",
    "2024-001-02",
    "02024-01-01",
    "infinity",
    "epoch",
    "2024-01-02 (BC)",
    "-2024-01-01",
]
INSTANTS = ["2024-01-02", "2024-1-2 3:4:5", "2024-01-02T03:04:05Z", "2024-01-02 23:59:59.999999-00:30", "0001-01-01"]
INSTANTS += [
    "2024-01-02 03:04:05 UTC",
    "2024-01-02 00:30:00.5+0100",
    "2024-12-31 23:30:00-14:00",
    "2024-01-02 03:04:05+05",
]
NO_INSTANTS = ["", "2024-01-02 03:04", "2024-01-02 24:00:00", "2024-02-30 00:00:00", "2024-01-02 03:04:05.1234567", "x"]
NO_INSTANTS += ["9999-12-31 23:59:59-01", "0001-01-01 00:00:00+01", "2024-01-02 03:04:05.", "2024/01/02 03:04:05"]


def generated(alphabet: str, longest: int) -> list[str]:
    """The same texts on every run: chance only spares us from writing them down."""
    draw = random.Random(7)
    return ["".join(draw.choices(alphabet, k=draw.randint(0, longest))) for _ in range(MANY)]


@pytest.mark.parametrize(
    ("kind", "some", "none", "alphabet"),
    [
        ("INT64", [*INTEGERS, *HEXADECIMAL], NO_INTEGERS, "  +-0123456789xXaF._e"),
        ("FLOAT64", FLOATS, NO_FLOATS, " +-0123456789..eE_"),
        ("NUMERIC", NUMERICS, NO_NUMERICS, " +-0123456789.._"),
        ("DATE", DAYS, NO_DAYS, "0012---/ "),
        ("TIMESTAMP", INSTANTS, NO_INSTANTS, "0012--: ."),
        ("BOOL", ["true", "TRUE", "False"], ["yes", "t", "1", "0", " true", "", "no"], "trueTRUE "),
    ],
)
def test_safe_cast_of_text(kind: str, some: list[str], none: list[str], alphabet: str) -> None:
    given = [*some, *none, None, *generated(alphabet, 7), *generated("0123456789", 22)]
    if kind in ("DATE", "TIMESTAMP"):
        draw = random.Random(8)
        given += [f"{draw.randint(1, 9999):04}-{draw.randint(0, 13)}-{draw.randint(0, 32):02}" for _ in range(MANY)]
    answers = agree_on(f"SAFE_CAST(x AS {kind})", "STRING", given)
    refused = [text for text, answer in zip(none, answers[len(some) :], strict=False) if answer is not None]
    assert refused == []
    out_of_int64 = {"\t0xA", "0x8000000000000000"} if kind == "INT64" else set()
    assert {text for text, answer in zip(some, answers, strict=False) if answer is None} == out_of_int64


def test_safe_cast_of_decimals_to_the_last_digit() -> None:
    draw = random.Random(9)
    whole = [str(draw.randint(0, 10 ** draw.randint(0, 20))) for _ in range(MANY)]
    texts = [f"{draw.choice(['', '-'])}{one}.{draw.randint(0, 10**14):014}" for one in whole]
    agree_on("SAFE_CAST(x AS NUMERIC)", "STRING", [*texts, *(f"{one}e{draw.randint(-9, 9)}" for one in texts)])
    texts += [f"{one}e{draw.randint(-330, 280)}" for one in texts]
    assert agree_on("SAFE_CAST(x AS FLOAT64)", "STRING", texts) == [float(text) for text in texts]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("FLOAT64", "0x1F"),
        ("FLOAT64", "-0X.8p3"),
        ("NUMERIC", "5e-10"),
        ("TIMESTAMP", "2024-01-02 03:04:05 America/New_York"),
        ("TIMESTAMP", "2024-01-02 03:04:05+5"),
        ("TIMESTAMP", "2024-01-02t03:04:05"),
    ],
)
def test_text_that_only_googlesql_reads_stops_the_statement(kind: str, text: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=f"AS {kind} is not translated for DuckDB"):
        run_duckdb(f"SELECT SAFE_CAST(x AS {kind}) AS y FROM t", {"t": Table({"x": "STRING"})}, {"t": [(text,)]})


def doubles() -> list[float | None]:
    """Halves, ties at the ninth digit and their neighbours, large and small ones, and what is no number."""
    draw = random.Random(10)
    ties = [sign * (2 * k + 1) / 2e9 for k in range(300) for sign in (1, -1)]
    found = [*ties, *(math.nextafter(tie, 1) for tie in ties), *(math.nextafter(tie, -1) for tie in ties)]
    found += [k / 2 for k in range(-99, 99)] + [draw.randint(0, 10**11) / 1e10 for _ in range(MANY)]
    found += [draw.choice((1, -1)) * draw.random() * 10 ** draw.randint(-12, 18) for _ in range(MANY)]
    return [*found, 0.0, -0.0, 0.1, 2**53 + 2.0, None]


def test_cast_of_floats() -> None:
    numbers = doubles()
    assert agree_on("CAST(x AS INT64)", "FLOAT64", [2.5, -2.5, 0.5, 0.49999999999999994]) == [3, -3, 1, 0]
    agree_on("CAST(x AS INT64)", "FLOAT64", numbers)
    agree_on("CAST(x AS NUMERIC)", "FLOAT64", numbers)
    agree_on(
        "CAST(CAST(x AS FLOAT64) AS STRING)", "FLOAT64", [*numbers, math.nan, math.inf, -math.inf, 1e15, 1e17, 5e-324]
    )
    assert agree_on("CAST(CAST(x AS FLOAT64) AS STRING)", "FLOAT64", [1.0, 0.1, 1e20]) == ["1", "0.1", "1e+20"]
    texts = agree_on("SAFE_CAST(CAST(x AS FLOAT64) AS INT64)", "FLOAT64", [1e30, math.nan, math.inf, 1.5, -1e30])
    assert texts == [None, None, None, 2, None]


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e19, -1e19])
def test_cast_of_a_float_that_is_no_int64_fails(value: float) -> None:
    with pytest.raises(duckdb.Error):
        run_duckdb("SELECT CAST(x AS INT64) AS y FROM t", {"t": Table({"x": "FLOAT64"})}, {"t": [(value,)]})


def test_cast_of_numerics_and_integers() -> None:
    draw = random.Random(11)
    numerics = [Decimal(draw.randint(-(10**k), 10**k)).scaleb(-9) for k in range(1, 37) for _ in range(40)]
    agree_on("CAST(CAST(x AS NUMERIC) AS FLOAT64)", "NUMERIC", numerics)
    agree_on("CAST(CAST(x AS NUMERIC) AS STRING)", "NUMERIC", [*numerics, Decimal(0), Decimal(100), None])
    halves = [Decimal("0.5"), Decimal("-0.5"), Decimal("2.5"), Decimal("0.499999999")]
    assert agree_on("CAST(x AS INT64)", "NUMERIC", halves) == [1, -1, 3, 0]
    whole = [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), None]
    agree_on("CAST(x AS FLOAT64)", "INT64", whole)
    agree_on("CAST(x AS NUMERIC)", "INT64", whole)
    agree_on("CAST(x AS STRING)", "INT64", whole)
    agree_on("CAST(x AS INT64)", "INT64", whole)


def test_cast_to_string_of_columns_whose_type_has_one_spelling() -> None:
    assert agree_on("CAST(x AS STRING)", "STRING", ["", " a", "日", None]) == ["", " a", "日", None]
    assert agree_on("CAST(x AS STRING)", "BOOL", [True, False, None]) == ["true", "false", None]
    dates = [dt.date(1, 1, 1), dt.date(2024, 2, 29), None]
    assert agree_on("CAST(x AS STRING)", "DATE", dates) == ["0001-01-01", "2024-02-29", None]


@pytest.mark.parametrize("kind", ["FLOAT64", "NUMERIC", "TIMESTAMP"])
def test_cast_to_string_of_other_columns_stops_the_statement(kind: str) -> None:
    value = {"FLOAT64": 1.0, "NUMERIC": Decimal(1), "TIMESTAMP": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}[kind]
    with pytest.raises(duckdb.InvalidInputException, match="CAST AS STRING"):
        run_duckdb("SELECT CAST(x AS STRING) AS y FROM t", {"t": Table({"x": kind})}, {"t": [(value,)]})


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        *(
            (f"SAFE_CAST(x AS {target})", source)
            for target in ("INT64", "FLOAT64", "DATE")
            for source in ("INT64", "FLOAT64")
        ),
        *((f"CAST(x AS {target})", "STRING") for target in ("INT64", "FLOAT64", "NUMERIC")),
        ("CAST(x AS INT64)", "BOOL"),
    ],
)
def test_a_source_type_that_was_not_foreseen_does_not_bind(expression: str, kind: str) -> None:
    with pytest.raises(duckdb.BinderException):
        run_duckdb(f"SELECT {expression} AS y FROM t", {"t": Table({"x": kind})}, {})


@pytest.mark.parametrize(
    "expression",
    [
        *("CAST('12' AS INT64)", "CAST(x AS BYTES)", "CAST(x AS DATE)", "CAST(x AS TIMESTAMP)", "CAST(x AS BOOL)"),
        *("SAFE_CAST(x AS STRING)", "SAFE_CAST(1.5 AS DATE)", "SAFE_CAST(x AS BIGNUMERIC)", "CAST(x AS ARRAY<INT64>)"),
        *("DATE '2024/01/02'", "TIMESTAMP '2024-01-02'", "CAST('2024-1-2' AS DATE)", "CAST(x AS NUMERIC(10, 2))"),
        "CAST(x AS STRING FORMAT 'YYYY')",
    ],
)
def test_casts_without_a_translation_are_refused(expression: str) -> None:
    with pytest.raises(UsageError):
        to_duckdb(f"SELECT {expression} AS y FROM t")


def test_typed_nulls_and_literals() -> None:
    for kind in ("INT64", "FLOAT64", "STRING", "DATE", "TIMESTAMP", "NUMERIC", "BOOL"):
        assert agree_on(f"CAST(NULL AS {kind})", "INT64", [1]) == [None]
    assert agree_on("DATE '2024-01-02'", "INT64", [1]) == [dt.date(2024, 1, 2)]
    instant = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert agree_on("TIMESTAMP '2024-01-02 03:04:05+00'", "INT64", [1]) == [instant]
