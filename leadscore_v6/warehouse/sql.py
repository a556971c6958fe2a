"""Renders the shared GoogleSQL of `sql/`: names go in by the renderer, values never do (they are query parameters).

Belongs here: the strict renderer, and the check of every name that it puts into a statement. Does not belong here:
where `sql/` is (`paths.py`), what differs between the engines (`dialect.py`), running a statement (the engines).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import jinja2

from leadscore_v6.errors import UsageError
from leadscore_v6.paths import sql_root
from leadscore_v6.warehouse.dialect import to_duckdb

__all__ = ["column_identifier", "duckdb_text", "render", "sql_root", "table_identifier", "to_duckdb", "undated"]

# A table is dataset.table or project.dataset.table. A project may carry dashes (savvy-gtm-analytics); nothing else may.
_PROJECT = r"[a-z][a-z0-9-]{0,62}"
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,299}"
_TABLE = re.compile(rf"(?:{_PROJECT}\.)?{_NAME}\.{_NAME}")
_COLUMN = re.compile(_NAME)
_VARIABLE = re.compile(r"[a-z][a-z0-9_]*")
# The date in the name of a snapshot's table.
_DATE = re.compile(r"(?<=_)\d{8}(?=[_`\"])")
_NO_DATE = "00000000"


def table_identifier(name: str) -> str:
    """The back-quoted identifier of `dataset.table` or `project.dataset.table`; any other form is a UsageError."""
    if not isinstance(name, str) or not _TABLE.fullmatch(name):
        raise UsageError(f"not a table name of the form dataset.table or project.dataset.table: {name!r}")
    return f"`{name}`"


def undated(sql: str) -> tuple[str, str]:
    """A statement with the date of its snapshot's tables taken out, and that date.

    What is read off the text, its translation or its lineage, is then worked out once and not once for every date. A
    statement on tables of several dates, or of none, stays as it is.
    """
    dates = set(_DATE.findall(sql))
    if len(dates) != 1:
        return sql, _NO_DATE
    (date,) = dates
    return _DATE.sub(_NO_DATE, sql), date


@lru_cache(maxsize=64)
def _translated(sql: str) -> str:
    return to_duckdb(sql)


def duckdb_text(sql: str) -> str:
    """`to_duckdb`, once for all snapshot dates."""
    text, date = undated(sql)
    return _DATE.sub(date, _translated(text)) if date != _NO_DATE else _translated(text)


def column_identifier(name: str) -> str:
    """The back-quoted identifier of a column or dataset; any other form is a UsageError."""
    if not isinstance(name, str) or not _COLUMN.fullmatch(name):
        raise UsageError(f"not a column name (letters, digits, underscore; no digit first): {name!r}")
    return f"`{name}`"


def _names(variable: str, names: Iterable[str]) -> list[str]:
    """A list variable: all of them columns (`snapshot_at`), or all of them tables (`LeadScoring.snapshot_reps_...`)."""
    if isinstance(names, str):
        raise UsageError(f"{variable} must be a list of names, not one text")
    listed = list(names)
    if not listed:
        raise UsageError(f"{variable} is an empty list; an empty statement would be built")
    quote = table_identifier if "." in str(listed[0]) else column_identifier
    quoted = [quote(name) for name in listed]
    if len({name.lower() for name in quoted}) != len(quoted):
        raise UsageError(f"{variable} names something twice (names are compared without case)")
    return quoted


@lru_cache(maxsize=4)
def _environment(root: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    return environment


def render(
    template: str,
    tables: Mapping[str, str],
    columns: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """GoogleSQL of `template` (path below `sql/`) with its names filled in; `@name` parameters stay as they are.

    `tables` are the caller's table names by variable; `columns` the list variables: columns, or tables as the
    all-vintage views list them. Both arrive in the template as back-quoted identifiers, so that a template cannot
    place an unchecked text. Raises UsageError for a name that is not of the expected form, a variable that the
    template uses and nobody gave, and a template that is not there (architecture, rule 2).
    """
    variables: dict[str, str | list[str]] = {}
    for variable, name in tables.items():
        variables[variable] = table_identifier(name)
    for variable, names in (columns or {}).items():
        if variable in variables:
            raise UsageError(f"{variable} is given twice, as a table and as a list")
        variables[variable] = _names(variable, names)
    for variable in variables:
        if not _VARIABLE.fullmatch(variable):
            raise UsageError(f"not a template variable: {variable!r}")
    try:
        return _environment(str(sql_root())).get_template(template).render(variables)
    except jinja2.TemplateNotFound as error:
        raise UsageError(f"there is no SQL template {error}") from error
    except jinja2.UndefinedError as error:
        raise UsageError(f"{template}: {error}") from error
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(f"{error.filename}, line {error.lineno}: {error.message}") from error
