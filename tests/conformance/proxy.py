"""A proxy between Google's client and the emulator: it records what is sent, and breaks what it is told to.

It also keeps the one rule of BigQuery's that the emulator does not: a job's id is taken once, the second time gets 409.
And it answers dry runs: the emulator says 0 bytes of every statement, and takes as long as for running it. And it
remembers how a table is clustered, which the emulator does not.

Belongs here: HTTP, faults, records. Does not belong here: what a test expects of them.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_HOP_BY_HOP = {
    "connection",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "accept-encoding",
    "date",
    "server",
}
_CREATED = re.compile(r"CREATE OR REPLACE TABLE `(?P<name>[^`]+)`(?:\nCLUSTER BY (?P<fields>[^\n]+))?\s")
_REASONS = {500: "internalError", 503: "backendError", 429: "rateLimitExceeded"}


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose "METHOD path body" matches `match`.

    kind: "500", "503", "429", "403 reason" (answered so, not passed on); "reset" (the connection is cut, not passed
    on); "lost" (passed on, and the connection cut in place of the answer); "slow" (passed on after `seconds`); "bytes"
    (the dry run's answer says `seconds` bytes).
    """

    kind: str
    match: str
    times: int = 1
    seconds: float = 0
    met: int = 0


@dataclass
class Proxy:
    """What the tests see of it. `sent`: every request as (method, path, body), in order; jobs: ids seen, by count."""

    target: str
    faults: list[Fault] = field(default_factory=list)
    sent: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    resubmitted: list[str] = field(default_factory=list)
    uploads: dict[str, str] = field(default_factory=dict)
    clustered: dict[str, list[str]] = field(default_factory=dict)
    address: str = ""
    guard: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, kind: str, match: str, times: int = 1, seconds: float = 0) -> Fault:
        """Break the next matching requests."""
        made = Fault(kind, match, times, seconds)
        self.faults.append(made)
        return made

    def due(self, text: str) -> Fault | None:
        """The fault that this request meets."""
        with self.guard:
            for fault in self.faults:
                if fault.met < fault.times and re.search(fault.match, text, re.DOTALL):
                    fault.met += 1
                    return fault
        return None

    def queries(self) -> list[dict[str, Any]]:
        """Configurations of the query jobs that were submitted, dry runs left out."""
        return [
            body["configuration"]
            for method, path, body in self.sent
            if method == "POST"
            and path.endswith("/jobs")
            and "query" in body.get("configuration", {})
            and not body["configuration"].get("dryRun")
        ]


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """A proxy before the emulator at `target`, on a free port of the loopback."""
    made = Proxy(target)

    class Handler(_Handler):
        state = made

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Proxy

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        body = _json(content)
        with self.state.guard:
            self.state.sent.append((self.command, path, body))
        fault = self.state.due(f"{self.command} {self.path} {content[:20000].decode('utf-8', 'replace')}")
        if fault is not None and self._broken(fault):
            return
        job = _job_id(body)
        if job is not None and self._taken(job):
            self._error(409, "duplicate", f"Already Exists: Job {job}")
            return
        status, headers, answer = _dry_run(body) if _is_dry(body) else self._passed_on(content)
        if job is not None and status < 400:
            self._take(job, headers)
        if status < 400 and not _is_dry(body):
            with self.state.guard:
                _note_clustering(self.state.clustered, self.command, path, body)
        answer = self._with_clustering(path, self._renamed(answer))
        if fault is not None and fault.kind == "lost":
            self._cut()
        elif fault is not None and fault.kind == "bytes":
            self._answer(status, headers, _with_bytes(answer, int(fault.seconds)))
        else:
            self._answer(status, headers, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815 - http.server's names

    def _broken(self, fault: Fault) -> bool:
        if fault.kind in ("lost", "bytes"):
            return False
        if fault.kind == "slow":
            time.sleep(fault.seconds)
            return False
        if fault.kind == "reset":
            self._cut()
        else:
            status, _, reason = fault.kind.partition(" ")
            self._error(int(status), reason or _REASONS[int(status)], "broken on purpose")
        return True

    def _taken(self, job: str) -> bool:
        with self.state.guard:
            if job in self.state.taken:
                self.state.resubmitted.append(job)
                return True
        return False

    def _take(self, job: str, headers: Mapping[str, str]) -> None:
        upload = headers.get("X-GUploader-UploadID") or headers.get("x-guploader-uploadid")
        with self.state.guard:
            if upload:  # the job begins when its last byte has come
                self.state.uploads[upload] = job
            else:
                self.state.taken[job] = job

    def _passed_on(self, content: bytes) -> tuple[int, dict[str, str], bytes]:
        path = self.path
        with self.state.guard:
            for ours, theirs in self.state.taken.items():
                if ours != theirs:
                    path = path.replace(ours, theirs)
        connection = http.client.HTTPConnection(urlsplit(self.state.target).netloc, timeout=120)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection.request(self.command, path, content, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), answer

    def _renamed(self, answer: bytes) -> bytes:
        """An upload's job under the id that it was submitted with: the emulator gives it one of its own."""
        upload = re.search(r"upload_id=([\w-]+)", self.path)
        with self.state.guard:
            ours = self.state.uploads.get(upload.group(1)) if upload else None
            theirs = _json(answer).get("jobReference", {}).get("jobId")
            if ours and theirs:
                self.state.taken[ours] = theirs
            for ours_, theirs_ in self.state.taken.items():
                if ours_ != theirs_:
                    answer = answer.replace(theirs_.encode(), ours_.encode())
        return answer

    def _with_clustering(self, path: str, answer: bytes) -> bytes:
        """What tables.get and tables.patch tell, with the clustering of the table."""
        table = _json(answer) if _place(path) in self.state.clustered else {}
        if "schema" not in table:
            return answer
        fields = self.state.clustered[_place(path)]
        told = {name: said for name, said in table.items() if name != "clustering"}
        return json.dumps({**told, "clustering": {"fields": fields}} if fields else told).encode()

    def _answer(self, status: int, headers: Mapping[str, str], answer: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _error(self, status: int, reason: str, message: str) -> None:
        error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
        self._answer(status, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode())

    def _cut(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _note_clustering(known: dict[str, list[str]], method: str, path: str, body: Mapping[str, Any]) -> None:
    """Keep what a request that went well says of a table's clustering, in words or in its statement."""
    configuration = body.get("configuration", {})
    if "load" in configuration:
        made, clustering = configuration["load"]["destinationTable"], configuration["load"].get("clustering")
    elif "copy" in configuration:
        copied = configuration["copy"]
        source = copied.get("sourceTable") or copied["sourceTables"][0]
        made, clustering = copied["destinationTable"], {"fields": known.get(_placed(source))}
    elif "query" in configuration and (created := _CREATED.match(configuration["query"]["query"])):
        dataset, table = created["name"].split(".")
        made = {"projectId": _place(path).partition("/")[0], "datasetId": dataset, "tableId": table}
        clustering = {"fields": re.findall(r"`(\w+)`", created["fields"] or "")}
    elif "tableReference" in body and method == "POST":
        made, clustering = body["tableReference"], body.get("clustering")
    elif "clustering" in body and method == "PATCH":
        project, _, dataset, _, table = _place(path).split("/")
        made, clustering = {"projectId": project, "datasetId": dataset, "tableId": table}, body["clustering"]
    else:
        return
    known[_placed(made)] = (clustering or {}).get("fields") or []


def _place(path: str) -> str:
    return path.partition("/projects/")[2]


def _placed(table: Mapping[str, str]) -> str:
    return f"{table['projectId']}/datasets/{table['datasetId']}/tables/{table['tableId']}"


def _is_dry(body: Mapping[str, Any]) -> bool:
    return bool(body.get("configuration", {}).get("dryRun"))


def _dry_run(body: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """The emulator's answer to any dry run, without the time that it takes over it."""
    statistics = {"totalBytesProcessed": "0", "query": {"totalBytesProcessed": "0"}}
    job = {"kind": "bigquery#job", **body, "status": {"state": "DONE"}, "statistics": statistics}
    return 200, {"Content-Type": "application/json"}, json.dumps(job).encode()


def _job_id(body: Mapping[str, Any]) -> str | None:
    if _is_dry(body):
        return None
    found: str | None = body.get("jobReference", {}).get("jobId")
    return found


def _with_bytes(answer: bytes, count: int) -> bytes:
    job = json.loads(answer)
    job["statistics"]["totalBytesProcessed"] = str(count)
    job["statistics"].setdefault("query", {})["totalBytesProcessed"] = str(count)
    return json.dumps(job).encode()
