"""Phase 2 by the command line on BigQuery: the same gates, figures and answers as on DuckDB, from the same world."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from leadscore_v6.settings import Settings
from tests.conformance.conftest import bring_leads, variables
from tests.e2e.model_world import Modelled, probabilities
from tests.e2e.process import leadscore

STEPS = {"trained_model", "calibrated_model", "backtest"}


@pytest.mark.prove
def test_the_model_phase_is_the_same_on_bigquery(modelled: Modelled, cloud: Settings) -> None:
    """Train, calibrate and backtest read the promoted view through another client; nothing of it may show."""
    shutil.copytree(modelled.feed, cloud.data)
    bring_leads(cloud, cloud.data / "Lead.csv")
    (cloud.data / "Lead.csv").unlink()  # the CRM's table is where they come from
    run = leadscore("run", "--data", cloud.data, "--home", cloud.home, "--through", "model", **variables(cloud))
    assert run.returncode == 0, run.stderr
    homes: list[tuple[object, dict[str, str]]] = [(modelled.home, {}), (cloud.home, variables(cloud))]
    ours, theirs = (_gates(home, environment) for home, environment in homes)
    assert ours == theirs
    assert {asset for asset, *_ in ours} == STEPS
    lead = min(probabilities(modelled.truth))
    ours_said, theirs_said = (
        json.loads(leadscore("why", lead, "--json", "--home", home, **environment).stdout)
        for home, environment in homes
    )
    same = ("probability", "rank", "reasons", "warnings", "contacted")
    assert [ours_said[name] for name in same] == [theirs_said[name] for name in same]


def _gates(home: object, environment: dict[str, str]) -> list[tuple[Any, ...]]:
    told = leadscore("status", "--home", home, "--json", **environment)
    assert told.returncode == 0, told.stderr
    return [
        (line["asset"], line["gate"], line["figure"], line["verdict"])
        for line in json.loads(told.stdout)
        if line["asset"] in STEPS
    ]
