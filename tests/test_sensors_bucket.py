"""The landing sensor on a bucket: an object is known by its generation, and is not downloaded to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from leadscore_v6 import sensors
from leadscore_v6.definitions import build_defs
from leadscore_v6.errors import UsageError
from leadscore_v6.locations import Location
from tests.buckets import NumberedMemory, upload
from tests.test_sensors import NEW, OLD, Asked, Watch


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_defs()


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defs: dg.Definitions, bucket: Location) -> Iterator[Watch]:
    """An empty prefix under watch, on 6 May 2024."""
    monkeypatch.setenv("LEADSCORE_DATA", str(bucket))
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sensors, "wall_clock", lambda: datetime(2024, 5, 6, 12, tzinfo=UTC))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(tmp_path, instance, defs)


def settled(watch: Watch) -> Asked:
    """A tick that sees, a tick that takes."""
    watch.tick()
    return watch.tick()


def test_an_empty_prefix_is_said(watch: Watch) -> None:
    answer = watch.sensor(dg.build_sensor_context(instance=watch.instance))
    assert isinstance(answer, dg.SkipReason)
    assert "bucket/feed does not exist yet" in str(answer.skip_message)


def test_objects_become_runs_and_nothing_is_downloaded(watch: Watch, bucket: Location) -> None:
    for name in (OLD, NEW, "Lead.csv", "README.txt"):
        upload(bucket, name, name.encode())
    assert settled(watch) == [("leads", None), ("snapshot", "20240107"), ("snapshot", "20240331")]
    assert watch.partitions() == ["20240107", "20240331"]
    watch.end()
    assert watch.tick() == [("training_set", None)]
    watch.end()
    assert [watch.tick() for _ in range(3)] == [[], [], []]
    assert NumberedMemory.opened == []


def test_an_upload_is_a_new_object_whatever_is_in_it(watch: Watch, bucket: Location) -> None:
    """The run lands it, finds the content that it knows, and builds nothing (R39)."""
    for name in (OLD, "Lead.csv"):
        upload(bucket, name, b"content")
    settled(watch)
    watch.end()
    watch.tick()
    watch.end()
    upload(bucket, OLD, b"content")
    assert settled(watch) == [("snapshot", "20240107")]
    assert len(set(watch.keys)) == len(watch.keys) == 4


def test_an_object_with_a_bad_name_blocks_no_other(watch: Watch, bucket: Location) -> None:
    upload(bucket, "riarepdatafeed_20240331.csv", b"x")
    upload(bucket, OLD, b"x")
    assert settled(watch) == [("snapshot", "20240107")]
    watch.tick()
    assert "not named like a feed file" in watch.says


def test_a_bucket_that_cannot_be_reached_fails_the_tick_and_says_what_to_do(
    watch: Watch, bucket: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Forbidden")

    upload(bucket, OLD, b"x")
    monkeypatch.setattr(NumberedMemory, "ls", refuse)
    with pytest.raises((UsageError, dg.DagsterError)) as told:
        watch.tick()
    error: BaseException = told.value
    while error.__cause__ is not None and not isinstance(error, UsageError):
        error = error.__cause__
    assert "cannot be reached: Forbidden" in str(error)
    assert "leadscore doctor" in str(error)
