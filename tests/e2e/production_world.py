"""A home in production, made once for all tests: its only model is champion, the day of the extract is scored.

The world is that of the model's tests; steps 5.1 and 5.3 are claimed in the ledger (tests/gates/later_steps.py), since
they are not what is tested with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6.assets.production import scores as production
from leadscore_v6.assets.production.data import production_settings, read_day
from leadscore_v6.driver import ScoreRequest, raise_for, score
from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.models import known_models
from leadscore_v6.promotion import promote
from leadscore_v6.settings import Settings, from_environment
from leadscore_v6.warehouse.engines import open_warehouse
from tests.e2e.model_world import Modelled
from tests.gates.later_steps import shadowed, went
from tests.once import once

TABLE = "LeadScoring.production_scores_v6"


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


def run_once(modelled: Modelled, folder: Path) -> Path:
    """The home in `folder`, made by the first of pytest's workers that comes for it; nobody may change it."""
    home = folder / "home"

    def make() -> None:
        shutil.copytree(modelled.home, home, ignore=shutil.ignore_patterns("dagster"))
        with in_production(home, modelled.feed) as settings:
            _serve_and_score(settings)

    once(folder, make)
    return home


@contextmanager
def in_production(home: Path, feed: Path) -> Iterator[Settings]:
    """The environment of a home, with few reasons: those of ten thousand prospects are most of what scoring costs."""
    configured = production_settings()
    few = replace(configured, scores=replace(configured.scores, prospects_with_reasons=300))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LEADSCORE_HOME": home, "LEADSCORE_DATA": feed, "LEADSCORE_THREADS": "1"}.items():
            patch.setenv(name, str(value))
        patch.setattr(production, "production_settings", lambda: few)
        yield from_environment()


@contextmanager
def own_copy(production_home: Path, modelled: Modelled, folder: Path) -> Iterator[Settings]:
    """The environment of a copy of that home, in `folder`, for whoever changes it."""
    home = Path(shutil.copytree(production_home, folder / "home"))
    with in_production(home, modelled.feed) as settings:
        yield settings


def _serve_and_score(settings: Settings) -> None:
    with pytest.raises(GateBlocked, match="No model serves"):
        score(settings, {}, ScoreRequest(), quiet)
    with open_bench(settings, "test", quiet) as bench:
        (model,) = known_models(bench.ledger)
        shadowed(bench, model.version)
        went(bench)
    promote(settings, model.version, "Ann", "passed <b>all</b>", quiet)
    raise_for(score(settings, {}, ScoreRequest(), quiet))


def scored_day(settings: Settings) -> date:
    """The newest day that was scored."""
    key = str(read_ledger(settings)[0].keys("production_scores_v6")[-1])
    return date(int(key[:4]), int(key[4:6]), int(key[6:]))


def rows_of(settings: Settings, day: date) -> pd.DataFrame:
    """The scores of one day."""
    with open_warehouse(settings, read_only=True) as warehouse:
        return read_day(warehouse, TABLE, day)


def associates_file(settings: Settings) -> Path:
    """One associate."""
    file = settings.home.parent / "Associates.csv"
    file.write_text("associate\nAnn\n")
    return file
