"""The command line in a process of its own, as a user runs it, without loading Dagster and pandas anew each time.

A server that has loaded the libraries, and nothing of ours, is forked for each command: our modules are imported anew,
environment, folder, streams and exit code are the command's own. Half of what a small command costs is those imports.

What an interpreter of its own would add is a hash seed of its own: where two runs must give the same bytes, run the
second with `in_an_own_interpreter`.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SECONDS = 900  # also where other work has most of the machine
_MODULE = "leadscore_v6.cli"
Command = Callable[..., subprocess.CompletedProcess[str]]
# Loaded, and not used: no thread is started before the fork.
_LIBRARIES = (
    "dagster._core.execution.execute_in_process",
    "duckdb",
    "google.cloud.bigquery",
    "jsonschema",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "pandas",
    "scipy.stats",
    "sklearn.compose",
    "sklearn.impute",
    "sklearn.linear_model",
    "sqlglot.dialects.bigquery",
    "sqlglot.dialects.duckdb",
    "xgboost",
)


def leadscore(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """`leadscore ARGUMENTS`, with nothing inherited from this test run's settings."""
    if sys.platform != "linux":  # macOS's own libraries may be called once only after a fork
        return in_an_own_interpreter(*arguments, **environment)
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdout", "stderr")]
        process = _server().Process(target=_command, args=(words, _environment(environment), streams))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, SECONDS, *(stream.read_bytes() for stream in streams))
        said = [stream.read_text(encoding="utf-8") for stream in streams]
    return subprocess.CompletedProcess(words, process.exitcode, *said)


def in_an_own_interpreter(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same, in a Python that was started for it."""
    return subprocess.run(
        [sys.executable, "-m", _MODULE, *map(str, arguments)],
        cwd=REPOSITORY,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LEADSCORE_", "DAGSTER_"))}
    return {**inherited, **more}


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_LIBRARIES))
    return context


def _command(words: Sequence[str], environment: Mapping[str, str], streams: Sequence[Path]) -> None:
    """In the new process: become the command. Ends as an interpreter does, with what was registered for its end."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(REPOSITORY)
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    sys.argv = ["leadscore", *words]
    try:
        runpy.run_module(_MODULE, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
