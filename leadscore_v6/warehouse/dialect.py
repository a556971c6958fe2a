"""GoogleSQL to DuckDB: the one place that knows where the two engines differ.

Belongs here: the part of GoogleSQL that is proven to mean the same on DuckDB, and the refusal of everything else.
Does not belong here: how a construct is written there (`rewrites.py`, `casts.py`), names and templates (`sql.py`).

sqlglot alone is not faithful: about a third of ordinary snippets gave another answer than Google's own engine. So
the translation is an allow-list. `_PROVEN` names every kind of node, and every argument of it, that has been held
against the reference engine (tests/warehouse/test_sql_dialect.py); what is not named is refused with its text.
Refused on purpose: AVG, and SUM of FLOAT64, whose last bits depend on the order of rows (R45); APPROX_*, ANY_VALUE,
CURRENT_*, RAND, LIMIT and ROW_NUMBER without an order, whose answer is not decided by the rows (R9).

What remains different and cannot be seen in a text: NaN (it equals itself in DuckDB and goes last), the sign of a zero
out of MIN and MAX, and a FLOAT64 that overflows (an error in GoogleSQL, inf here). Typing lets neither NaN nor numbers
near overflow into a table (R36); tests/sql sees to it for every case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from leadscore_v6.errors import UsageError
from leadscore_v6.warehouse import casts
from leadscore_v6.warehouse.rewrites import DuckDBWriter, refusal

# Node and the arguments it may carry. An argument that is absent, False or empty always passes.
_PROVEN: Mapping[type[exp.Expr], str] = {
    # statements
    exp.Select: "with_ expressions distinct from_ joins where group having qualify order limit",
    exp.Union: "with_ this expression distinct order",
    exp.Subquery: "this alias",
    exp.With: "expressions",
    exp.CTE: "this alias",
    exp.From: "this",
    exp.Table: "this db alias",
    exp.TableAlias: "this columns",
    exp.Join: "this on side kind",
    exp.Where: "this",
    exp.Group: "expressions",
    exp.Having: "this",
    exp.Qualify: "this",
    exp.Order: "this expressions",
    exp.Ordered: "this desc nulls_first",
    exp.Limit: "expression",
    exp.Unnest: "expressions alias",
    exp.Exists: "this",
    # names and values
    exp.Alias: "this alias",
    exp.Column: "this table",
    exp.Identifier: "this quoted",
    exp.Star: "except_",
    exp.Parameter: "this",
    exp.Literal: "this is_string",
    exp.RawString: "this",
    exp.Boolean: "this",
    exp.Null: "",
    exp.Var: "this",
    exp.DataType: "this",
    exp.Array: "expressions struct_name_inheritance",
    exp.ArraySize: "this",
    exp.Bracket: "this expressions safe",
    # logic and comparison
    exp.And: "this expression",
    exp.Or: "this expression",
    exp.Not: "this",
    exp.EQ: "this expression",
    exp.NEQ: "this expression",
    exp.GT: "this expression",
    exp.GTE: "this expression",
    exp.LT: "this expression",
    exp.LTE: "this expression",
    exp.Is: "this expression",
    exp.In: "this expressions query unnest",
    exp.Between: "this low high",
    exp.Paren: "this",
    exp.Case: "this ifs default",
    exp.If: "this true false",
    exp.Coalesce: "this expressions",
    exp.Nullif: "this expression",
    exp.Greatest: "this expressions",
    exp.Least: "this expressions",
    # numbers
    exp.Add: "this expression",
    exp.Sub: "this expression",
    exp.Mul: "this expression",
    exp.Div: "this expression",
    exp.SafeDivide: "this expression",
    exp.Neg: "this",
    exp.Abs: "this",
    exp.Floor: "this",
    exp.Round: "this decimals",
    exp.Mod: "this expression",
    exp.BitwiseAnd: "this expression",
    exp.BitwiseOr: "this expression",
    # text
    exp.Concat: "expressions safe",
    exp.DPipe: "this expression safe",
    exp.Length: "this binary",
    exp.Pad: "this expression fill_pattern is_left",
    exp.Substring: "this start length",
    exp.RegexpLike: "this expression",
    exp.RegexpExtract: "this expression group null_if_pos_overflow null_if_no_match",
    exp.RegexpReplace: "this expression replacement",
    # days and instants
    exp.Date: "this zone",
    exp.DateAdd: "this expression unit",
    exp.DateSub: "this expression unit",
    exp.DateDiff: "this expression unit date_part_boundary",
    exp.DateTrunc: "this unit",
    exp.Extract: "this expression",
    exp.Timestamp: "this with_tz",
    exp.TimestampDiff: "this expression unit",
    # types
    exp.Cast: "this to",
    exp.TryCast: "this to safe",
    # aggregates and windows
    exp.Count: "this big_int",
    exp.CountIf: "this",
    exp.Distinct: "expressions",
    exp.Sum: "this",
    exp.Min: "this",
    exp.Max: "this",
    exp.GroupConcat: "this separator",
    exp.ArrayAgg: "this",
    exp.Window: "this partition_by order over",
    exp.RowNumber: "",
}

# ---- what may be there ------------------------------------------------------------------------------------------


def _check(tree: exp.Expr) -> None:
    for node in tree.walk():
        allowed = _PROVEN.get(type(node))
        if allowed is None:
            raise refusal(node, f"{type(node).__name__} is not proven to mean the same there")
        for name, value in node.args.items():
            if value and name not in allowed.split():
                raise refusal(node, f"{type(node).__name__} with {name.strip('_')}")
        rule = _RULES.get(type(node))
        if rule is not None:
            rule(node)


def _ordered_limit(node: exp.Select) -> None:
    if node.args.get("limit") and not node.args.get("order"):
        raise refusal(node, "LIMIT without ORDER BY does not say which rows")


def _explicit_join(node: exp.Join) -> None:
    if node.kind != "CROSS" and not node.args.get("on"):
        raise refusal(node, "a join says ON, or CROSS JOIN")


def _ordered_rows(node: exp.Window) -> None:
    if isinstance(node.this, exp.RowNumber):
        if not node.args.get("order"):
            raise refusal(node, "ROW_NUMBER without ORDER BY does not say which row is first")
    elif not isinstance(node.this, (exp.Count, exp.CountIf, exp.Min, exp.Max)) or node.args.get("order"):
        raise refusal(node, "of window functions, only ROW_NUMBER with an order, and COUNT, MIN, MAX without one")


def _ordered_list(node: exp.Expr) -> None:
    inner = node.this
    if not isinstance(inner, exp.Order):
        raise refusal(node, "without ORDER BY the order of its elements is not decided")


def _literal_pattern(node: exp.Expr) -> None:
    pattern = node.expression
    if not isinstance(pattern, exp.RawString) and not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise refusal(node, "the pattern must be a literal")


def _one_distinct(node: exp.Distinct) -> None:
    if len(node.expressions) > 1 or not isinstance(node.parent, (exp.Select, exp.Count)):
        raise refusal(node, "SELECT DISTINCT, and COUNT(DISTINCT) of one expression only")


def _exact_sum(node: exp.Sum) -> None:
    if casts.kind(node.this) == "FLOAT64":
        raise refusal(node, "a sum of FLOAT64 depends on the order of rows; sum NUMERIC (R45)")


def _said_precedence(node: exp.Binary) -> None:
    other = exp.BitwiseOr if isinstance(node, exp.BitwiseAnd) else exp.BitwiseAnd
    if isinstance(node.this, other) or isinstance(node.expression, other):
        raise refusal(node, "& goes before | in GoogleSQL, not here: write the parentheses")


def _known_product(node: exp.Mul) -> None:
    if casts.kind(node) == "NUMERIC":
        raise refusal(node, "NUMERIC multiplies to more digits in DuckDB; cast to FLOAT64 first")


def _aliases(select: exp.Expr) -> dict[str, exp.Expr]:
    """What each alias of a SELECT list stands for, without those that only repeat a column's own name."""
    return {
        item.alias.lower(): item.this
        for item in select.expressions
        if isinstance(item, exp.Alias)
        and not (isinstance(item.this, exp.Column) and item.this.name.lower() == item.alias.lower())
    }


def _no_alias(node: exp.Expr) -> None:
    names = {column.name.lower() for column in node.find_all(exp.Column) if not column.table}
    if node.parent is not None and names & set(_aliases(node.parent)):
        raise refusal(node, "a name that is an alias here may mean the column to DuckDB: repeat the expression")


def _known_division(node: exp.Expr) -> None:
    if "NUMERIC" in (casts.kind(node.this), casts.kind(node.expression)):
        raise refusal(node, "NUMERIC divides otherwise in DuckDB; cast to FLOAT64 first")


def _safe_element(node: exp.Bracket) -> None:
    index = node.expressions[0]
    if not node.args.get("safe") or not (isinstance(index, exp.Literal) and index.is_int):
        raise refusal(node, "of an array only [SAFE_OFFSET(literal)]")


def _nonzero_modulus(node: exp.Mod) -> None:
    divisor = node.expression
    if not (isinstance(divisor, exp.Literal) and divisor.is_int and int(divisor.name)):
        raise refusal(node, "MOD by a literal integer other than 0 only")


_RULES: Mapping[type[exp.Expr], Callable[[Any], None]] = {
    exp.Select: _ordered_limit,
    exp.Join: _explicit_join,
    exp.Window: _ordered_rows,
    exp.Having: _no_alias,
    exp.Qualify: _no_alias,
    exp.BitwiseAnd: _said_precedence,
    exp.BitwiseOr: _said_precedence,
    exp.Mul: _known_product,
    exp.GroupConcat: _ordered_list,
    exp.ArrayAgg: _ordered_list,
    exp.RegexpLike: _literal_pattern,
    exp.RegexpExtract: _literal_pattern,
    exp.RegexpReplace: _literal_pattern,
    exp.Distinct: _one_distinct,
    exp.Sum: _exact_sum,
    exp.Div: _known_division,
    exp.SafeDivide: _known_division,
    exp.Bracket: _safe_element,
    exp.Mod: _nonzero_modulus,
}


def _group_by_what_aliases_mean(tree: exp.Expr) -> None:
    """In GROUP BY a name is first an alias to GoogleSQL, first a column to DuckDB: put what the alias stands for."""
    for group in tree.find_all(exp.Group):
        aliases = _aliases(group.parent) if group.parent is not None else {}
        for item in group.expressions:
            if isinstance(item, exp.Column) and not item.table and item.name.lower() in aliases:
                item.replace(aliases[item.name.lower()].copy())


def to_duckdb(googlesql: str) -> str:
    """The DuckDB text of one GoogleSQL query; `@p` becomes `$p`.

    The session must have TimeZone = 'UTC'. Raises UsageError, naming the construct, on anything outside the proven
    part of GoogleSQL, on text that does not parse, and on more than one statement.
    """
    try:
        statements = sqlglot.parse(googlesql, dialect="bigquery")
        if len(statements) != 1 or statements[0] is None:
            raise UsageError(f"one statement is translated at a time, not {len(statements)}")
        _check(statements[0])
        _group_by_what_aliases_mean(statements[0])
        writer = DuckDBWriter(
            dialect="duckdb", identify=True, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE
        )
        return writer.generate(statements[0])
    except sqlglot.errors.SqlglotError as error:
        raise UsageError(f"cannot be translated for DuckDB: {error}") from error
