"""The BigQuery emulator as a process of the tests' own: installed once, started on a free port, stopped.

Belongs here: its environment and its life. Does not belong here: what it lacks (`lacking.py`), faults (`proxy.py`).
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Beside the environment that runs the tests: a copy of the tree (tests/test_mutants.py) uses the checkout's.
CHECKOUT = Path(sys.prefix).parent
ENVIRONMENT = CHECKOUT / ".venv-emulator"
_SECONDS_TO_START = 60
_TRIES = 4
_NAMES = ("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR")


def installed() -> Path:
    """The environment, made by the make target that `make test` uses; one test worker makes it for all."""
    with (CHECKOUT / ".venv-emulator.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = subprocess.run(
            ["make", "--no-print-directory", ".venv-emulator/.ready"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert made.returncode == 0, f"the emulator cannot be installed:\n{made.stdout}{made.stderr}"
    return ENVIRONMENT


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """The address of a fresh emulator, `http://127.0.0.1:PORT`; what it says goes to a file in `folder`."""
    environment = installed()
    log = folder / "emulator.log"
    for _ in range(_TRIES - 1):
        # It gives itself ten seconds to start, which a machine that is busy just then may not have.
        process, address = _start(environment, log)
        if _answers(address, process):
            break
    else:
        process, address = _start(environment, log)
        assert _answers(address, process), f"the emulator did not start:\n{log.read_text()[-2000:]}"
    try:
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(environment: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    port, grpc_port = _free_ports()
    variables = {name: os.environ[name] for name in _NAMES if name in os.environ}
    command = ["start", "--rest-port", str(port), "--grpc-port", str(grpc_port), "--log-level", "warning"]
    with log.open("a") as output:
        process = subprocess.Popen(
            [str(environment / "bin" / "bqemulator"), *command],
            env={**variables, "HOME": str(environment / "home")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return process, f"http://127.0.0.1:{port}"


def _answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/bigquery/v2/projects/any/datasets", timeout=5):  # noqa: S310 - ours
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    process.kill()
    process.wait()
    return False


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
