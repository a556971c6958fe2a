"""`dagster asset materialize` on a home, after `eval "$(leadscore env)"`: the same assets as the CLI's and the UI's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import AS_OF
from tests.e2e.process import REPOSITORY, leadscore

SCRIPT = """
eval "$("$PYTHON" -m leadscore_v6.cli env --home "$1")"
shift
exec "$PYTHON" -m dagster asset materialize -m leadscore_v6.definitions "$@"
"""
OPTIONS = json.dumps({"resources": {"options": {"config": {"as_of": AS_OF}}}})


def materialize(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As a person types it, in a shell; Dagster logs to stderr."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LEADSCORE_", "DAGSTER_"))}
    return subprocess.run(
        ["sh", "-c", SCRIPT, "sh", str(home), *arguments],
        cwd=REPOSITORY,
        env={**inherited, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def attempts(home: Path) -> set[str]:
    """Keys of all attempts that the ledger knows."""
    told = leadscore("status", "--home", home, "--all", "--json")
    return {line["attempt"] for line in json.loads(told.stdout)}


def test_everything_of_one_date_and_what_follows_from_it(home: Path) -> None:
    """A selection with a partition spans both kinds of assets in one run. Here all of it is there already."""
    before = attempts(home)
    # Up to the promoted view: no model can be trained on a world that small.
    given = ("--partition", "20240331", "--config-json", OPTIONS)
    done = materialize(home, "--select", "*v_latest_training_dataset_v6", *given)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("recognised, nothing built") == 12
    assert attempts(home) == before


@pytest.mark.prove
def test_everything_without_a_date_is_refused_by_dagster(home: Path) -> None:
    """Partitioned assets need a partition; the error names the option."""
    done = materialize(home, "--select", "*")
    assert done.returncode != 0
    assert "--partition" in done.stderr
