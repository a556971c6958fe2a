"""What has no faithful translation is refused, and the message shows it."""

from __future__ import annotations

import duckdb
import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.warehouse.dialect import to_duckdb
from tests.oracle.compare import run_duckdb
from tests.oracle.reference import Table

REFUSED = {
    # answers that the rows do not decide (R9), or not to the last bit (R45)
    "AVG(f)": "AVG",
    "SUM(CAST(f AS FLOAT64))": "order of rows",
    "SUM(f * 1.5)": "order of rows",
    "SUM(SAFE_DIVIDE(i, j))": "order of rows",
    "STDDEV(f)": "STDDEV",
    "CORR(f, g)": "CORR",
    "ANY_VALUE(s)": "ANY_VALUE",
    "APPROX_COUNT_DISTINCT(s)": "APPROX",
    "APPROX_QUANTILES(f, 4)": "APPROX_QUANTILES",
    "APPROX_TOP_COUNT(s, 1)[OFFSET(0)].value": "value",
    "STRING_AGG(s)": "ORDER BY",
    "ARRAY_AGG(s)": "ORDER BY",
    "ARRAY_AGG(s ORDER BY s LIMIT 1)": "Limit",
    "CURRENT_DATE()": "CURRENT_DATE",
    "CURRENT_TIMESTAMP()": "CURRENT_TIMESTAMP",
    "RAND()": "RAND",
    "GENERATE_UUID()": "GENERATE_UUID",
    "SESSION_USER()": "SESSION_USER",
    "ROW_NUMBER() OVER (PARTITION BY s)": "ROW_NUMBER without ORDER BY",
    # functions that differ, or were never compared
    "FORMAT('%d', i)": "FORMAT",
    "TO_JSON_STRING(s)": "TO_JSON_STRING",
    "SAFE.SUBSTR(s, 1)": "SUBSTR",
    "my_function(s)": "my_function",
    "TRIM(s)": "TRIM",
    "UPPER(s)": "UPPER",
    "s LIKE 'a%'": "LIKE",
    "INSTR(s, 'a')": "INSTR",
    "SPLIT(s, ',')": "SPLIT",
    "SHA256(s)": "SHA256",
    "FARM_FINGERPRINT(s)": "FARM_FINGERPRINT",
    "IEEE_DIVIDE(i, j)": "IEEE_DIVIDE",
    "POW(i, 2)": "POW",
    "TRUNC(f)": "TRUNC",
    "i << 2": "<<",
    "i ^ 2": "BitwiseXor",
    "i | 6 & 3": "parentheses",
    "MOD(i, j)": "literal integer",
    "MOD(i, 0)": "literal integer",
    "DIV(i, 2)": "DIV",
    "ROUND(CAST(f AS NUMERIC), 2)": "FLOAT64 and INT64",
    "FLOOR(CAST(f AS NUMERIC))": "FLOAT64 and INT64",
    "ROUND(f, 10)": "literal digits",
    "ROUND(f, -1)": "literal digits",
    "LPAD(s, i, '0')": "literal width",
    "REGEXP_EXTRACT(s, '(a)(b)')": "one group",
    "REGEXP_EXTRACT(s, r'\\Q(\\E(a)')": "one group",
    "ROUND(f * 1.0, j)": "literal digits",
    "SUBSTR(s, i)": "literal position",
    "SUBSTR(s, 1, i)": "literal length",
    "REGEXP_CONTAINS(s, p)": "literal",
    "REGEXP_EXTRACT(s, 'a', 2)": "position",
    "[1, 2][OFFSET(0)]": "SAFE_OFFSET",
    "[1, 2][SAFE_OFFSET(i)]": "SAFE_OFFSET",
    "[1, 2][SAFE_ORDINAL(1)]": "offset",
    "STRUCT(1 AS a).a": "STRUCT",
    "CAST(f AS NUMERIC) / 2": "NUMERIC",
    "SAFE_DIVIDE(SUM(CAST(f AS NUMERIC)), 2)": "NUMERIC",
    "CAST(f AS NUMERIC) * CAST(g AS NUMERIC)": "NUMERIC",
    "9223372036854775808": "INT64",
    # days and instants that hang on a zone, or on where a week begins
    "DATE(z)": "zone",
    "DATE(z, 'America/New_York')": "zone",
    "DATE(2024, 1, 2)": "Date",
    "EXTRACT(DAYOFWEEK FROM d)": "DAY, MONTH",
    "EXTRACT(HOUR FROM z)": "DAY, MONTH",
    "EXTRACT(DATE FROM z)": "DAY, MONTH",
    "DATE_TRUNC(d, WEEK)": "WEEK",
    "DATE_TRUNC(d, ISOWEEK)": "DAY, MONTH",
    "DATE_DIFF(d, e, WEEK)": "WEEK",
    "DATE_ADD(d, INTERVAL 1 WEEK)": "DAY, MONTH",
    "TIMESTAMP_DIFF(z, y, MILLISECOND)": "SECOND, MINUTE",
    "TIMESTAMP_TRUNC(z, DAY)": "TIMESTAMP_TRUNC",
    "TIMESTAMP_ADD(z, INTERVAL 1 HOUR)": "TIMESTAMP_ADD",
    "TIMESTAMP(s, 'UTC')": "zone",
    "PARSE_DATE('%Y%m%d', s)": "PARSE_DATE",
    "FORMAT_DATE('%Y', d)": "FORMAT_DATE",
    "UNIX_SECONDS(z)": "UNIX_SECONDS",
    "LAST_DAY(d)": "LAST_DAY",
    "DATETIME(z)": "DATETIME",
    # windows
    "SUM(i) OVER (ORDER BY d)": "window functions",
    "SUM(i) OVER ()": "window functions",
    "LAG(i) OVER (ORDER BY d)": "Lag",
    "COUNT(*) OVER (ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)": "Window",
    "COUNT(DISTINCT i, j)": "of one",
    "COUNTIF(DISTINCT b)": "COUNT(DISTINCT)",
    "SUM(DISTINCT i)": "COUNT(DISTINCT)",
}
STATEMENTS = {
    "SELECT i FROM t LIMIT 3": "LIMIT without ORDER BY",
    "SELECT i FROM t ORDER BY i LIMIT 3 OFFSET 1": "offset",
    "SELECT t.i FROM t JOIN u USING (i)": "using",
    "SELECT t.i FROM t JOIN u": "a join says ON",
    "SELECT * REPLACE (1 AS i) FROM t": "replace",
    "SELECT i FROM t EXCEPT DISTINCT SELECT i FROM u": "Except",
    "SELECT i FROM t INTERSECT DISTINCT SELECT i FROM u": "Intersect",
    "WITH RECURSIVE a AS (SELECT 1 AS i) SELECT i FROM a": "recursive",
    "SELECT i FROM t TABLESAMPLE SYSTEM (10 PERCENT)": "sample",
    "SELECT i FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01 00:00:00+00'": "",
    "SELECT i FROM t GROUP BY ALL": "all",
    "SELECT i FROM t GROUP BY ROLLUP(i)": "rollup",
    "SELECT AS VALUE i FROM t": "kind",
    "SELECT x FROM UNNEST([1]) AS x WITH OFFSET": "offset",
    "SELECT -i AS i, COUNT(*) AS c FROM t GROUP BY 1 HAVING i > 0": "alias",
    "SELECT -i AS i FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY i) = 1": "alias",
    "SELECT i FROM `project-x.LeadScoring.t`": "catalog",
    "SELECT i FROM INFORMATION_SCHEMA.TABLES PIVOT (SUM(i) FOR j IN (1))": "",
    "CREATE TABLE x AS SELECT 1 AS i": "Create",
    "DELETE FROM t WHERE TRUE": "Delete",
    "DROP TABLE t": "Drop",
    "SELECT 1; SELECT 2": "one statement",
    "": "one statement",
    "SELECT (": "cannot be translated",
    "DECLARE x INT64": "",
}


@pytest.mark.parametrize(("expression", "says"), REFUSED.items())
def test_expression_is_refused(expression: str, says: str) -> None:
    with pytest.raises(UsageError) as refusal:
        to_duckdb(f"SELECT {expression} AS answer FROM `LeadScoring.t`")
    assert says.lower() in str(refusal.value).lower()


@pytest.mark.parametrize(("sql", "says"), STATEMENTS.items())
def test_statement_is_refused(sql: str, says: str) -> None:
    with pytest.raises(UsageError) as refusal:
        to_duckdb(sql)
    assert says.lower() in str(refusal.value).lower()


def test_a_long_construct_is_shown_in_part() -> None:
    with pytest.raises(UsageError) as refusal:
        to_duckdb(f"SELECT AVG({' + '.join(['f'] * 100)}) AS x FROM t")
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("kind", ["FLOAT64", "NUMERIC", "STRING", "BOOL", "DATE"])
def test_a_sum_of_a_column_binds_for_int64_only(kind: str) -> None:
    table = {"t": Table({"x": kind})}
    with pytest.raises(duckdb.BinderException):
        run_duckdb("SELECT SUM(x) AS total FROM t", table, {})
    assert run_duckdb("SELECT SUM(x) AS total FROM t", {"t": Table({"x": "INT64"})}, {}).types == ("INT64",)
