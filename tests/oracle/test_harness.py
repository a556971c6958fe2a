"""The harness judges the SQL; here it is judged: what it refuses, what it calls different, and its cache."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.oracle.compare import agree, differences, run_duckdb
from tests.oracle.reference import OracleError, Output, Table, reference

T = {"LeadScoring.t": Table({"i": "INT64", "s": "STRING", "f": "FLOAT64", "d": "DATE", "z": "TIMESTAMP"})}


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT nobody FROM `LeadScoring.t`", "Unrecognized name"),
        ("SELECT i FROM `LeadScoring.u`", "Table not found"),
        ("SELECT i FROM `LeadScoring.t` AS a JOIN `LeadScoring.t` AS b ON a.i = b.i", "ambiguous"),
        ("SELECT d > i FROM `LeadScoring.t`", "No matching signature"),
        ("SELECT s = 1 FROM `LeadScoring.t`", "No matching signature"),
        ("SELECT i, COUNT(*) FROM `LeadScoring.t`", "neither grouped nor aggregated"),
        ("SELECT i::STRING FROM `LeadScoring.t`", "Syntax error"),
        ("SELECT CAST(i AS VARCHAR) FROM `LeadScoring.t`", "Type not found"),
        ("SELECT i AS a, a + 1 AS b FROM `LeadScoring.t`", "Unrecognized name"),
        ("SELECT COUNT(*) FILTER (WHERE i > 0) FROM `LeadScoring.t`", "Syntax error"),
        ("SELECT a.i FROM `LeadScoring.t` AS a ASOF JOIN `LeadScoring.t` AS b ON TRUE", "Syntax error"),
        ("SELECT 99999999999999999999 AS big", "Invalid integer literal"),
        ("SELECT @p AS p", "parameter"),
        ("SELECT x FROM (SELECT i AS x, i AS X FROM `LeadScoring.t`)", "ambiguous"),
        ("WITH extract AS (SELECT 1 AS x) SELECT x FROM extract", "Syntax error"),
        ("SELECT DATE(z, 'Nowhere/Land') FROM `LeadScoring.t`", None),
        (
            "SELECT i FROM `LeadScoring.t` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY f ORDER BY i) = 1",
            "Partitioning",
        ),
    ],
)
def test_the_reference_refuses_what_bigquery_refuses(sql: str, says: str | None) -> None:
    with pytest.raises(OracleError, match=says):
        reference().evaluate(sql, T, {"LeadScoring.t": [(1, "a", 1.0, None, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))]})


def test_values_come_back_as_they_went_in() -> None:
    table = {
        "t": Table({"n": "NUMERIC", "f": "FLOAT64", "z": "TIMESTAMP", "d": "DATE", "b": "BOOL", "a": "ARRAY<DATE>"})
    }
    rows = [
        (
            Decimal("99999999999999999999999999999.999999999"),
            -0.0,
            dt.datetime(1969, 12, 31, 23, 59, 59, 999999, dt.UTC),
        ),
        (Decimal("-0.000000001"), 5e-324, dt.datetime(9999, 12, 31, 23, 59, 59, 999999, dt.UTC)),
        (None, math.inf, None),
    ]
    rest = [(dt.date(1, 1, 1), True, [dt.date(2024, 1, 1)]), (dt.date(9999, 12, 31), False, []), (None, None, [])]
    given = {"t": [(*one, *other) for one, other in zip(rows, rest, strict=True)]}
    output = agree("SELECT * FROM t", table, given)
    assert output.types == tuple(table["t"].columns.values())
    assert sorted(map(repr, output.rows)) == sorted(map(repr, given["t"]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((None,), (math.nan,)),
        ((0.0,), (-0.0,)),
        ((0.1 + 0.2,), (0.3,)),
        ((1,), (1.0,)),
        ((1,), (True,)),
        (("",), (None,)),
        (("a",), ("A",)),
        ((dt.date(2024, 1, 1),), (dt.datetime(2024, 1, 1, tzinfo=dt.UTC),)),
        ((Decimal("0.1"),), (0.1,)),
        (([1, 2],), ([2, 1],)),
    ],
)
def test_nearly_the_same_is_different(one: tuple[object], other: tuple[object]) -> None:
    left, right = Output(("x",), ("INT64",), [one]), Output(("x",), ("INT64",), [other])
    assert differences(left, right, ordered=True)
    assert differences(left, right, ordered=False)
    assert not differences(left, left, ordered=True)


def test_names_types_number_and_order_of_rows_count() -> None:
    base = Output(("x",), ("INT64",), [(1,), (2,)])
    assert differences(base, Output(("X",), ("INT64",), [(1,), (2,)]), ordered=False)
    assert differences(base, Output(("x",), ("FLOAT64",), [(1,), (2,)]), ordered=False)
    assert differences(base, Output(("x",), ("INT64",), [(1,), (2,), (2,)]), ordered=False)
    assert differences(base, Output(("x",), ("INT64",), [(2,), (1,)]), ordered=True)
    assert not differences(base, Output(("x",), ("INT64",), [(2,), (1,)]), ordered=False)


def test_equal_instants_in_two_zones_and_nan_are_equal() -> None:
    east = dt.datetime(2024, 1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    left = Output(("z", "f"), ("TIMESTAMP", "FLOAT64"), [(east, math.nan)])
    right = Output(("z", "f"), ("TIMESTAMP", "FLOAT64"), [(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), math.nan)])
    assert not differences(left, right, ordered=True)


def test_one_statement_leaves_nothing_behind_for_the_next() -> None:
    with pytest.raises(OracleError):
        reference().evaluate("SELECT 1 / 0 AS x", {}, {})
    assert run_duckdb("SELECT 1 AS x", {"LeadScoring.t": Table({"i": "INT64"})}, {}).rows == [(1,)]
    assert run_duckdb("SELECT s FROM `LeadScoring.t`", {"LeadScoring.t": Table({"s": "STRING"})}, {}).rows == []
    assert reference().evaluate("SELECT i FROM t", {"t": Table({"i": "INT64"})}, {"t": [(1,)]}).rows == [(1,)]
    assert reference().evaluate("SELECT i FROM t", {"t": Table({"i": "INT64"})}, {"t": [(2,)]}).rows == [(2,)]


def test_a_torn_cache_is_no_trouble_and_the_next_process_finds_it_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading is tried on a module of one function: the engine's own takes half a minute to compile."""
    code = (
        "import wasmtime, tests.oracle.reference as r\n"
        "from pathlib import Path\n"
        f"small = Path({str(tmp_path / 'small.wasm')!r})\n"
        "small.write_bytes(wasmtime.wat2wasm('(module (func (export \"f\") (result i32) i32.const 7))'))\n"
        "r.get_wasm_path = lambda: small\n"
        "module = r._compiled(wasmtime.Engine(wasmtime.Config()))\n"
        "print([export.name for export in module.exports])\n"
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = Path(__file__).resolve().parents[2]
    seen = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
        cached = list((tmp_path / "cache").rglob("*.cwasm"))
        seen.append((done.stdout.strip(), len(cached), cached[0].stat().st_size))
        if len(seen) == 1:
            cached[0].write_bytes(b"torn")
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][:2] == ("['f']", 1)
    assert list((tmp_path / "cache").rglob("*.[0-9]*")) == []
