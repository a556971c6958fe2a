"""Fixtures that tests of several parts ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leadscore_v6.locations import Location, location
from tests.buckets import NUMBERED, NumberedMemory, storage_emulator


@pytest.fixture
def bucket() -> Iterator[Location]:
    """A prefix of an empty bucket in memory."""
    NumberedMemory.empty()
    yield location(f"{NUMBERED}://bucket/feed")
    NumberedMemory.empty()


@pytest.fixture
def gcs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Location]:
    """A prefix of an empty bucket of Cloud Storage's emulator, for this process and those that it starts."""
    with storage_emulator("leadscore-test") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        yield location("gs://leadscore-test/feed")
