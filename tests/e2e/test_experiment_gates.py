"""Each gate of steps 5.2 and 5.3 made to fail: it stops its run with exit 3 and every later one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.resources import WarehouseResource
from tests.e2e.experiment_cases import CASES, WARNINGS, Case
from tests.e2e.experiment_world import FINAL, INTERIM, POWER, Played, copy_of
from tests.e2e.sabotage import (
    GATES,
    REBUILD,
    Ran,
    SabotagedWarehouse,
    one_of_each_asset,
    require_each_is_made_to_fail,
)

EACH = one_of_each_asset(CASES)
STAGE = {POWER: "planned", INTERIM: "interim", FINAL: "final"}


@pytest.fixture(scope="module")
def homes(stages: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Played]:
    """One home per stage for all cases; each case mends what it broke."""
    made: dict[str, Played] = {}

    def at(name: str) -> Played:
        if name not in made:
            made[name] = copy_of(stages(name), tmp_path_factory.mktemp("gates") / name)
        return made[name]

    return at


@pytest.fixture
def world(request: pytest.FixtureRequest, homes: Callable[[str], Played]) -> Iterator[Played]:
    """The home of the stage at which the case's step is run."""
    case: Case = request.node.callspec.params["case"]
    with pytest.MonkeyPatch.context() as patch:
        yield homes(STAGE.get(case.asset, "enrolled")).use(patch)


def run(world: Played, case: Case) -> Ran:
    warehouse = SabotagedWarehouse(table=case.asset, select=case.select) if case.select else WarehouseResource()
    with case.patch():
        return world.product.materialize([case.asset], None, REBUILD, warehouse)


def test_every_gate_of_the_experiment_has_a_case() -> None:
    mine = {name for name, gate in GATES.items() if STEPS[gate["asset"]].group == "experiment"}
    require_each_is_made_to_fail(EACH, mine - set(WARNINGS))


@pytest.mark.parametrize("case", EACH)
def test_gate_holds(case: Case, world: Played) -> None:
    product = world.product
    published = dict(product.ledger.published())
    ran = run(world, case)
    assert ran.failed_checks == {case.gate, *case.also}
    (stop,) = ran.stops
    assert stop.exit_code == 3
    assert case.gate in stop.message
    assert stop.report is not None
    assert "🛑 FAILED" in stop.report.read_text()
    # Nothing is published, and what was is served.
    assert {name: attempt.key for name, attempt in product.ledger.published().items()} == {
        name: attempt.key for name, attempt in published.items()
    }
    # Whoever asks later, of what is made from it and of what uses it as it is.
    for name in (name for name, step in STEPS.items() if case.asset in step.before):
        with pytest.raises(GateBlocked, match=case.gate):
            guard(product.ledger, name, None)
    mended = product.materialize([case.asset], None, REBUILD)
    assert mended.stops == []
    assert mended.materialized == [case.asset]
