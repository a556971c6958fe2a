"""A small world, built once; each test gets a copy of its feed and of the home it was built in.

The world is two quarters long: enough for a join that has an older and a newer snapshot to choose from.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from leadscore_v6.sample_world import WorldSpec, write_world
from leadscore_v6.settings import from_environment
from tests.e2e.experiment_world import stage
from tests.e2e.gate_cases import KEY, OTHER_KEY
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore
from tests.e2e.production_world import go_live
from tests.e2e.sabotage import Product

AS_OF = "2024-05-05"
SPEC = WorldSpec(scenario="demo", reps=600, leads=900, quarters=2, seed=7)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The feed folder; nobody may change it."""
    folder = tmp_path_factory.mktemp("world") / "feed"
    write_world(folder, SPEC, lambda line: None)
    return folder


@pytest.fixture(scope="session")
def finished_home(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the world was run through to the promoted view; nobody may change it."""
    home = tmp_path_factory.mktemp("finished") / "home"
    done = leadscore("run", "--data", world, "--home", home, "--as-of", AS_OF)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def feed(world: Path, tmp_path: Path) -> Path:
    """A feed folder of one's own."""
    return Path(shutil.copytree(world, tmp_path / "feed"))


@pytest.fixture
def home(finished_home: Path, tmp_path: Path) -> Path:
    """A finished home of one's own (moved, as it were: R55 says that it must work)."""
    return Path(shutil.copytree(finished_home, tmp_path / "home"))


@pytest.fixture
def product(finished_home: Path, feed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Product:
    """A finished home, one process, one thread (the world is small); Dagster's storage is in memory."""
    home = Path(
        shutil.copytree(finished_home, tmp_path / "home", ignore=shutil.ignore_patterns("dagster", "artifacts"))
    )
    for name, value in {"LEADSCORE_HOME": home, "LEADSCORE_DATA": feed, "LEADSCORE_THREADS": "1"}.items():
        monkeypatch.setenv(name, str(value))
    return Product(from_environment(), [OTHER_KEY, KEY], {"as_of": AS_OF})


@pytest.fixture(scope="session")
def in_production(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion and a scored day; nobody may change it."""
    home = tmp_path_factory.mktemp("in_production") / "home"
    go_live(modelled, home)
    return home


@pytest.fixture(scope="session")
def stages(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Stages of a test that was played on that world, by name (experiment_world.py)."""
    base = tmp_path_factory.getbasetemp()
    base = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "experiment"
    return lambda name: stage(modelled, base, name)
