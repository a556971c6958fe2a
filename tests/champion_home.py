"""A made-up home with a champion, for what looks at all of a programme from outside of `gates/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
from tests.gates.conftest import GATES, Lab
from tests.gates.test_champions import LATER_GATES, serving
from tests.gates.test_model_attempts import MODEL_GATES


def champion_home(folder: Path) -> Iterator[Lab]:
    """Its snapshots are published, its model serves; closed by whoever takes it as a fixture."""
    gates = folder / "gates.yaml"
    gates.write_text(GATES + MODEL_GATES + LATER_GATES)
    settings = Settings(home=folder / "home", data=folder / "feed")
    settings.home.mkdir()
    lab = Lab(settings, DuckDBWarehouse(settings.warehouse_file, threads=1), gates)
    lab.run()
    serving(lab)
    yield lab
    lab.warehouse.close()
