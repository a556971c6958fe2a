"""A bench on an empty DuckDB file, with gates of the tests' own: thresholds of the product are not what is tested here.

`Lab.bench()` reads the ledger anew, as a new process would; `lab.gates` may be changed between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.gates.attempt import Bench, Candidates, Outcome, Work
from leadscore_v6.gates.judge import Figures
from leadscore_v6.gates.ledger import Ledger, LedgerStore
from leadscore_v6.gates.registry import Registry, read_gates
from leadscore_v6.gates.steps import STEPS, ancestors
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
from leadscore_v6.warehouse.protocol import Warehouse

TODAY = date(2026, 1, 5)
KEY, OTHER_KEY = "20240107", "20240331"
GATES = """
gates:
  - {name: leads_enough, step: "1.1", asset: crm_leads, says: Enough leads., figure: leads, op: ">=", value: 10}
  - {name: leads_complete, step: "1.1", asset: crm_leads, says: None lost., figure: lost, op: "==", value: 0,
     waivable: false}
  - {name: leads_fresh, step: "1.1", asset: crm_leads, says: Young., figure: age, op: "<=", value: 7, severity: warn}
  - {name: raw_rows, step: "1.3", asset: snapshot_reps_raw, says: Has rows., figure: rows, op: ">=", value: 1}
  - {name: reps_losses, step: "1.5", asset: snapshot_reps, says: Few losses., figure: loss, op: "<=", value: 0.01}
  - {name: labels_agree, step: "3.2", asset: step_3_3_training_dataset_v6, says: Same., figure: wrong, op: "==",
     value: 0}
"""
GOOD: dict[str, Figures] = {
    "crm_leads": {"leads": 10, "lost": 0, "age": 1},
    "snapshot_reps_raw": {"rows": 5},
    "snapshot_reps": {"loss": 0.001},
    "step_3_3_training_dataset_v6": {"wrong": 0},
}
PROMOTED, TRAINING, STAGING = (
    "v_latest_training_dataset_v6",
    "step_3_3_training_dataset_v6",
    "step_3_1_staging_join_v6",
)


@cache
def _read_once(path: Path, _text: str) -> Registry:
    """Its gates; half of what a lab costs is to check them against their schema for each of its benches."""
    return read_gates(path)


@dataclass
class Lab:
    """One home. `built` counts what was really built, by asset."""

    settings: Settings
    warehouse: DuckDBWarehouse
    gates: Path
    today: date = TODAY
    built: list[str] = field(default_factory=list)

    def bench(self, warehouse: Warehouse | None = None, store: LedgerStore | None = None) -> Bench:
        """What a new process sees."""
        warehouse = warehouse or self.warehouse
        store = store or LedgerStore(warehouse, self.settings.ledger_mirror)
        store.create()
        ledger = Ledger(store, _read_once(self.gates, self.gates.read_text()), self.today)
        clock = datetime(self.today.year, self.today.month, self.today.day, 10, 30, tzinfo=UTC)
        return Bench(warehouse, store, ledger, "run-1", lambda: clock, FolderStore(self.settings.artifacts))

    def change_gates(self, old: str, new: str) -> None:
        """Another text in the file of gates."""
        text = self.gates.read_text()
        assert old in text
        self.gates.write_text(text.replace(old, new))

    def work(self, asset: str, partition: str | None = None, content: str = "a", **figures: float | None) -> Work:
        """A step whose table holds `content` as its only row; figures are good ones unless given."""
        name = f"LeadScoring.{asset}" + (f"_{partition}" if partition else "")
        version = f"{self.today:%Y%m%d}_1030" if asset in (STAGING, TRAINING) else None

        def build(candidates: Candidates) -> Mapping[str, object]:
            (candidate,) = candidates.values()
            self.built.append(asset)
            if asset == PROMOTED:
                training = self.bench().ledger.latest(TRAINING)
                self.warehouse.create_view(candidate, f"SELECT * FROM `LeadScoring.{TRAINING}_{training.version}`")
                return {"as_of": "2024-05-05", "promoted_version": training.version}
            self.warehouse.create_table(candidate, f"SELECT '{content}' AS content")
            return {"rows": 1}

        return Work(
            asset=asset,
            partition=partition,
            inputs={"content": content},
            outputs=(name + ("_{version}" if version else ""),),
            build=build,
            measure=lambda candidates: {**GOOD.get(asset, {}), **figures},
            version=version,
            source=f"digest of {content}" if partition or asset == "crm_leads" else None,
        )

    def attempt(self, asset: str, partition: str | None = None, content: str = "a", **figures: float | None) -> Outcome:
        """One attempt, in a process of its own."""
        return self.bench().attempt(self.work(asset, partition, content, **figures))

    def run(self, **contents: str) -> None:
        """Every step up to the promoted view, for both snapshots; another content than "a" for the assets named."""
        wanted = {PROMOTED, *(step.asset for step in ancestors(PROMOTED))}
        for asset, step in STEPS.items():
            if asset not in wanted:
                continue
            for key in (KEY, OTHER_KEY) if step.partitioned else (None,):
                self.attempt(asset, key, contents.get(asset, "a"))

    def content(self, name: str) -> str:
        """The one row that a table of the dataset serves."""
        (row,) = self.warehouse.query(f"SELECT content FROM `LeadScoring.{name}`")
        return str(row["content"])

    def names(self, prefix: str) -> list[str]:
        """Tables and views of the dataset by the start of their names."""
        return [name for name in self.warehouse.names("LeadScoring") if name.startswith(prefix)]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """An empty home."""
    gates = tmp_path / "gates.yaml"
    gates.write_text(GATES)
    settings = Settings(home=tmp_path / "home", data=tmp_path / "feed")
    settings.home.mkdir()
    lab = Lab(settings, DuckDBWarehouse(settings.warehouse_file, threads=1), gates)
    yield lab
    lab.warehouse.close()


def with_build(work: Work, build: Callable[[Candidates], Mapping[str, object]]) -> Work:
    """The same step, built in another way."""
    return replace(work, build=build)
