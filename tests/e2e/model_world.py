"""A small world with a model worth having, or none: the sample world's feed with calls dealt anew.

Belongs here: which leads of Lead.csv got a call, and running the world once for all tests. A world that is small enough
for a test has too few conversions at 3.4 % for any interval; here more leads convert, and mostly those with a high true
probability, so that a model of a few thousand leads passes every gate. Nothing of the product is told.
"""

from __future__ import annotations

import csv
import pickle
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from leadscore_v6.assets.model import steps
from leadscore_v6.driver import raise_for, run_through
from leadscore_v6.sample_world import WorldSpec, write_world
from leadscore_v6.settings import from_environment
from tests.e2e.sabotage import Row, edit
from tests.once import once

SPEC = WorldSpec(scenario="demo", reps=11_000, leads=10_000, quarters=8, seed=11)


def write_feed(folder: Path) -> Path:
    """The feed; its truth is written beside it. Returns the truth."""
    return write_world(folder, SPEC, lambda _line: None).truth


def deal_learnable(folder: Path, truth: Path) -> None:
    """About one lead in five gets a call, nearly all of them among those that the truth thinks best.

    Few leads are left to chance, because in so small a world it is chance that a segment's ECE consists of.
    """
    log_odds = {lead: np.log(p / (1 - p)) for lead, p in probabilities(truth).items()}
    deal(folder, {lead: float(1 / (1 + np.exp(-1.6 * at - 5))) for lead, at in log_odds.items()}, seed=1)


def deal_at_random(folder: Path, truth: Path) -> None:
    """One lead in fourteen gets a call, whoever it is: nothing can be learned."""
    deal(folder, dict.fromkeys(probabilities(truth), 0.07), seed=2)


def probabilities(truth: Path) -> dict[str, float]:
    """True probability of each lead that counts."""
    with truth.open(newline="") as file:
        return {row["Id"]: float(row["probability"]) for row in csv.DictReader(file)}


def deal(folder: Path, chance: dict[str, float], seed: int) -> None:
    """Give each contacted lead a call on the day after its contact with its chance, and no other call."""
    draws = dict(zip(sorted(chance), np.random.default_rng(seed).random(len(chance)), strict=True))

    def change(records: list[Row]) -> None:
        for row in records:
            contacted, call = row["Stage_Entered_Contacting__c"], ""
            if contacted and draws[row["Id"]] < chance[row["Id"]]:
                moment = datetime.fromisoformat(contacted[:19]) + timedelta(days=1)
                call = f"{moment:%Y-%m-%d %H:%M:%S}"
            row["Stage_Entered_Call_Scheduled__c"] = call

    edit(folder / "Lead.csv", change)


# --- run once -------------------------------------------------------------------------------------------------------

# What the steps call of modeling/, by asset.
CALLS = {"trained_model": "train", "calibrated_model": "calibrate", "backtest": "refit_over_time"}


@dataclass(frozen=True)
class Modelled:
    """A learnable feed, its truth, the home in which it was run through to a backtested model; `results` by asset."""

    feed: Path
    truth: Path
    home: Path
    results: Path

    def fitted(self) -> dict[str, Any]:
        """What modeling/ gave in that run, so that no test has to fit again what it only wants to spoil."""
        found: dict[str, Any] = pickle.loads(self.results.read_bytes())  # noqa: S301 - written by the run itself
        return found


def run_once(folder: Path) -> Modelled:
    """The world in `folder`, made by the first of pytest's workers that comes for it; nobody may change it."""
    made = Modelled(folder / "feed", folder / "feed.truth" / "truth.csv", folder / "home", folder / "results.pkl")

    def make() -> None:
        deal_learnable(made.feed, write_feed(made.feed))
        made.results.write_bytes(pickle.dumps(_run(made)))

    once(folder, make)
    return made


def _run(made: Modelled) -> dict[str, Any]:
    results: dict[str, Any] = {}

    def kept(asset: str) -> Any:
        honest = getattr(steps, CALLS[asset])

        def call(*given: Any, **named: Any) -> Any:
            results[asset] = honest(*given, **named)
            return results[asset]

        return call

    with pytest.MonkeyPatch.context() as patch, ExitStack() as spies:
        patch.setenv("LEADSCORE_HOME", str(made.home))
        patch.setenv("LEADSCORE_DATA", str(made.feed))
        for asset, call in CALLS.items():
            spies.enter_context(mock.patch.object(steps, call, kept(asset)))
        raise_for(run_through(from_environment(), "model", {}, lambda _line: None))
    return results
