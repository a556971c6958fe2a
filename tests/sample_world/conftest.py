"""Two small worlds, written once: what the tests of this folder look at. Nobody may change them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from leadscore_v6.sample_world import WorldSpec, WorldSummary, write_world
from tests.sample_world.feeds import Feeds, Row, read
from tests.sample_world.playing import first_week, world, written_world

__all__ = ["first_week", "world", "written_world"]


@dataclass
class World:
    spec: WorldSpec
    summary: WorldSummary
    feeds: Feeds
    leads: list[Row]
    truth: dict[str, Row]


def written(folder: Path, spec: WorldSpec) -> World:
    summary = write_world(folder, spec)
    truth = {row["Id"]: row for row in read(summary.truth)}
    return World(spec, summary, Feeds.of(folder), read(folder / "Lead.csv"), truth)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> World:
    return written(tmp_path_factory.mktemp("demo") / "feed", WorldSpec(reps=6_000, leads=6_000, seed=11))


@pytest.fixture(scope="session")
def historical(tmp_path_factory: pytest.TempPathFactory) -> World:
    spec = WorldSpec(scenario="historical", reps=12_000, leads=12_000, seed=12)
    return written(tmp_path_factory.mktemp("historical") / "feed", spec)
