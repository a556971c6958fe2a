"""Which source columns each column of a query comes from, read off the GoogleSQL itself.

Belongs here: lineage of one query. Does not belong here: showing it (assets/).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

Sources = tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)
def column_lineage(sql: str, assets: Sequence[str], columns: Sequence[str]) -> dict[str, Sources]:
    """For each of the query's output `columns`, the (asset, column) pairs that its expression reads.

    Followed through CTEs, subqueries, unions and stars; all arguments are tuples. A table belongs to the asset whose
    name it starts with (`snapshot_reps_20240107` to `snapshot_reps`); a table of no asset is left out. Columns that
    filter or join, but are not read by the expression, are not lineage.
    """
    scope = build_scope(sqlglot.parse_one(sql, read="bigquery"))
    if scope is None:
        return {}
    found: dict[str, Sources] = {}
    for name in columns:
        pairs = {
            (asset, column)
            for table, column in _Tracer().trace(scope, name)
            if (asset := _asset_of(table, assets)) is not None
        }
        found[name] = tuple(sorted(pairs))
    return found


class _Tracer:
    """Follows one column name down the scopes; each (scope, column) once."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, str]] = set()

    def trace(self, scope: Scope, name: str) -> set[tuple[str, str]]:
        if (id(scope), name.lower()) in self._seen:
            return set()
        self._seen.add((id(scope), name.lower()))
        if scope.set_operation_scopes:
            return set().union(*(self.trace(part, name) for part in scope.set_operation_scopes))
        projections = _query(scope).selects
        for projection in projections:
            if projection.alias_or_name.lower() == name.lower():
                return self._expression(scope, projection)
        if any(projection.is_star for projection in projections):
            return set().union(*(self._source(source, name) for _, source in scope.selected_sources.values()))
        return set()

    def _expression(self, scope: Scope, projection: exp.Expr) -> set[tuple[str, str]]:
        pairs: set[tuple[str, str]] = set()
        for column in projection.find_all(exp.Column):
            sources = scope.selected_sources
            named = [sources[column.table]] if column.table in sources else list(sources.values())
            for _, source in named:
                pairs |= self._source(source, column.name)
        return pairs

    def _source(self, source: Scope | exp.Table, name: str) -> set[tuple[str, str]]:
        return self.trace(source, name) if isinstance(source, Scope) else {(source.name, name)}


def _query(scope: Scope) -> exp.Query:
    assert isinstance(scope.expression, exp.Query), "a scope is a query's"
    return scope.expression


def _asset_of(table: str, assets: Sequence[str]) -> str | None:
    if re.fullmatch(r"snapshot_reps_\d{8}_raw", table):
        return "snapshot_reps_raw"
    return max((asset for asset in assets if table.startswith(asset)), key=len, default=None)
