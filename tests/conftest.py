"""Fixtures that tests of several parts ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from leadscore_v6.locations import Location, location
from tests.buckets import NUMBERED, NumberedMemory, storage_emulator

if TYPE_CHECKING:
    from tests.e2e.model_world import Modelled


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


@pytest.fixture(scope="session")
def modelled(tmp_path_factory: pytest.TempPathFactory) -> Modelled:
    """A larger world, run through to a backtested model once for all of pytest's workers."""
    from tests.e2e.model_world import run_once  # it loads Dagster, which most parts do without

    base = tmp_path_factory.getbasetemp()
    return run_once((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "modelled")
