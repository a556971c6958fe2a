"""Google's answers, made by hand after its REST reference: BigQuery v2, Cloud Storage v1, and the token service.

Belongs here: status codes, bodies, and who may do what. The real clients speak to it over HTTP.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from leadscore_v6.contracts import contract

LEGACY = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}


def fields(name: str) -> dict[str, str]:
    """Columns of a table that keeps a contract, with the type names that tables.get gives."""
    return {column.name: LEGACY.get(column.bq_type, column.bq_type) for column in contract(name).columns}


@dataclass
class Google:
    """One project: datasets by location, tables by columns, what is denied, and what was asked.

    denied: words; a request whose method and path, or whose SQL, holds one gets a 403. `granted` is what
    testIamPermissions finds.
    """

    datasets: dict[str, str] = field(default_factory=lambda: {"LeadScoring": "EU", "SavvyGTMData": "EU"})
    tables: dict[str, dict[str, str]] = field(
        default_factory=lambda: {
            "SavvyGTMData.Lead": fields("lead") | {"Email": "STRING"},
            "LeadScoring.attempt_ledger": {"seq": "INTEGER"},
            "LeadScoring.snapshot_reps_20240107": {"old": "STRING"},
            "LeadScoring.snapshot_reps_20240331": fields("reps"),
            "LeadScoring.snapshot_reps_20240331_raw": {"any": "STRING"},
            "LeadScoring.snapshot_firms_20240331": fields("firms"),
        }
    )
    granted: set[str] = field(
        default_factory=lambda: {
            *(f"bigquery.tables.{word}" for word in ("getData", "updateData", "update", "delete")),
            *(f"storage.objects.{word}" for word in ("list", "get", "create", "delete")),
        }
    )
    denied: set[str] = field(default_factory=set)
    fails_with: tuple[int, str] | None = None
    token: dict[str, Any] | None = field(default_factory=lambda: {"access_token": "t", "expires_in": 3600})
    asked: list[str] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body for a request."""
        url = urlsplit(unquote(path))
        self.asked.append(f"{method} {url.path}")
        if url.path == "/token":
            return (200, self.token) if self.token else (400, {"error": "invalid_grant", "error_description": "gone"})
        said = f"{method} {url.path} {body.decode(errors='replace')}"
        if self.fails_with:
            return _error(*self.fails_with)
        if any(word in said for word in self.denied):
            return _error(403, f"Access Denied: {url.path.rpartition('/projects/')[2]}: Permission denied")
        if url.path.startswith("/storage/v1/b/") and url.path.endswith("/iam/testPermissions"):
            return 200, {"permissions": [name for name in parse_qs(url.query)["permissions"] if name in self.granted]}
        return self._bigquery(method, url.path.partition("/projects/")[2].split("/"), body)

    def _bigquery(self, method: str, parts: list[str], body: bytes) -> tuple[int, dict[str, Any]]:
        match [method, *parts]:
            case ["POST", project, "jobs"]:
                return self._job(project, json.loads(body))
            case ["GET", project, "datasets", dataset] if dataset in self.datasets:
                reference = {"datasetId": dataset, "projectId": project}
                return 200, {"datasetReference": reference, "location": self.datasets[dataset]}
            case ["GET", project, "datasets", dataset, "tables"]:
                names = [name.partition(".")[2] for name in self.tables if name.startswith(f"{dataset}.")]
                return 200, {"tables": [_reference(project, dataset, name) for name in names]}
            case ["GET", project, "datasets", dataset, "tables", name] if f"{dataset}.{name}" in self.tables:
                columns = self.tables[f"{dataset}.{name}"].items()
                schema = {"fields": [{"name": column, "type": kind} for column, kind in columns]}
                return 200, _reference(project, dataset, name) | {"schema": schema}
            case ["POST", *_, last] if last.endswith(":testIamPermissions"):
                return 200, {"permissions": [name for name in json.loads(body)["permissions"] if name in self.granted]}
        return _error(404, f"Not found: {'/'.join(parts)}")

    def _job(self, project: str, job: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.jobs.append(job)
        reference = {"projectId": project, "jobId": "dry", "location": "EU"}
        return 200, job | {"jobReference": reference, "status": {"state": "DONE"}, "statistics": {"query": {}}}


def _reference(project: str, dataset: str, name: str) -> dict[str, Any]:
    return {"tableReference": {"projectId": project, "datasetId": dataset, "tableId": name}}


def _error(code: int, message: str) -> tuple[int, dict[str, Any]]:
    return code, {"error": {"code": code, "message": message, "errors": [{"reason": "made by hand"}]}}


@contextmanager
def serving(google: Google) -> Iterator[str]:
    """Answer at a local address, which is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            code, answer = google.answer(self.command, self.path, self.rfile.read(length))
            content = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name that http.server asks for

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def is_dry(job: dict[str, Any]) -> bool:
    """Whether a job was only to be looked at."""
    return job["configuration"].get("dryRun") is True


def table_names(sql: str) -> list[str]:
    """What a statement names between backquotes."""
    return re.findall(r"`([^`]+)`", sql)
