"""CAST and SAFE_CAST of GoogleSQL, written so that DuckDB gives the same value, the same NULL, or an error.

Belongs here: one conversion per pair of types, and what can be told of an expression's type without a catalog.
Does not belong here: any other construct (`dialect.py`).

DuckDB's own casts are more lenient (`12.7`, `1e3`, `1_000` are integers to it, `2024/01/02` is a date) and round
otherwise, so text is first held against GoogleSQL's grammar: one RE2 pass, 40-50 ns a row. Where the type of an
expression cannot be told from its text, DuckDB gets a form that binds only for the types it is right for: a wrong
guess is a binder error, never another value. Each conversion has its test against the reference engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sqlglot import exp

from leadscore_v6.errors import UsageError

# The types of the project's tables, as GoogleSQL names them, with DuckDB's names for them.
DUCKDB_TYPES = {
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38, 9)",
    "STRING": "VARCHAR",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMPTZ",
}

# ---- what an expression's own text tells of its type ------------------------------------------------------------

_NUMBERS = ("INT64", "NUMERIC", "FLOAT64")  # each takes the ones before it in
_AS_ITS_ARGUMENTS = (exp.Coalesce, exp.Nullif, exp.Paren, exp.Neg, exp.Abs, exp.Max, exp.Min, exp.Sum)
_ALWAYS: dict[type[exp.Expr], str] = {
    exp.Count: "INT64",
    exp.CountIf: "INT64",
    exp.DateDiff: "INT64",
    exp.TimestampDiff: "INT64",
    exp.Extract: "INT64",
    exp.Length: "INT64",
    exp.RowNumber: "INT64",
    exp.SafeDivide: "FLOAT64",
    exp.Floor: "FLOAT64",
    exp.Round: "FLOAT64",
    exp.Div: "FLOAT64",
    exp.Concat: "STRING",
    exp.DPipe: "STRING",
    exp.Pad: "STRING",
    exp.Substring: "STRING",
    exp.RegexpExtract: "STRING",
    exp.RegexpReplace: "STRING",
    exp.RawString: "STRING",
    exp.Date: "DATE",
    exp.DateAdd: "DATE",
    exp.DateSub: "DATE",
    exp.DateTrunc: "DATE",
    exp.Boolean: "BOOL",
}


def cast_target(node: exp.Expr) -> str:
    """GoogleSQL's name of the type a cast goes to; UsageError for a type that no table of the project has."""
    name: str = node.args["to"].sql("bigquery").upper()
    if name not in DUCKDB_TYPES:
        raise UsageError(f"a cast to {name} is not translated for DuckDB")
    return name


def kind(node: exp.Expr) -> str | None:
    """GoogleSQL type of an expression as far as its own text tells; None for a column, a parameter and the rest."""
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return cast_target(node)
    if isinstance(node, exp.Literal):
        if node.is_string:
            return "STRING"
        return "INT64" if node.is_int else "FLOAT64"
    if isinstance(node, (exp.Case, exp.If)):
        return _common(_branches(node))
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        sides = {kind(node.this), kind(node.expression)}
        if "FLOAT64" in sides:  # what stands beside a float becomes one
            return "FLOAT64"
        return _widest(sides) if sides <= set(_NUMBERS) else None
    if isinstance(node, _AS_ITS_ARGUMENTS):
        return _common([node.this, *node.expressions])
    return _ALWAYS.get(type(node))


def _branches(node: exp.Case | exp.If) -> list[exp.Expr | None]:
    if isinstance(node, exp.If):
        return [node.args["true"], node.args.get("false")]
    return [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]


def _common(nodes: Iterable[exp.Expr | None]) -> str | None:
    """The type of several alternatives; NULL has none, and numbers widen."""
    kinds = {kind(node) for node in nodes if node is not None and not isinstance(node, exp.Null)}
    if len(kinds) > 1 and kinds <= set(_NUMBERS):
        return _widest(kinds)
    return kinds.pop() if len(kinds) == 1 else None


def _widest(kinds: set[str | None]) -> str:
    return max((name for name in kinds if name), key=_NUMBERS.index)


# ---- SAFE_CAST: text to a value ---------------------------------------------------------------------------------

_BLANKS = r"[\t-\r ]*"  # RE2's \s knows no vertical tab, GoogleSQL's casts do
_INTEGER = rf"{_BLANKS}[+-]?[0-9]+{_BLANKS}"
_HEXADECIMAL = rf" *[+-]?0[xX][0-9a-fA-F]+{_BLANKS}"
_DECIMAL = rf"{_BLANKS}[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_HOUR_AND_MINUTE = "(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]"
_CLOCK = rf"{_HOUR_AND_MINUTE}:[0-5]?[0-9](?:\.[0-9]{{1,6}})?"
_OFFSET = r"Z| UTC|[+-](?:0[0-9]|1[0-3])(?::?[0-5][0-9])?|[+-]14(?::?00)?"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, '{pattern}')"


def _refused(text: str, pattern: str, what: str) -> str:
    """The branch for text that GoogleSQL may read and this translation does not: the statement fails and says so."""
    return f"WHEN {_matches(text, pattern)} THEN error('SAFE_CAST of {what} is not translated for DuckDB')"


def _text_to_int64(text: str) -> str:
    # Hexadecimal integers are integers to GoogleSQL; before them it skips blanks, but no other white space.
    sign = f"CASE WHEN contains({text}, '-') THEN -1 ELSE 1 END"
    hexadecimal = f"TRY_CAST(regexp_extract({text}, '0[xX][0-9a-fA-F]+') AS HUGEINT)"
    return (
        f"CASE WHEN {_matches(text, _INTEGER)} THEN TRY_CAST({text} AS BIGINT) "
        f"WHEN {_matches(text, _HEXADECIMAL)} THEN TRY_CAST({sign} * {hexadecimal} AS BIGINT) END"
    )


def _text_to_float64(text: str) -> str:
    number = rf"{_DECIMAL}(?:[eE][+-]?[0-9]+)?{_BLANKS}|{_BLANKS}[+-]?(?i:nan|inf|infinity){_BLANKS}"
    hexadecimal = _refused(text, rf"{_BLANKS}[+-]?0[xX].*", "a hexadecimal text AS FLOAT64")
    return f"CASE WHEN {_matches(text, number)} THEN TRY_CAST({text} AS DOUBLE) {hexadecimal} END"


def _text_to_numeric(text: str) -> str:
    # With an exponent below -9 the reference answers 0, whatever digits stand before it.
    small = _refused(text, rf"{_DECIMAL}[eE]-0*[1-9][0-9]+{_BLANKS}", "a text with an exponent below -9 AS NUMERIC")
    number = rf"{_DECIMAL}(?:[eE](?:\+?[0-9]+|-0*[0-9]))?{_BLANKS}"
    return f"CASE WHEN {_matches(text, number)} THEN TRY_CAST({text} AS DECIMAL(38, 9)) {small} END"


def _text_to_date(text: str) -> str:
    return f"CASE WHEN {_matches(text, _DAY)} AND NOT starts_with({text}, '0000') THEN TRY_CAST({text} AS DATE) END"


def _text_to_timestamp(text: str) -> str:
    # The session's time zone is UTC on both engines, so a text without an offset is UTC (R37).
    instant = f"TRY_CAST({text} AS TIMESTAMPTZ)"
    years = f"{instant} BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'"
    proven = _matches(text, f"{_DAY}(?:[ T]{_CLOCK}(?:{_OFFSET})?)?")
    # Offsets of one digit, named zones, second 60, an offset after the day alone
    rest = rf"(?: ?[+-].*|[ Tt]{_HOUR_AND_MINUTE}:(?:[0-5]?[0-9]|60)(?:\.[0-9]{{1,6}})?(?:z| ?[A-Za-z+-].*)?)"
    other = _refused(text, f"{_DAY}{rest}", "this form of text AS TIMESTAMP")
    return f"CASE WHEN {proven} THEN CASE WHEN {years} THEN {instant} END {other} END"


def _text_to_bool(text: str) -> str:
    return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"


_FROM_TEXT: dict[str, Callable[[str], str]] = {
    "INT64": _text_to_int64,
    "FLOAT64": _text_to_float64,
    "NUMERIC": _text_to_numeric,
    "DATE": _text_to_date,
    "TIMESTAMP": _text_to_timestamp,
    "BOOL": _text_to_bool,
}


def safe_cast(node: exp.TryCast, value: str) -> str:
    """DuckDB's text of SAFE_CAST(value AS ...): from text to any type, from numbers to INT64."""
    target, source = cast_target(node), kind(node.this)
    if source in _NUMBERS and target == "INT64":
        return f"TRY_CAST(round({value}) AS BIGINT)"
    if source in (None, "STRING") and target in _FROM_TEXT:
        return _FROM_TEXT[target](value)
    raise UsageError(f"SAFE_CAST from {source or 'an unknown type'} to {target} is not translated for DuckDB")


# ---- CAST -------------------------------------------------------------------------------------------------------

_DATE_LITERAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP_LITERAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?\+00")


def _to_int64(value: str, source: str | None) -> str:
    # round() goes half away from zero, as GoogleSQL does, and binds for numbers only.
    return f"CAST({value} AS BIGINT)" if source == "BOOL" else f"CAST(round({value}) AS BIGINT)"


def _to_numeric(value: str, source: str | None) -> str:
    """DuckDB multiplies a double by 10^9 in floating point; here the whole part is exact, and so is a tie."""
    if source in ("INT64", "NUMERIC"):
        return f"CAST({value} AS DECIMAL(38, 9))"
    whole = f"CAST(CAST(trunc({value}) AS HUGEINT) AS DECIMAL(38, 9))"
    rest = f"CAST({value} - trunc({value}) AS DOUBLE)"
    near_a_tie = f"abs(abs({rest} * 1e9 - trunc({rest} * 1e9)) - 0.5e0) < 1e-6"
    in_digits = f"CAST(format('{{:.40f}}', {rest}) AS DECIMAL(38, 9))"
    return f"({whole} + CASE WHEN {near_a_tie} THEN {in_digits} ELSE CAST({rest} AS DECIMAL(38, 9)) END)"


def _to_string(value: str, source: str | None) -> str:
    if source in ("STRING", "INT64", "DATE", "BOOL"):
        return f"CAST({value} AS VARCHAR)"
    if source == "FLOAT64":  # 15 digits if they are enough to read the same number again, else 17; no -0
        short, long = f"printf('%.15g', {value})", f"printf('%.17g', {value})"
        return f"CASE WHEN {value} = 0 THEN '0' WHEN CAST({short} AS DOUBLE) = {value} THEN {short} ELSE {long} END"
    if source == "NUMERIC":
        return f"rtrim(rtrim(CAST({value} AS VARCHAR), '0'), '.')"
    refusal = "error('CAST AS STRING of a column that is no STRING, INT64, DATE or BOOL: cast it first')"
    known = f"typeof({value}) IN ('VARCHAR', 'BIGINT', 'INTEGER', 'DATE', 'BOOLEAN')"
    return f"CASE WHEN {known} THEN CAST({value} AS VARCHAR) ELSE {refusal} END"


def _literal(node: exp.Expr, target: str) -> str | None:
    """DATE '...', TIMESTAMP '...' and CAST(NULL AS ...); None for anything else."""
    if isinstance(node, exp.Null):
        return f"CAST(NULL AS {DUCKDB_TYPES[target]})"
    form = {"DATE": _DATE_LITERAL, "TIMESTAMP": _TIMESTAMP_LITERAL}.get(target)
    if form and isinstance(node, exp.Literal) and node.is_string:
        if not form.fullmatch(node.name):
            raise UsageError(f"{target} '{node.name}': write YYYY-MM-DD, or YYYY-MM-DD HH:MM:SS+00")
        return f"CAST('{node.name}' AS {DUCKDB_TYPES[target]})"
    return None


def cast(node: exp.Cast, value: str) -> str:
    """DuckDB's text of CAST(value AS ...) between numbers and to STRING; a literal DATE, TIMESTAMP or typed NULL."""
    target, source = cast_target(node), kind(node.this)
    literal = _literal(node.this, target)
    if literal is not None:
        return literal
    if target == "STRING":
        return _to_string(value, source)
    if target == "INT64" and source in (None, "BOOL", *_NUMBERS):
        return _to_int64(value, source)
    if target == "FLOAT64" and source in (None, *_NUMBERS):
        return f"CAST(+{value} AS DOUBLE)"  # the plus binds for numbers only
    if target == "NUMERIC" and source in (None, *_NUMBERS):
        return _to_numeric(value, source)
    if target == source:
        return f"CAST({value} AS {DUCKDB_TYPES[target]})"
    hint = "; for text say SAFE_CAST, for the day of a timestamp DATE(t, 'UTC')"
    raise UsageError(f"CAST from {source or 'an unknown type'} to {target} is not translated for DuckDB{hint}")
