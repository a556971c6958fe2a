"""How each construct of GoogleSQL is written for DuckDB, where sqlglot's own writing is not faithful.

Belongs here: the text of one construct at a time. Does not belong here: which constructs are admitted at all
(`dialect.py`), and casts (`casts.py`). Each rewrite has its test against the reference engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.generators.duckdb import DuckDBGenerator

from leadscore_v6.errors import UsageError
from leadscore_v6.warehouse import casts

_UNITS_OF_DATES = ("DAY", "MONTH", "QUARTER", "YEAR")  # weeks begin on another day in DuckDB
_MICROSECONDS = {"SECOND": 10**6, "MINUTE": 60 * 10**6, "HOUR": 3600 * 10**6, "DAY": 86400 * 10**6}
_LARGEST_INT64 = 2**63 - 1
_MOST_DIGITS_ROUNDED_TO = 9
_FROM_HERE_ON_WHOLE = 2**52  # a double of this size has no digits after the point

Write = Callable[[Any, Any], str]


def refusal(node: exp.Expr, why: str) -> UsageError:
    """The error for a construct that has no faithful translation; it shows the construct and the reason."""
    text = node.sql("bigquery", comments=False)
    shown = text if len(text) <= 80 else f"{text[:80]}…"
    return UsageError(f"not translated for DuckDB: {shown} ({why})")


# Beside these, an integer literal takes the other side's type by itself; elsewhere DuckDB would make it 32 bits wide.
_PLAIN_INTEGER_IN = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.BitwiseAnd, exp.BitwiseOr),
    # ... and here DuckDB wants a small one
    *(exp.Ordered, exp.Group, exp.Limit, exp.Pad, exp.Substring, exp.Round, exp.Mod, exp.Bracket),
)


def _literal(generator: Any, node: exp.Literal) -> str:
    if node.is_string:
        return str(generator.literal_sql(node))
    if not node.is_int:
        # DuckDB reads 0.5 as a DECIMAL; an exponent makes it the double that it is in GoogleSQL
        return node.name if re.search("[eE]", node.name) else f"{node.name}e0"
    if int(node.name) > _LARGEST_INT64:
        raise refusal(node, "no INT64")
    return node.name if isinstance(node.parent, _PLAIN_INTEGER_IN) else f"CAST({node.name} AS BIGINT)"


def _operand(generator: Any, node: exp.Expr, name: str) -> str:
    """An argument's text that may stand beside an operator."""
    argument, text = node.args[name], str(generator.sql(node, name))
    bare = isinstance(argument, (exp.Binary, exp.Unary, exp.Between, exp.In)) and not isinstance(argument, exp.Paren)
    return f"({text})" if bare else text


def _sum(generator: Any, node: exp.Sum) -> str:
    value = _operand(generator, node, "this")
    if casts.kind(node.this) == "NUMERIC":
        return f"SUM({value})"
    # | binds for integers only: a sum of anything else, a column of FLOAT64 say, is refused by DuckDB (R45)
    return f"CAST(SUM({value} | 0) AS BIGINT)"


def _division(generator: Any, node: exp.Div) -> str:
    above, below = _operand(generator, node, "this"), _operand(generator, node, "expression")
    zero = f"{below} = 0 AND {above} IS NOT NULL"
    return f"CASE WHEN {zero} THEN error('division by zero') ELSE {above} / NULLIF({below}, 0) END"


def _safe_division(generator: Any, node: exp.SafeDivide) -> str:
    above, below = _operand(generator, node, "this"), _operand(generator, node, "expression")
    quotient = f"{above} / NULLIF({below}, 0)"
    return f"CASE WHEN NOT isinf({quotient}) OR isinf(CAST({above} AS DOUBLE)) THEN {quotient} END"


def _as_float(generator: Any, node: exp.Expr) -> str:
    """The argument as a FLOAT64, which is what GoogleSQL rounds; the plus binds for numbers only."""
    if casts.kind(node.this) == "NUMERIC":
        raise refusal(node, "of FLOAT64 and INT64 only")
    return f"CAST(+{_operand(generator, node, 'this')} AS DOUBLE)"


def _round(generator: Any, node: exp.Round) -> str:
    value, digits = _as_float(generator, node), node.args.get("decimals")
    if digits is None:
        return f"round({value})"
    if not (isinstance(digits, exp.Literal) and digits.is_int and int(digits.name) <= _MOST_DIGITS_ROUNDED_TO):
        raise refusal(node, f"ROUND to 0 to {_MOST_DIGITS_ROUNDED_TO} literal digits only")
    # By the number's decimal digits, as GoogleSQL does; DuckDB's round() multiplies in floating point
    exact = f"CAST(CAST(format('{{:.40f}}', abs({value})) AS DECIMAL(38, {digits.name})) AS DOUBLE)"
    signed = f"CASE WHEN signbit({value}) THEN -1e0 ELSE 1e0 END * {exact}"
    return f"CASE WHEN abs({value}) < {_FROM_HERE_ON_WHOLE} THEN {signed} ELSE {value} END"


def _pad(generator: Any, node: exp.Pad) -> str:
    width = node.expression
    if not (isinstance(width, exp.Literal) and width.is_int):
        raise refusal(node, "a literal width only")
    return str(generator.pad_sql(node))


def _substring(generator: Any, node: exp.Substring) -> str:
    text, length = generator.sql(node, "this"), node.args.get("length")
    if length is not None and not (isinstance(length, exp.Literal) and length.is_int):
        raise refusal(node, "SUBSTR with a literal length only")
    tail = "" if length is None else f", {length.name}"
    start = node.args["start"]
    if isinstance(start, exp.Literal) and start.is_int:
        return f"substring({text}, {max(int(start.name), 1)}{tail})"
    if not (isinstance(start, exp.Neg) and isinstance(start.this, exp.Literal) and start.this.is_int):
        raise refusal(node, "SUBSTR with a literal position only")
    back = int(start.this.name)  # counted from the end; before the beginning means from the beginning
    return f"substring({text}, greatest(length({text}) - {back - 1}, 1){tail})"


def _date_unit(node: exp.Expr) -> str:
    unit = node.text("unit").upper()
    if unit not in _UNITS_OF_DATES:
        raise refusal(node, f"units of dates are {', '.join(_UNITS_OF_DATES)}")
    return unit


def _date_shift(sign: str) -> Write:
    def write(generator: Any, node: exp.Expr) -> str:
        day, unit = _operand(generator, node, "this"), _date_unit(node)
        amount = f"CAST({generator.sql(node, 'expression')} AS INTEGER)"
        if unit == "DAY":
            return f"({day} {sign} {amount})"
        return f"CAST({day} {sign} {amount} * INTERVAL 1 {unit} AS DATE)"

    return write


def _date_diff(generator: Any, node: exp.DateDiff) -> str:
    later, earlier = generator.sql(node, "this"), generator.sql(node, "expression")
    return f"date_diff('{_date_unit(node).lower()}', {earlier}, {later})"


def _timestamp_diff(generator: Any, node: exp.TimestampDiff) -> str:
    unit = node.text("unit").upper()
    if unit not in _MICROSECONDS:
        raise refusal(node, f"units of instants are {', '.join(_MICROSECONDS)}")
    between = f"epoch_us({generator.sql(node, 'this')}) - epoch_us({generator.sql(node, 'expression')})"
    return f"(({between}) // {_MICROSECONDS[unit]})"  # whole intervals, toward zero


def _date(generator: Any, node: exp.Date) -> str:
    zone = node.args.get("zone")
    if zone is None or zone.name != "UTC":
        raise refusal(node, "DATE(timestamp, 'UTC') only: the day of an instant depends on the zone (R37)")
    return f"CAST({_operand(generator, node, 'this')} AT TIME ZONE 'UTC' AS DATE)"


def _extract(generator: Any, node: exp.Extract) -> str:
    unit = node.name.upper()
    if unit not in _UNITS_OF_DATES:
        raise refusal(node, f"of a date only {', '.join(_UNITS_OF_DATES)}")
    return f"date_part('{unit.lower()}', {generator.sql(node, 'expression')})"


def _ordered(generator: Any, node: exp.Ordered) -> str:
    direction = "DESC" if node.args.get("desc") else "ASC"
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{generator.sql(node, 'this')} {direction} NULLS {nulls}"


_NO_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?!\?)|\(\?P?<")


def _regexp_extract(generator: Any, node: exp.RegexpExtract) -> str:
    # regexp_extract() answers '' where nothing matches; the first of all matches is NULL there, as in GoogleSQL
    text, pattern = generator.sql(node, "this"), generator.sql(node, "expression")
    groups = len(_GROUP.findall(_NO_GROUP.sub("x", node.expression.name)))
    if groups > 1 or r"\Q" in node.expression.name:
        raise refusal(node, "of a pattern with one group at most, and without \\Q")
    return f"regexp_extract_all({text}, {pattern}, {groups})[1]"


def _in_parentheses(operator: str) -> Write:
    # GoogleSQL ranks & over |, DuckDB ranks them alike
    return lambda generator, node: (
        f"({_operand(generator, node, 'this')} {operator} {_operand(generator, node, 'expression')})"
    )


class DuckDBWriter(DuckDBGenerator):
    """sqlglot's writer for DuckDB, with the constructs that it does not write faithfully written here."""

    TRANSFORMS: ClassVar = {
        **DuckDBGenerator.TRANSFORMS,
        exp.BitwiseAnd: _in_parentheses("&"),
        exp.BitwiseOr: _in_parentheses("|"),
        exp.Cast: lambda self, node: casts.cast(node, _operand(self, node, "this")),
        exp.CountIf: lambda self, node: f"COUNT(CASE WHEN {self.sql(node, 'this')} THEN 1 END)",
        exp.Date: _date,
        exp.DateAdd: _date_shift("+"),
        exp.DateDiff: _date_diff,
        exp.DateSub: _date_shift("-"),
        exp.DateTrunc: lambda self, node: (
            f"CAST(date_trunc('{_date_unit(node).lower()}', {self.sql(node, 'this')}) AS DATE)"
        ),
        exp.Div: _division,
        exp.Extract: _extract,
        exp.Floor: lambda self, node: f"floor({_as_float(self, node)})",
        exp.Length: lambda self, node: f"length({self.sql(node, 'this')})",
        exp.Literal: _literal,
        exp.Ordered: _ordered,
        exp.Pad: _pad,
        exp.RegexpExtract: _regexp_extract,
        exp.Round: _round,
        exp.SafeDivide: _safe_division,
        exp.Substring: _substring,
        exp.Sum: _sum,
        exp.Timestamp: lambda self, node: f"(({_operand(self, node, 'this')} + INTERVAL 0 DAY) AT TIME ZONE 'UTC')",
        exp.TimestampDiff: _timestamp_diff,
        exp.TryCast: lambda self, node: casts.safe_cast(node, _operand(self, node, "this")),
    }
