"""A small world that is played on through a test: planned, two weekly batches, both looks.

Belongs here: the world's size and calendar, and running pipeline and world in turns. The test is short because more
leads convert than in life: the model's world has one call in five, and the played months have as many (base-rate).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6.partitions import days, register
from leadscore_v6.sample_world import PlayRequest, play
from leadscore_v6.settings import from_environment
from tests.e2e.model_world import Modelled
from tests.e2e.sabotage import Product, Ran, Stop
from tests.once import once

POWER, ASSIGNMENTS, QUEUE = "ab_test_power_analysis_v6", "ab_test_assignments_v6", "ab_test_queue_v6"
DAILY, INTERIM, FINAL = "ab_test_daily_metrics_v6", "ab_test_interim_analysis_v6", "ab_test_final_analysis_v6"
CRM = ["crm_leads", "crm_associates", "crm_dials"]
WEEK = [ASSIGNMENTS, QUEUE, DAILY]
# Shadow scores are of the last seven days before the plan.
SHADOW_DAYS = [f"202511{day}" for day in range(25, 31)] + ["20251201"]
BATCHES = 2


class Played:
    """A home and its feed below one folder: the pipeline in this process, the world beside it.

    A run reads home and feed in the environment: `use` sets it.
    """

    def __init__(self, folder: Path, *, null: bool = False) -> None:
        self.feed, self.null = folder / "feed", null
        self.environment = {
            "LEADSCORE_HOME": str(folder / "home"),
            "LEADSCORE_DATA": str(self.feed),
            "LEADSCORE_THREADS": "1",
        }
        self.product = Product(from_environment(self.environment), [], {})

    def use(self, patch: pytest.MonkeyPatch) -> Played:
        for name, value in self.environment.items():
            patch.setenv(name, value)
        return self

    @property
    def artifacts(self) -> Path:
        return Path(str(self.product.settings.artifacts))

    def let_pass(self, weeks: int, queue: Path | None = None) -> None:
        """Weeks of the world; the queue is dialled in the first of them."""
        drift = ("base-rate:4",) if not (self.feed.with_name("feed.truth") / "played_leads.csv").exists() else ()
        play(self.feed, PlayRequest(weeks=weeks, queue=queue, weekly_leads=1000, null=self.null, drifts=drift))

    def land(self) -> Ran:
        return self.product.materialize(CRM, None)

    def week(self) -> Ran:
        """What is new of the CRM, then the week's steps."""
        ran = self.land()
        assert ran.stops == []
        return self.product.materialize(WEEK, None)

    def begin(self) -> None:
        """Four weeks as usual, seven days of shadow scores, and the plan."""
        self.let_pass(4)
        assert self.land().stops == []
        register(self.product.instance, days, SHADOW_DAYS)
        assert self.product.materialize(["serving_advisors_v6"], None).stops == []
        for day in SHADOW_DAYS:
            assert self.product.materialize(["shadow_scores_v6"], day).stops == []
        assert self.product.materialize(["shadow_scoring"], None).stops == []
        assert self.product.materialize([POWER], None).stops == []

    def enrol(self, batches: int = BATCHES) -> None:
        """Weekly batches, each dialled in the week after it."""
        for number in range(batches):
            self.let_pass(1, self.artifacts / f"{QUEUE}.csv" if number else None)
            assert self.week().stops == []

    def follow_up(self, weeks: int, *, dial: bool = False) -> Ran:
        self.let_pass(weeks, self.artifacts / f"{QUEUE}.csv" if dial else None)
        return self.week()


At = Callable[[str], Played]


def table(world: Played, name: str) -> pd.DataFrame:
    """A published table of the home, its rows in order."""
    with world.product.open_by_hand(read_only=True) as connection:
        return connection.execute(f"SELECT * FROM LeadScoring.{name} ORDER BY ALL").df()


def stopped(ran: Ran) -> Stop:
    """The step that stopped a run that had to stop."""
    assert ran.stops, f"nothing stopped it, and {ran.materialized} was made"
    return ran.stops[0]


# --- run once -------------------------------------------------------------------------------------------------------

# The plan is published; two batches are assigned, the first is dialled; the interim look is due; the final one is.
STAGES = ("planned", "enrolled", "interim", "final")


def stage(modelled: Modelled, base: Path, name: str) -> Path:
    """The folder of a stage (home, feed, feed.truth), made with those before it by the first worker that comes for one.

    Nobody may change it: `copy_of` gives one's own.
    """
    once(base, lambda: _play_all(modelled, base))
    return base / name


def copy_of(made: Path, folder: Path) -> Played:
    """One's own home and world at a stage."""
    shutil.copytree(made, folder)
    return Played(folder)


def begin(modelled: Modelled, folder: Path, *, null: bool = False) -> Played:
    """The modelled home and its feed, copied into `folder`."""
    shutil.copytree(modelled.home, folder / "home", ignore=shutil.ignore_patterns("dagster"))
    shutil.copytree(modelled.feed, folder / "feed")
    shutil.copytree(modelled.truth.parent, folder / "feed.truth")
    return Played(folder, null=null)


def _play_all(modelled: Modelled, base: Path) -> None:
    work = base / "work"
    with pytest.MonkeyPatch.context() as patch:
        world = begin(modelled, work).use(patch)
        world.begin()
        shutil.copytree(work, base / "planned", dirs_exist_ok=True)
        world.enrol()
        shutil.copytree(work, base / "enrolled", dirs_exist_ok=True)
        assert world.follow_up(4, dial=True).stops == []
        shutil.copytree(work, base / "interim", dirs_exist_ok=True)
        assert world.product.materialize([INTERIM], None).stops == []
        assert world.follow_up(2).stops == []
    work.rename(base / STAGES[-1])
