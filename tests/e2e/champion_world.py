"""The model's world with its only model as champion, played on with calls dealt as that model learned them.

Belongs here: what tests of production share. Steps 5.1 and 5.3 are claimed in the ledger (tests/gates/later_steps.py),
since they are not what is tested here. Nothing of the product is told.
"""

from __future__ import annotations

import csv
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.models import known_models
from leadscore_v6.promotion import promote
from leadscore_v6.sample_world import PlayRequest, play
from leadscore_v6.settings import Settings, from_environment
from tests.e2e.model_world import Modelled
from tests.e2e.sabotage import Row, edit
from tests.gates.later_steps import shadowed, went


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


def copy_of(modelled: Modelled, folder: Path, patch: pytest.MonkeyPatch) -> Settings:
    """One's own home, feed and truth below `folder`, which the environment names from now on."""
    shutil.copytree(modelled.home, folder / "home", ignore=shutil.ignore_patterns("dagster"))
    shutil.copytree(modelled.feed, folder / "feed")
    shutil.copytree(modelled.truth.parent, folder / "feed.truth")
    named = {"LEADSCORE_HOME": folder / "home", "LEADSCORE_DATA": folder / "feed", "LEADSCORE_THREADS": "1"}
    for name, value in named.items():
        patch.setenv(name, str(value))
    return from_environment()


def crown(settings: Settings) -> str:
    """Make its only model champion; its version."""
    with open_bench(settings, "test", quiet) as bench:
        (model,) = known_models(bench.ledger)
        shadowed(bench, model.version)
        went(bench)
    promote(settings, model.version, "Ann", "passed all", quiet)
    return model.version


def play_on(feed: Path, weeks: int, *drifts: str, snapshots: bool = False) -> None:
    """Weeks of 1,000 leads, dialled as ever; calls dealt as `deal_learnable` dealt those that the model learned.

    By the truth of each played lead, which a drift has changed.
    """
    play(feed, PlayRequest(weeks=weeks, weekly_leads=1_000, snapshots=snapshots, drifts=drifts))
    with (feed.with_name(f"{feed.name}.truth") / "played_leads.csv").open(newline="") as file:
        true = {row["Id"]: float(row["probability"]) for row in csv.DictReader(file)}
    with (feed / "Dials.csv").open(newline="") as file:
        dialled = {row["Id"]: row["dialled_at"] for row in csv.DictReader(file)}
    draws = dict(zip(sorted(true), np.random.default_rng(3).random(len(true)), strict=True))

    def change(records: list[Row]) -> None:
        for row in records:
            lead, call = row["Id"], ""
            if lead not in true:
                continue
            if lead in dialled and draws[lead] < _chance(true[lead]):
                moment = datetime.fromisoformat(dialled[lead][:19]) + timedelta(days=1)
                call = f"{moment:%Y-%m-%d %H:%M:%S}"
            row["Stage_Entered_Call_Scheduled__c"] = call

    edit(feed / "Lead.csv", change)


def _chance(p: float) -> float:
    log_odds = np.log(p / (1 - p))
    return float(1 / (1 + np.exp(-1.6 * log_odds - 5)))
