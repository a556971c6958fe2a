"""A home in production: the model's world, its only model champion, the day of the extract scored.

Belongs here: making it once. Steps 5.1 and 5.3 are claimed in the ledger (tests/gates/later_steps.py): what is tested
on such a home is what comes after them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from leadscore_v6.assets.production import scores as production
from leadscore_v6.assets.production.data import production_settings
from leadscore_v6.driver import ScoreRequest, raise_for, score
from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.models import known_models
from leadscore_v6.promotion import promote
from leadscore_v6.settings import Settings, from_environment
from tests.e2e.model_world import Modelled
from tests.gates.later_steps import shadowed, went


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


@contextmanager
def using(home: Path, feed: Path) -> Iterator[Settings]:
    """That home in the environment, where a run looks for it; no reasons of prospects, which would take longest."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LEADSCORE_HOME": home, "LEADSCORE_DATA": feed, "LEADSCORE_THREADS": "1"}.items():
            patch.setenv(name, str(value))
        configured = production_settings()
        few = replace(configured, scores=replace(configured.scores, prospects_with_reasons=0))
        patch.setattr(production, "production_settings", lambda: few)
        yield from_environment()


def go_live(modelled: Modelled, home: Path) -> None:
    """Make `home`: a copy of the model's, with a champion and a scored day."""
    shutil.copytree(modelled.home, home, ignore=shutil.ignore_patterns("dagster"))
    with using(home, modelled.feed) as settings:
        with open_bench(settings, "test", quiet) as bench:
            (model,) = known_models(bench.ledger)
            shadowed(bench, model.version)
            went(bench)
        promote(settings, model.version, "Ann", "passed <b>all</b>", quiet)
        raise_for(score(settings, {}, ScoreRequest(), quiet))
