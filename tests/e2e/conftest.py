"""A small world, built once; each test gets a copy of its feed and of the home it was built in.

The world is two quarters long: enough for a join that has an older and a newer snapshot to choose from.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadscore_v6.sample_world import WorldSpec, write_world
from leadscore_v6.settings import from_environment
from tests.e2e.experiment_world import At, copy_of, stage
from tests.e2e.gate_cases import KEY, OTHER_KEY
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore
from tests.e2e.production_world import run_once
from tests.e2e.sabotage import Product
from tests.once import once, shared

AS_OF = "2024-05-05"
SPEC = WorldSpec(scenario="demo", reps=600, leads=900, quarters=2, seed=7)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The feed folder; nobody may change it."""
    folder = shared(tmp_path_factory) / "world"
    once(folder, lambda: write_world(folder / "feed", SPEC, lambda line: None))
    return folder / "feed"


@pytest.fixture(scope="session")
def finished_home(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the world was run through to the promoted view; nobody may change it."""
    folder = shared(tmp_path_factory) / "finished"

    def make() -> None:
        done = leadscore("run", "--data", world, "--home", folder / "home", "--as-of", AS_OF)
        assert done.returncode == 0, done.stderr

    once(folder, make)
    return folder / "home"


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
def production_home(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose model is champion and has scored a day; nobody may change it."""
    return run_once(modelled, shared(tmp_path_factory) / "production_world")


@pytest.fixture(scope="session")
def stages(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Stages of a test that was played on that world, by name (experiment_world.py)."""
    return lambda name: stage(modelled, shared(tmp_path_factory) / "experiment", name)


@pytest.fixture
def at(stages: Callable[[str], Path], tmp_path: Path) -> Iterator[At]:
    """One's own home and world at a stage of that test."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda name: copy_of(stages(name), tmp_path / name).use(patch)
