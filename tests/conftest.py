"""Fixtures that tests of several parts ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from leadscore_v6.locations import Location, location
from tests.buckets import NUMBERED, NumberedMemory, storage_emulator
from tests.once import shared

if TYPE_CHECKING:
    from tests.e2e.model_world import Modelled

# The first makes the worlds that most others of e2e/ wait for; the next two, which the second worker takes meanwhile,
# need none of them.
FIRST = ("test_experiment.py", "test_faults.py", "test_bad_input.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: what is left at the end is short, and no worker waits for the other."""

    def place(item: pytest.Item) -> int:
        if item.path.parent.name != "e2e":
            return len(FIRST) + 1
        return FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST)

    items.sort(key=place)


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

    return run_once(shared(tmp_path_factory) / "modelled")
