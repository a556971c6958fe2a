"""`leadscore doctor` as a user runs it: on a finished home, on a spoiled one, on a machine without credentials."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from leadscore_v6.warehouse.lease import Lease
from tests.e2e.process import leadscore

# What google-auth spends on a machine that is not Google's, where the test is not about that.
ONE_PING = {"GCE_METADATA_TIMEOUT": "1", "GCE_METADATA_DETECT_RETRIES": "1"}
GOOGLE = ("GOOGLE_", "CLOUDSDK_", "BIGQUERY_", "STORAGE_", "GCE_", "NO_GCE_CHECK")


def examined(ran: subprocess.CompletedProcess[str]) -> dict[str, dict[str, str]]:
    return {finding["check"]: finding for finding in json.loads(ran.stdout)}


def states(home: Path, feed: Path, *arguments: str) -> dict[str, str]:
    """Exit code as `exit`, and the state of each check."""
    ran = leadscore("doctor", "--home", home, "--data", feed, "--json", *arguments)
    found = {check: finding["state"] for check, finding in examined(ran).items()}
    assert ran.returncode == (2 if "missing" in found.values() else 0)
    return found


def contents(home: Path) -> dict[str, tuple[int, int]]:
    files = [path for path in home.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


def test_a_finished_home_is_well_and_looking_changes_nothing(home: Path, feed: Path) -> None:
    before = contents(home)
    ran = leadscore("doctor", "--home", home, "--data", feed)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.endswith("All is there.\n")
    for said in ("lease", "free", "the mirror agrees", "snapshot_reps_20240331: ", "SavvyGTMData.Lead: "):
        assert said in ran.stdout
    assert contents(home) == before


def test_a_home_that_is_not_there_yet_is_not_made(tmp_path: Path, feed: Path) -> None:
    assert set(states(tmp_path / "home", feed).values()) == {"ok"}
    assert not (tmp_path / "home").exists()


def test_a_mirror_that_lags_is_found_and_the_next_run_mends_it(home: Path, feed: Path) -> None:
    mirror = home / "ledger.jsonl"
    lines = mirror.read_text().splitlines(keepends=True)
    mirror.write_text("".join(lines[:-1]))
    assert {check for check, state in states(home, feed).items() if state == "missing"} == {"ledger"}
    assert leadscore("gc", "--home", home, "--dry-run").returncode == 0
    assert states(home, feed)["ledger"] == "ok"


@pytest.mark.parametrize("content", [b"this is not a database" * 1000, b""])
def test_a_warehouse_that_does_not_open_is_said_without_a_traceback(home: Path, feed: Path, content: bytes) -> None:
    for file in home.glob("warehouse.duckdb*"):
        file.unlink()
    (home / "warehouse.duckdb").write_bytes(content)
    ran = leadscore("doctor", "--home", home, "--data", feed)
    assert "Traceback" not in ran.stderr
    assert ran.returncode == 2
    assert "MISSING  warehouse" in ran.stdout or "MISSING  ledger" in ran.stdout


def test_a_table_that_breaks_its_contract_is_found(home: Path, feed: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute('ALTER TABLE "LeadScoring"."snapshot_reps_20240331" RENAME COLUMN "RepCRD" TO "Rep"')
    ran = leadscore("doctor", "--home", home, "--data", feed, "--json")
    found = examined(ran)["newest reps"]
    assert ran.returncode == 2
    assert "RepCRD: missing" in found["says"]


def test_a_running_run_is_named_and_misses_nothing(home: Path, feed: Path) -> None:
    with Lease(home, command="a run of the test"), duckdb.connect(str(home / "warehouse.duckdb")):
        ran = leadscore("doctor", "--home", home, "--data", feed, "--json")
    assert ran.returncode == 0, ran.stdout
    found = examined(ran)
    assert f"process {os.getpid()} on" in found["lease"]["says"]
    assert "a run of the test" in found["lease"]["says"]
    assert found["ledger"]["state"] == "unchecked"


def test_another_program_that_has_the_file_open_is_found(home: Path, feed: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")):
        ran = leadscore("doctor", "--home", home, "--data", feed, "--json")
    assert ran.returncode == 2
    assert f"PID {os.getpid()}" in examined(ran)["warehouse"]["says"]


# --- without Google ---------------------------------------------------------------------------------------------------


@pytest.fixture
def silent_host() -> Iterator[str]:
    """An address that takes connections and never answers: what the metadata server may look like elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def no_google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, silent_host: str) -> dict[str, Any]:
    """A machine of nobody's: no credentials anywhere that google-auth looks."""
    for name in [name for name in os.environ if name.startswith(GOOGLE)]:
        monkeypatch.delenv(name)
    return {"HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"), "GCE_METADATA_IP": silent_host}


def test_without_credentials_it_says_exactly_what_is_missing_and_does_not_hang(
    tmp_path: Path, feed: Path, no_google: dict[str, Any]
) -> None:
    started = time.monotonic()
    environment = {**no_google, "LEADSCORE_WAREHOUSE": "bigquery", "LEADSCORE_GCP_PROJECT": "p"}
    ran = leadscore("doctor", "--home", tmp_path / "home", "--data", feed, "--json", **environment)
    # Three pings of a second each and google-auth's pauses between them; its own defaults would make it a dozen.
    assert time.monotonic() - started < 30
    assert ran.returncode == 2
    found = examined(ran)
    assert [check for check, finding in found.items() if finding["state"] == "missing"] == ["credentials"]
    assert "default credentials were not found" in found["credentials"]["says"]
    assert "attach a service account" in found["credentials"]["remedy"]
    assert "gcloud auth application-default login" in found["credentials"]["remedy"]
    waiting = [finding for finding in found.values() if finding["state"] == "unchecked"]
    assert {finding["says"] for finding in waiting} == {"not checked: it needs credentials"}
    assert len(waiting) == 9


def test_without_credentials_a_bucket_is_not_tried(tmp_path: Path, no_google: dict[str, Any]) -> None:
    environment = {**no_google, **ONE_PING}
    ran = leadscore("doctor", "--home", tmp_path / "home", "--data", "gs://bucket/feed", "--json", **environment)
    assert ran.returncode == 2
    found = examined(ran)
    assert [check for check, finding in found.items() if finding["state"] == "missing"] == ["credentials"]
    assert {check for check, finding in found.items() if finding["state"] == "unchecked"} == {
        "input folder",
        "input bucket",
    }


def test_a_run_on_a_bucket_without_credentials_says_so(tmp_path: Path, no_google: dict[str, Any]) -> None:
    ran = leadscore("run", "--home", tmp_path / "home", "--data", "gs://bucket/feed", **no_google, **ONE_PING)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "gs://bucket/feed cannot be reached: Your default credentials were not found" in ran.stderr
    assert "leadscore doctor" in ran.stderr
