"""`leadscore ui` as a process of its own, gone with all its children at the end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import REPOSITORY

STARTS_WITHIN = 180.0  # seconds, on a machine that is busy with other tests


@contextlib.contextmanager
def serving(home: Path, feed: Path, log: Path) -> Iterator[str]:
    """The UI's address once it knows its assets. What the server says is written to `log`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LEADSCORE_", "DAGSTER_"))}
    command = [sys.executable, "-m", "leadscore_v6.cli", "ui", "--home", home, "--data", feed, "--port", port]
    with log.open("w") as said:
        server = subprocess.Popen(
            [str(word) for word in command],
            cwd=REPOSITORY,
            env=inherited,
            stdout=said,
            stderr=said,
            start_new_session=True,  # so that the signal at the end reaches all its children
        )
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(server)


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    body = json.dumps({"query": "{ assetNodes { id } }"}).encode()
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        request = urllib.request.Request(f"{url}/graphql", body, {"content-type": "application/json"})  # noqa: S310
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(request, timeout=60) as answer,  # noqa: S310 - our own server on loopback
        ):
            if json.load(answer)["data"]["assetNodes"]:
                return
        time.sleep(0.5)
    pytest.fail(f"the UI did not come up:\n{log.read_text()}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ctrl-C for the whole group, and no mercy for what is still there after it."""
    for word, seconds in ((signal.SIGINT, 20), (signal.SIGKILL, 20)):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(server.pid, word)
            server.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
