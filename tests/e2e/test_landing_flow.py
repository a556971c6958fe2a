"""Files dropped into the landing folder, the runs that the sensor asks for carried out, to the promoted view (R53)."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from leadscore_v6.definitions import build_defs
from leadscore_v6.instance import dagster_instance
from leadscore_v6.settings import from_environment

OLD, NEW = "RIARepDataFeed_20240107.csv", "RIARepDataFeed_20240331.csv"
Runs = list[tuple[str, str | None, bool]]


class Daemon:
    """What Dagster's daemon does with a sensor, one tick at a time, with the runs in this process."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.cursor = instance, None
        self.defs = build_defs()
        self.sensor = self.defs.resolve_sensor_def("landing_sensor")
        self.errors: list[str] = []

    def tick(self) -> Runs:
        """One tick, its requests carried out: job, partition, whether it went through."""
        with dg.build_sensor_context(
            instance=self.instance,
            instance_ref=self.instance.get_ref(),
            cursor=self.cursor,
            definitions=self.defs,
        ) as context:
            answer = self.sensor.evaluate_tick(context)
        for request in answer.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        self.cursor = answer.cursor
        return [self._run(request) for request in answer.run_requests or []]

    def _run(self, request: dg.RunRequest) -> tuple[str, str | None, bool]:
        result = self.defs.resolve_job_def(str(request.job_name)).execute_in_process(
            instance=self.instance,
            partition_key=request.partition_key,
            tags=dict(request.tags),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
        self.errors = [
            str(event.step_failure_data.user_failure_data.description)
            for event in result.all_events
            if event.is_step_failure and event.step_failure_data.user_failure_data
        ]
        return str(request.job_name), request.partition_key, result.success

    def until_quiet(self) -> Runs:
        """Ticks until two in a row ask for nothing: a new file shows only at the second look."""
        runs: Runs = []
        quiet = 0
        while quiet < 2:
            asked = self.tick()
            quiet = 0 if asked else quiet + 1
            runs += asked
        return runs


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty landing folder of a new home."""
    home = tmp_path / "home"
    # What the driver exports is taken back after the test.
    for name in ("LEADSCORE_HOME", "LEADSCORE_DATA", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("LEADSCORE_HOME", str(home))
    folder = home / "landing"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def daemon(landing: Path) -> Iterator[Daemon]:
    with dagster_instance(from_environment()) as instance:
        yield Daemon(instance)


def promoted(landing: Path, select: str) -> list[tuple[Any, ...]]:
    """Rows from the promoted view, read as any reader would."""
    with duckdb.connect(str(landing.parent / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {select} FROM LeadScoring.v_latest_training_dataset_v6").fetchall()


def rewritten(file: Path, column: str, value: Callable[[int, str], str]) -> str:
    """The file's text with one column changed: `value` gets the row's number and what is there."""
    with file.open(newline="") as source:
        rows = list(csv.DictReader(source))
    for number, row in enumerate(rows):
        row[column] = value(number, row[column])
    copy = file.with_suffix(".rewritten")
    with copy.open("w", newline="") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    text = copy.read_text()
    copy.unlink()
    return text


def test_dropped_files_end_in_the_promoted_view(feed: Path, landing: Path, daemon: Daemon) -> None:
    for name in (OLD, NEW, "Lead.csv"):
        shutil.copy(feed / name, landing / name)
    assert daemon.until_quiet() == [
        ("leads", None, True),
        ("snapshot", "20240107", True),
        ("snapshot", "20240331", True),
        ("training_set", None, True),
    ]
    figures = "COUNT(*), SUM(Is_Owner)"
    ((rows, owners),) = promoted(landing, figures)
    assert (rows > 100, owners > 0) == (True, True)

    # A corrected file is seen through: nobody owns a firm any more.
    (landing / OLD).write_text(rewritten(feed / OLD, "Owner", lambda number, was: "No"))
    assert daemon.until_quiet() == [("snapshot", "20240107", True), ("training_set", None, True)]
    assert promoted(landing, figures) == [(rows, 0)]

    # A correction that fails its gate stops the join, and readers keep the last good version.
    (landing / OLD).write_text(rewritten(feed / OLD, "RepCRD", lambda number, was: "none" if number == 3 else was))
    assert daemon.until_quiet() == [("snapshot", "20240107", False), ("training_set", None, False)]
    (error,) = daemon.errors
    assert "may not start" in error
    assert "reps_crd_valid" in error
    assert promoted(landing, figures) == [(rows, 0)]

    # Put back as it was at first: a file that ran before runs again, and brings the first answer back.
    shutil.copy(feed / OLD, landing / OLD)
    assert daemon.until_quiet() == [("snapshot", "20240107", True), ("training_set", None, True)]
    assert promoted(landing, figures) == [(rows, owners)]


@pytest.mark.prove
def test_a_late_older_quarter_is_joined(feed: Path, landing: Path, daemon: Daemon) -> None:
    """Advisors that no snapshot had at their contact are known when an older file with them has come."""
    for name in (OLD, "Lead.csv"):
        shutil.copy(feed / name, landing / name)
    runs = daemon.until_quiet()
    assert all(done for _, _, done in runs), daemon.errors
    late = "COUNT(*) FILTER (rep_snapshot_at = '2023-10-01'), COUNT(rep_snapshot_at)"
    ((none_late, before),) = promoted(landing, late)
    shutil.copy(feed / NEW, landing / "RIARepDataFeed_20231001.csv")
    assert daemon.until_quiet() == [("snapshot", "20231001", True), ("training_set", None, True)]
    ((all_late, after),) = promoted(landing, late)
    assert none_late == 0
    assert all_late == after - before > 0
