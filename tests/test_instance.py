"""Dagster's storage under the home: what a kill leaves there holds nobody up."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from leadscore_v6.definitions import build_defs
from leadscore_v6.instance import PID_TAG, dagster_instance, end_killed_runs
from leadscore_v6.settings import from_environment

STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str]) -> str:
    job = build_defs().resolve_job_def("leads")
    return instance.create_run_for_job(job, status=status, tags=tags).run_id


def server(path: Path) -> dict[str, str]:
    """The tag that Dagster's launcher puts on a run: the address of the server that runs it."""
    return {".dagster/grpc_info": json.dumps({"host": "localhost", "socket": str(path)})}


def statuses(instance: dg.DagsterInstance, *run_ids: str) -> list[dg.DagsterRunStatus]:
    return [found.status for run_id in run_ids if (found := instance.get_run_by_id(run_id))]


def test_runs_of_a_killed_ui_are_ended_and_those_of_a_living_one_are_not(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as living, socket.socket(socket.AF_UNIX) as killed:
        living.bind(str(tmp_path / "living"))
        living.listen()
        killed.bind(str(tmp_path / "killed"))
        killed.close()
        assert (tmp_path / "killed").exists(), "as a kill -9 leaves it"
        of_living = run(instance, STARTED, server(tmp_path / "living"))
        of_killed = run(instance, STARTED, server(tmp_path / "killed"))
        of_none = run(instance, STARTED, server(tmp_path / "never there"))
        assert set(end_killed_runs(instance)) == {of_killed, of_none}
    assert statuses(instance, of_living, of_killed, of_none) == [STARTED, FAILURE, FAILURE]


def test_runs_of_a_killed_command_are_ended(instance: dg.DagsterInstance) -> None:
    killed, foreign = run(instance, STARTED, {PID_TAG: "4711"}), run(instance, STARTED, {})
    assert end_killed_runs(instance) == [killed]
    assert statuses(instance, killed, foreign) == [FAILURE, STARTED]


def test_the_commands_process_keeps_its_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, what is said into a file on it is lost."""
    for name in ("LEADSCORE_HOME", "LEADSCORE_DATA", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
    with (tmp_path / "said").open("w") as said, dagster_instance(from_environment({}, home=tmp_path / "home")) as made:
        monkeypatch.setattr("sys.stderr", said)
        with made.compute_log_manager.capture_logs(["run", "step"]):
            goes_to = Path(f"/proc/self/fd/{said.fileno()}").readlink()
    assert goes_to == tmp_path / "said"


def test_the_home_keeps_all_of_dagsters_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it can be moved (R55); and a configuration that a person has edited stays as it is."""
    for name in ("LEADSCORE_HOME", "LEADSCORE_DATA", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # what the function exports is taken back after the test
    settings = from_environment(env={}, home=tmp_path / "home")
    with dagster_instance(settings) as made:
        run(made, STARTED, {})
        assert os.environ["DAGSTER_HOME"] == str(settings.dagster_home)
    config = settings.dagster_home / "dagster.yaml"
    assert str(tmp_path) not in config.read_text()
    assert yaml.safe_load(config.read_text())["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert {"event_log.db", "runs.db"} <= {file.name for file in settings.dagster_home.rglob("*.db")}
    config.write_text(config.read_text() + "# edited\n")
    dagster_instance(settings).dispose()
    assert config.read_text().endswith("# edited\n")
