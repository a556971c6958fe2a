"""Loads ZetaSQL from its WebAssembly build, analyses statements as BigQuery would, and evaluates them on given rows.

Belongs here: the process with the engine (load, cache, call). Does not belong here: values (`values.py`), tables
(`catalog.py`), the second engine (`compare.py`).

Compiling the module takes some 15-30 s, so the compiled code is kept once per machine, in the user's cache folder;
several test workers that start at once wait for the first one instead of compiling each for itself. ZetaSQL's own
Python client is not used: it copies byte by byte and compiles anew in each process.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import wasmtime
from zetasql.core.wasm_client import get_tzinfo_dir
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2 as analyzer_options
from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2 as catalogs
from zetasql.wasi._pb2.zetasql.public import options_pb2 as language
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_node_kind_pb2 as nodes

from tests.oracle.values import Rows, column_type, from_proto, to_proto, type_name

# What BigQuery has, as far as a query may need it. Features that are not listed are off, so that the reference
# refuses what BigQuery refuses (lateral aliases, FILTER, ...) and what this project's style does without (pipes).
# ENFORCE_CONDITIONAL_EVALUATION stays off: with it this build's evaluator fails on COALESCE of a NULL aggregate.
_FEATURES = """
    ANALYTIC_FUNCTIONS NUMERIC_TYPE BIGNUMERIC_TYPE INTERVAL_TYPE JSON_TYPE PARAMETERIZED_TYPES GROUP_BY_ROLLUP
    WITH_ON_SUBQUERY SELECT_STAR_EXCEPT_REPLACE ORDER_BY_IN_AGGREGATE LIMIT_IN_AGGREGATE HAVING_IN_AGGREGATE
    NULL_HANDLING_MODIFIER_IN_ANALYTIC NULL_HANDLING_MODIFIER_IN_AGGREGATE CIVIL_TIME SAFE_FUNCTION_CALL
    WEEK_WITH_WEEKDAY NULLS_FIRST_LAST_IN_ORDER_BY ALLOW_DASHES_IN_TABLE_NAME DECIMAL_ALIAS
    ALLOW_REGEXP_EXTRACT_OPTIONALS DATE_TIME_CONSTRUCTORS DATE_ARITHMETICS ADDITIONAL_STRING_FUNCTIONS
    EXTENDED_DATE_TIME_SIGNATURES IS_DISTINCT FORMAT_IN_CAST QUALIFY PIVOT UNPIVOT CAST_DIFFERENT_ARRAY_TYPES
    DISABLE_FLOAT32 GROUPING_BUILTIN GROUPING_SETS TABLESAMPLE DISALLOW_LEGACY_UNICODE_COLLATION
""".split()

# What the engines send besides queries, and what BigQuery has for it.
_STATEMENTS = "QUERY CREATE_TABLE_AS_SELECT CREATE_VIEW INSERT UPDATE MERGE DROP".split()
_STATEMENT_FEATURES = ("CREATE_TABLE_CLUSTER_BY",)

_LENGTH_BYTES = 4  # size_t of wasm32


class OracleError(Exception):
    """The reference engine refused a statement, or it failed on the rows; the text is ZetaSQL's own."""


@dataclass(frozen=True)
class Table:
    """A table of the catalog: its column types by name, as GoogleSQL spells them, in order."""

    columns: Mapping[str, str]


@dataclass(frozen=True)
class Output:
    """The rows of an evaluated statement, with the name and GoogleSQL type of each column."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Rows


def _cache_folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(given) if given else Path.home() / ".cache") / "leadscore-tests"
    # Native code will be loaded from here: nobody else may write into it.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _compiled(engine: wasmtime.Engine) -> wasmtime.Module:
    """The compiled module, from the cache if this machine has it; compiled by one process only."""
    source = Path(get_wasm_path())
    versions = f"{importlib.metadata.version('zetasql')}-{importlib.metadata.version('wasmtime')}"
    identity = f"{versions}-{platform.machine()}-{sys.platform}-{source.stat().st_size}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:20]
    cached = _cache_folder() / f"zetasql-{name}.cwasm"
    with cached.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if cached.exists():
            try:
                return wasmtime.Module.deserialize_file(engine, str(cached))
            except wasmtime.WasmtimeError:  # another CPU under the same home, or a torn file: compile again
                cached.unlink()
        module = wasmtime.Module.from_file(engine, str(source))
        partial = cached.with_suffix(f".{os.getpid()}")
        partial.write_bytes(module.serialize())
        os.replace(partial, cached)
        return module


class Reference:
    """One ZetaSQL process-in-process. Not thread safe."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.shared_memory = True
        engine = wasmtime.Engine(config)
        wasi = wasmtime.WasiConfig()
        wasi.inherit_stderr()
        zones = get_tzinfo_dir()
        if zones is None:
            raise OracleError("the package tzdata is missing; the reference cannot tell time zones")
        wasi.preopen_dir(zones, "/usr/share/zoneinfo")
        self._store = wasmtime.Store(engine)
        self._store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self._exports: Any = linker.instantiate(self._store, _compiled(engine)).exports(self._store)
        self._exports["_initialize"](self._store)
        self._memory = self._exports["memory"]
        self._catalog = b""
        self._catalog_id = 0

    def analyze(self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, str] | None = None) -> None:
        """Type-checks one statement against `tables`; raises OracleError with ZetaSQL's message."""
        request = service.AnalyzeRequest(sql_statement=sql, options=_options(parameters or {}))
        request.registered_catalog_id = self._registered(tables, {})
        self._call("Analyze", request, None)

    def accept(self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, str]) -> None:
        """Type-checks one statement of any kind that the engines send; raises OracleError with ZetaSQL's message."""
        request = service.AnalyzeRequest(sql_statement=sql, options=_options(parameters))
        spoken = request.options.language_options
        for name in _STATEMENTS:
            spoken.supported_statement_kinds.append(nodes.ResolvedNodeKind.Value(f"RESOLVED_{name}_STMT"))
        for name in _STATEMENT_FEATURES:
            spoken.enabled_language_features.append(language.LanguageFeature.Value(f"FEATURE_{name}"))
        request.registered_catalog_id = self._registered(tables, {})
        self._call("Analyze", request, None)

    def columns(self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, str]) -> Table:
        """Names and types of the columns of a query's answer."""
        request = service.PrepareQueryRequest(sql=sql, options=_options(parameters))
        request.registered_catalog_id = self._registered(tables, {})
        prepared = self._call("PrepareQuery", request, service.PrepareQueryResponse).prepared
        done = service.UnprepareQueryRequest(prepared_query_id=prepared.prepared_query_id)
        self._call("UnprepareQuery", done, None)
        return Table({column.name: type_name(column.type) for column in prepared.columns})

    def evaluate(
        self,
        sql: str,
        tables: Mapping[str, Table],
        rows: Mapping[str, Sequence[Sequence[Any]]],
        parameters: Mapping[str, tuple[str, Any]] | None = None,
    ) -> Output:
        """Runs one query: `rows` by table in column order, `parameters` as (GoogleSQL type, Python value).

        Raises OracleError when the statement is refused and when evaluation fails (as SAFE-less casts do).
        """
        given = parameters or {}
        options = _options({name: kind for name, (kind, _) in given.items()})
        request = service.PrepareQueryRequest(sql=sql, options=options)
        request.registered_catalog_id = self._registered(tables, rows)
        prepared = self._call("PrepareQuery", request, service.PrepareQueryResponse).prepared
        try:
            call = service.EvaluateQueryRequest(prepared_query_id=prepared.prepared_query_id)
            for name, (kind, value) in given.items():
                call.params.add(name=name, value=to_proto(kind, value))
            answer = self._call("EvaluateQuery", call, service.EvaluateQueryResponse)
        finally:
            done = service.UnprepareQueryRequest(prepared_query_id=prepared.prepared_query_id)
            self._call("UnprepareQuery", done, None)
        kinds = tuple(type_name(column.type) for column in prepared.columns)
        found = [
            tuple(from_proto(kind, cell) for kind, cell in zip(kinds, row.cell, strict=True))
            for row in answer.content.table_data.row
        ]
        return Output(tuple(column.name for column in prepared.columns), kinds, found)

    def _registered(self, tables: Mapping[str, Table], rows: Mapping[str, Sequence[Sequence[Any]]]) -> int:
        """The number under which the engine knows these tables. The last ones stay: a catalog takes it 40 ms."""
        request = service.RegisterCatalogRequest(simple_catalog=_catalog(tables))
        for name, table in tables.items():
            content = request.table_content[name].table_data
            content.SetInParent()  # a table without rows is a table still
            kinds = list(table.columns.values())
            for row in rows.get(name, ()):
                if len(row) != len(kinds):
                    raise ValueError(f"{name}: a row of {len(row)} values for {len(kinds)} columns")
                content.row.add().cell.extend(to_proto(kind, value) for kind, value in zip(kinds, row, strict=True))
        wanted = request.SerializeToString(deterministic=True)
        if wanted != self._catalog:
            if self._catalog:
                self._call("UnregisterCatalog", service.UnregisterRequest(registered_id=self._catalog_id), None)
            self._catalog = b""
            self._catalog_id = self._call("RegisterCatalog", request, service.RegisterResponse).registered_id
            self._catalog = wanted
        return self._catalog_id

    def _call(self, method: str, request: Any, response: Any) -> Any:
        sent = request.SerializeToString()
        store, exports = self._store, self._exports
        place = exports["wasm_malloc"](store, len(sent) + _LENGTH_BYTES)
        self._write(place + _LENGTH_BYTES, sent)
        try:
            answer = exports[f"ZetaSqlLocalService_{method}"](store, place + _LENGTH_BYTES, len(sent), place)
            if answer == 0:
                size = exports["wasm_get_last_error_size"](store)
                text = self._read(exports["wasm_get_last_error"](store), size)
                raise OracleError(text.decode("utf-8", "replace"))
            size = int.from_bytes(self._read(place, _LENGTH_BYTES), "little")
            received = self._read(answer, size)
            exports["wasm_free"](store, answer)
        finally:
            exports["wasm_free"](store, place)
        return None if response is None else response.FromString(received)

    def _write(self, place: int, data: bytes) -> None:
        ctypes.memmove(ctypes.addressof(self._memory.data_ptr().contents) + place, data, len(data))

    def _read(self, place: int, size: int) -> bytes:
        return ctypes.string_at(ctypes.addressof(self._memory.data_ptr().contents) + place, size)


@lru_cache(maxsize=1)
def reference() -> Reference:
    """The engine of this test process."""
    return Reference()


def _options(parameters: Mapping[str, str]) -> analyzer_options.AnalyzerOptionsProto:
    options = analyzer_options.AnalyzerOptionsProto(default_timezone="UTC")
    spoken = options.language_options
    spoken.product_mode = language.PRODUCT_EXTERNAL
    spoken.name_resolution_mode = language.NAME_RESOLUTION_DEFAULT
    spoken.enabled_language_features.extend(language.LanguageFeature.Value(f"FEATURE_{name}") for name in _FEATURES)
    for name, kind in parameters.items():
        options.query_parameters.add(name=name, type=column_type(kind))
    return options


def _catalog(tables: Mapping[str, Table]) -> catalogs.SimpleCatalogProto:
    catalog = catalogs.SimpleCatalogProto(name="catalog")
    catalog.builtin_function_options.language_options.CopyFrom(_options({}).language_options)
    for name, table in tables.items():
        made = catalog.table.add(name=name)
        for column, kind in table.columns.items():
            made.column.add(name=column, type=column_type(kind))
    return catalog
