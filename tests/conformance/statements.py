"""Every statement that went over the wire, judged by the reference engine in the order in which it was sent.

Belongs here: the catalog, kept as BigQuery would keep it: each load, copy and CREATE adds what it makes. Does not
belong here: sending. Nothing is read from our own code or contracts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.reference import OracleError, Table, reference

_LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_VIEWS = Table({"table_name": "STRING", "view_definition": "STRING"})
_CREATES = re.compile(
    r"CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?`(?P<name>[^`]+)`"
    r"(?:\nCLUSTER BY [^\n]+)?\sAS\s(?P<select>.*)",
    re.DOTALL,
)
Sent = tuple[str, str, Mapping[str, Any]]


@dataclass
class Judged:
    """refused: what the reference says against a statement, in words. kinds: the first words of all that were sent."""

    refused: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    catalog: dict[str, Table] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, body: Mapping[str, Any]) -> None:
        """One request that makes or reads something."""
        configuration = body.get("configuration", {})
        if "load" in configuration:
            self.catalog[_name(configuration["load"]["destinationTable"])] = _table(configuration["load"]["schema"])
        elif "copy" in configuration:
            copy = configuration["copy"]
            source = copy.get("sourceTable") or copy["sourceTables"][0]
            self.catalog[_name(copy["destinationTable"])] = self.catalog[_name(source)]
        elif "tableReference" in body and "schema" in body:
            self.catalog.setdefault(_name(body["tableReference"]), _table(body["schema"]))
        elif "query" in configuration:
            self._judge(configuration["query"])

    def _judge(self, query: Mapping[str, Any]) -> None:
        sql = query["query"]
        words = sql.split()
        self.kinds.add(" ".join(words[: 2 if words[0] in ("CREATE", "DROP") else 1]))
        # The same text means the same until a table in it changes its columns, which none of ours does.
        if sql in self.seen:
            return
        self.seen.add(sql)
        parameters = {given["name"]: _kind(given["parameterType"]) for given in query.get("queryParameters", [])}
        tables = {name: table for name, table in self.catalog.items() if f"`{name}`" in sql}
        tables |= dict.fromkeys(re.findall(r"`(\w+\.INFORMATION_SCHEMA\.VIEWS)`", sql), _VIEWS)
        try:
            reference().accept(sql, tables, parameters)
            created = _CREATES.match(sql)
            if created:
                self.catalog[created["name"]] = reference().columns(created["select"], tables, parameters)
        except OracleError as error:
            self.refused.append(f"{error}\n{sql[:300]}")


def judged(sent: Iterable[Sent], project: str) -> Judged:
    """The requests of one project, each statement judged on what was there when it was sent."""
    found = Judged()
    for method, path, body in sent:
        if method == "POST" and f"/projects/{project}/" in path:
            found.take(body)
    return found


def _name(reference_: Mapping[str, str]) -> str:
    return f"{reference_['datasetId']}.{reference_['tableId']}"


def _table(schema: Mapping[str, Any]) -> Table:
    return Table({field["name"]: _LEGACY.get(field["type"], field["type"]) for field in schema["fields"]})


def _kind(kind: Mapping[str, Any]) -> str:
    if kind["type"] == "ARRAY":
        return f"ARRAY<{_kind(kind['arrayType'])}>"
    if kind["type"] == "STRUCT":
        parts = [(part["name"], _kind(part["type"])) for part in kind["structTypes"]]
        return f"STRUCT<{', '.join(f'{name} {inner}' for name, inner in parts)}>"
    return str(kind["type"])
