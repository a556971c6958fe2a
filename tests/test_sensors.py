"""The landing sensor, tick by tick: what it asks for, what it leaves alone, what it says meanwhile (R48, R49, R53).

The runs themselves are made up here, with the states that Dagster would give them; `e2e/test_landing_flow.py` carries
the requested runs out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from leadscore_v6 import sensors
from leadscore_v6.definitions import build_defs

OLD, NEW = "RIARepDataFeed_20240107.csv", "RIARepDataFeed_20240331.csv"
TODAY = datetime(2024, 5, 6, 12, tzinfo=UTC)
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
Asked = list[tuple[str, str | None]]


class Watch:
    """A landing folder under a sensor that ticks when told to; its runs end when told to."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, defs: dg.Definitions) -> None:
        self.folder, self.instance, self.cursor = folder, instance, ""
        self.keys: list[str] = []
        self.says = ""
        self.mtime = 1_700_000_000
        self.jobs = {name: defs.resolve_job_def(name) for name in ("snapshot", "leads", "training_set")}
        self.sensor = defs.resolve_sensor_def("landing_sensor")
        self.going: list[str] = []

    def write(self, name: str, content: str) -> None:
        """Write a file; every write has a time of its own, however fast the test is."""
        self.mtime += 1
        (self.folder / name).write_text(content)
        os.utime(self.folder / name, (self.mtime, self.mtime))

    def tick(self) -> Asked:
        """One tick, as the daemon does it: keys first, then runs, then the cursor."""
        result = self.sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        for request in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        for request in result.run_requests or []:
            assert request.run_key not in self.keys, "Dagster would drop this request without a word"
            self.keys.append(request.run_key)
            self.launch(request.job_name, request.tags)
        self.cursor, self.says = result.cursor, result.skip_reason.skip_message if result.skip_reason else ""
        return [(request.job_name, request.partition_key) for request in result.run_requests or []]

    def settle(self) -> Asked:
        """Two ticks: what a new file needs before it is taken to be complete."""
        assert self.tick() == []
        return self.tick()

    def launch(self, job: str, tags: dict[str, str]) -> None:
        run = self.instance.create_run_for_job(self.jobs[job], status=dg.DagsterRunStatus.STARTED, tags=tags)
        self.going.append(run.run_id)

    def end(self, status: dg.DagsterRunStatus = SUCCESS, which: slice = slice(None)) -> None:
        """Let runs that are going end."""
        for run_id in self.going[which]:
            word = "PIPELINE_SUCCESS" if status is SUCCESS else "PIPELINE_FAILURE"
            self.instance.report_dagster_event(dg.DagsterEvent(word, job_name="any"), run_id)
        del self.going[which]

    def partitions(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions("snapshot_date"))


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_defs()


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defs: dg.Definitions) -> Iterator[Watch]:
    """An empty folder under watch, on 6 May 2024."""
    folder = tmp_path / "landing"
    folder.mkdir()
    monkeypatch.setenv("LEADSCORE_DATA", str(folder))
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sensors, "wall_clock", lambda: TODAY)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(folder, instance, defs)


@pytest.fixture
def joined(watch: Watch) -> Watch:
    """One feed file and the leads, taken in and joined."""
    watch.write(OLD, "old")
    watch.write("Lead.csv", "leads")
    assert watch.settle() == [("leads", None), ("snapshot", "20240107")]
    watch.end()
    assert watch.tick() == [("training_set", None)]
    watch.end()
    assert watch.tick() == []
    return watch


# --- one file ------------------------------------------------------------------------------------------------------


def test_a_new_file_becomes_a_partition_and_a_run_when_it_is_stable(watch: Watch) -> None:
    watch.write(NEW, "content")
    assert watch.tick() == []
    assert watch.partitions() == []
    assert watch.tick() == [("snapshot", "20240331")]
    assert watch.partitions() == ["20240331"]


def test_a_file_still_being_written_is_left_alone(watch: Watch) -> None:
    for length in range(1, 5):
        watch.write(NEW, "x" * length)
        assert watch.tick() == []
        assert NEW in watch.says
    assert watch.tick() == [("snapshot", "20240331")]


def test_a_file_rewritten_in_place_at_the_same_size_is_still_being_written(watch: Watch) -> None:
    watch.write(NEW, "half")
    watch.tick()
    watch.write(NEW, "full")
    assert watch.tick() == []


def test_a_file_that_changes_while_it_is_read_is_left_alone(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.write(NEW, "content")
    watch.tick()
    real = sensors.hashlib.file_digest

    def slow(content: object, kind: str) -> object:
        watch.write(NEW, "content and more")
        return real(content, kind)

    monkeypatch.setattr(sensors.hashlib, "file_digest", slow)
    assert watch.tick() == []
    monkeypatch.setattr(sensors.hashlib, "file_digest", real)
    assert watch.settle() == [("snapshot", "20240331")]


@pytest.mark.parametrize("what", ["touched", "written again", "taken away and put back"])
def test_the_same_file_twice_does_nothing(joined: Watch, what: str) -> None:
    if what == "taken away and put back":
        (joined.folder / OLD).unlink()
        assert joined.tick() == []
    if what == "touched":
        os.utime(joined.folder / OLD, (joined.mtime + 99, joined.mtime + 99))
    else:
        joined.write(OLD, "old")
    assert [joined.tick() for _ in range(4)] == [[], [], [], []]


def test_a_corrected_file_runs_again_and_so_does_the_first_one_put_back(joined: Watch) -> None:
    for content in ("corrected", "old", "corrected", "old"):
        joined.write(OLD, content)
        assert joined.settle() == [("snapshot", "20240107")]
        joined.end()
        assert joined.tick() == [("training_set", None)]
        joined.end()
    assert joined.partitions() == ["20240107"]


def test_a_late_older_quarter_is_taken_and_joined(watch: Watch) -> None:
    watch.write(NEW, "new")
    watch.write("Lead.csv", "leads")
    watch.settle()
    watch.end()
    watch.tick()
    watch.end()
    watch.write(OLD, "late")
    assert watch.settle() == [("snapshot", "20240107")]
    watch.end()
    assert watch.tick() == [("training_set", None)]
    assert sorted(watch.partitions()) == ["20240107", "20240331"]


# --- files that cannot be taken ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("RIARepDataFeed_2024-03-31.csv", "not named like a feed file"),
        ("riarepdatafeed_20240331.csv", "not named like a feed file"),
        ("RIARepDataFeed_20240331.csv.part", "not named like a feed file"),
        ("RIARepDataFeed_20240231.csv", "20240231 in this name is not a date"),
        ("RIARepDataFeed_20240507.csv", "after the day it was received (2024-05-06)"),
    ],
)
def test_a_bad_name_is_reported_and_blocks_no_other_file(
    watch: Watch, capfd: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    watch.write(name, "content")
    watch.write(OLD, "old")
    watch.write("Lead.csv", "leads")
    assert watch.settle() == [("leads", None), ("snapshot", "20240107")]
    logged = capfd.readouterr().err
    assert logged.count(name) == logged.count(why) == logged.count("ERROR") == 1
    watch.end()
    assert watch.tick() == [("training_set", None)]
    watch.end()
    assert watch.tick() == []
    assert name in watch.says
    assert why in watch.says
    assert capfd.readouterr().err == "", "a log line for every half minute would bury the rest"


def test_a_folder_named_like_a_feed_file_blocks_no_other_file(watch: Watch) -> None:
    (watch.folder / NEW).mkdir()
    watch.write(OLD, "old")
    assert watch.settle() == [("snapshot", "20240107")]
    assert watch.tick() == []
    assert NEW in watch.says


def test_a_future_snapshot_is_taken_when_its_day_has_come(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.write("RIARepDataFeed_20240507.csv", "content")
    assert watch.settle() == []
    monkeypatch.setattr(sensors, "wall_clock", lambda: datetime(2024, 5, 7, 0, 1, tzinfo=UTC))
    assert watch.tick() == [("snapshot", "20240507")]


def test_other_files_are_none_of_its_business(watch: Watch) -> None:
    for name in ("README.txt", "Leads.csv", "Dial.csv", ".RIARepDataFeed_20240331.csv.tmp"):
        watch.write(name, "content")
    assert watch.settle() == []
    assert watch.says == "No feed file has come yet."


def test_a_folder_that_is_not_there_is_said(watch: Watch) -> None:
    watch.folder.rmdir()
    answer = watch.sensor(dg.build_sensor_context(instance=watch.instance))
    assert isinstance(answer, dg.SkipReason)
    assert str(watch.folder) in str(answer.skip_message)


# --- the run over everything ---------------------------------------------------------------------------------------


def test_several_files_at_once_give_one_run_each_and_then_one_together(watch: Watch) -> None:
    names = [f"RIARepDataFeed_{key}.csv" for key in ("20230701", "20231001", "20240107", "20240331")]
    for name in (*names, "Lead.csv"):
        watch.write(name, name)
    assert sorted(watch.settle(), key=str) == [
        ("leads", None),
        ("snapshot", "20230701"),
        ("snapshot", "20231001"),
        ("snapshot", "20240107"),
        ("snapshot", "20240331"),
    ]
    assert watch.partitions() == ["20230701", "20231001", "20240107", "20240331"]
    while len(watch.going) > 1:
        watch.end(which=slice(1))
        assert watch.tick() == []
        assert "waits for runs to end" in watch.says
    watch.end()
    assert watch.tick() == [("training_set", None)]
    assert watch.tick() == []
    watch.end()
    assert watch.tick() == []


def test_it_waits_for_a_file_that_is_on_its_way(watch: Watch) -> None:
    watch.write(OLD, "old")
    watch.write("Lead.csv", "leads")
    watch.settle()
    watch.write(NEW, "n")
    watch.end()
    assert watch.tick() == []
    assert "waits for these files" in watch.says
    watch.write(NEW, "new")
    assert watch.tick() == []
    assert watch.tick() == [("snapshot", "20240331")]
    watch.end()
    assert watch.tick() == [("training_set", None)]


def test_feeds_wait_for_the_first_leads(watch: Watch) -> None:
    watch.write(OLD, "old")
    watch.settle()
    watch.end()
    assert watch.tick() == []
    assert "Lead.csv is not yet" in watch.says
    watch.write("Lead.csv", "leads")
    assert watch.settle() == [("leads", None)]
    watch.end()
    assert watch.tick() == [("training_set", None)]


def test_with_bigquery_no_lead_file_is_waited_for(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the leads are the CRM's table; the run over everything reads it (R49)."""
    monkeypatch.setenv("LEADSCORE_WAREHOUSE", "bigquery")
    watch.write(OLD, "old")
    watch.write("Lead.csv", "of no use")
    assert watch.settle() == [("snapshot", "20240107")]
    watch.end()
    assert watch.tick() == [("training_set", None)]


def test_later_leads_are_landed_and_rebuild_nothing(joined: Watch) -> None:
    joined.write("Lead.csv", "newer leads")
    assert joined.settle() == [("leads", None)]
    joined.end()
    assert [joined.tick() for _ in range(3)] == [[], [], []]


def test_it_is_asked_for_after_a_failed_snapshot_too(watch: Watch) -> None:
    """The guard refuses it, and its message lists everything that has to be mended (ADR 0032)."""
    watch.write(OLD, "bad")
    watch.write(NEW, "good")
    watch.write("Lead.csv", "leads")
    watch.settle()
    watch.end(FAILURE, slice(1))
    watch.end()
    assert watch.tick() == [("training_set", None)]
    watch.end(FAILURE)
    assert [watch.tick() for _ in range(3)] == [[], [], []], "a failed run is not repeated for its own sake"
    watch.write(OLD, "mended")
    assert watch.settle() == [("snapshot", "20240107")]
    watch.end()
    assert watch.tick() == [("training_set", None)]


@pytest.fixture
def refused(watch: Watch) -> Watch:
    """Everything was asked for, and all of it failed."""
    watch.write(OLD, "old")
    watch.write("Lead.csv", "bad leads")
    watch.settle()
    watch.end(FAILURE)
    assert watch.tick() == [("training_set", None)]
    watch.end(FAILURE)
    assert watch.tick() == []
    return watch


def test_a_corrected_extract_brings_a_failed_one_back(refused: Watch) -> None:
    refused.write("Lead.csv", "still bad leads")
    assert refused.settle() == [("leads", None)]
    refused.end(FAILURE)
    assert refused.tick() == []
    refused.write("Lead.csv", "good leads")
    assert refused.settle() == [("leads", None)]
    refused.end()
    assert refused.tick() == [("training_set", None)]


def test_a_snapshot_run_again_by_hand_brings_a_failed_one_back(refused: Watch) -> None:
    """What follows `leadscore waive`: the run that publishes what was waived is one that no file asked for."""
    refused.launch("snapshot", {})
    assert refused.tick() == []
    refused.end()
    assert refused.tick() == [("training_set", None)]


def test_a_failed_one_that_a_person_has_run_since_is_left_alone(refused: Watch) -> None:
    refused.launch("snapshot", {})
    refused.launch("training_set", {})
    refused.end()
    assert refused.tick() == []


# --- what is remembered --------------------------------------------------------------------------------------------


def test_a_tick_repeated_after_a_crash_asks_for_the_same_runs(watch: Watch) -> None:
    """The daemon died between launching and saving the cursor; by the run key Dagster knows the runs again."""
    watch.write(NEW, "content")
    watch.tick()
    before = watch.cursor
    watch.tick()
    (asked,) = watch.keys
    again = watch.sensor(dg.build_sensor_context(instance=watch.instance, cursor=before))
    assert isinstance(again, dg.SensorResult)
    assert [request.run_key for request in again.run_requests or []] == [asked]


def test_a_sensor_that_forgot_asks_for_everything_again(joined: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resetting the cursor in the UI is how a person says "look at all of it again"."""
    monkeypatch.setattr(sensors, "wall_clock", lambda: datetime(2024, 5, 6, 13, tzinfo=UTC))
    joined.cursor = ""
    assert joined.settle() == [("leads", None), ("snapshot", "20240107")]
    joined.end()
    assert joined.tick() == [("training_set", None)]
