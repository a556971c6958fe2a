"""Each gate of steps 4.1 to 4.4 made to fail: it stops its run with exit 3 and every later one; nothing is published.

The model is fitted once; each case runs the very assets that the CLI and the UI run, with one thing spoiled.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from leadscore_v6.assets.model import steps
from leadscore_v6.errors import GateBlocked
from leadscore_v6.gates.guard import guard
from leadscore_v6.settings import from_environment
from tests.e2e.model_cases import CASES, NOT_JUDGEABLE, WARNING, Case
from tests.e2e.model_world import CALLS, Modelled
from tests.e2e.sabotage import GATES, REBUILD, Product, Ran, one_of_each_asset, require_each_is_made_to_fail

ASSETS = ("trained_model", "calibrated_model", "backtest")
EACH = one_of_each_asset(CASES)


class Fitted:
    """The product on a home with a model, and what modeling/ gave when it was made."""

    def __init__(self, product: Product, results: dict[str, Any]) -> None:
        self.product = product
        self.results = results

    def run(self, assets: tuple[str, ...], case: Case | None = None) -> Ran:
        """Run some assets anew, with what modeling/ gave before in place of fitting; of a case, with what it spoils."""
        with ExitStack() as patched:
            for asset, call in CALLS.items():
                result = self.results[asset]
                if case is not None and case.asset == asset:
                    result = case.result(result)
                patched.enter_context(mock.patch.object(steps, call, lambda *_given, _made=result, **_named: _made))
            if case is not None and case.patch is not None:
                patched.enter_context(case.patch())
            return self.product.materialize(list(assets), None, REBUILD)


@pytest.fixture(scope="module")
def fitted(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fitted]:
    home = tmp_path_factory.mktemp("model_gates") / "home"
    shutil.copytree(modelled.home, home, ignore=shutil.ignore_patterns("dagster"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LEADSCORE_HOME": home, "LEADSCORE_DATA": modelled.feed, "LEADSCORE_THREADS": "1"}.items():
            patch.setenv(name, str(value))
        yield Fitted(Product(from_environment(), [], {}), modelled.fitted())


def test_every_gate_of_the_model_has_a_case() -> None:
    mine = {name for name, gate in GATES.items() if gate["asset"] in ASSETS}
    require_each_is_made_to_fail(EACH, mine - {WARNING.gate})


@pytest.mark.parametrize("case", EACH)
def test_a_gate_that_fails_holds(case: Case, fitted: Fitted) -> None:
    product, folder = fitted.product, fitted.product.settings.artifacts
    published, folders = dict(product.ledger.published()), set(folder.glob("[!.]*_v6_*/"))
    ran = fitted.run((case.asset,), case)
    # This run stops with the gate's name, figure and report; only the gates of this fault fail.
    assert ran.failed_checks == {case.gate}
    (stop,) = ran.stops
    assert stop.exit_code == 3
    assert case.gate in stop.message
    assert GATES[case.gate]["figure"] in stop.message
    assert stop.report is not None
    assert f"**STATUS: 🛑 FAILED** - {case.gate}" in stop.report.read_text()
    # Nothing is published, and what was is served.
    assert product.ledger.published() == published
    assert {path for path in folder.glob("[!.]*_v6_*/") if not path.name.startswith("candidate__")} == {
        path for path in folders if not path.name.startswith("candidate__")
    }
    # Every later step refuses, whoever asks.
    for later in ASSETS[ASSETS.index(case.asset) + 1 :]:
        with pytest.raises(GateBlocked, match=case.gate):
            guard(product.ledger, later, None)
        (refusal,) = product.materialize([later], None).stops
        assert refusal.exit_code == 3
    # Mended, it goes on.
    mended = fitted.run((case.asset,))
    assert mended.stops == []
    assert mended.materialized == [case.asset]


@pytest.mark.parametrize("case", one_of_each_asset(NOT_JUDGEABLE))
def test_what_cannot_be_judged_stops_as_well(case: Case, fitted: Fitted) -> None:
    ran = fitted.run((case.asset,), case)
    assert ran.failed_checks == {case.gate}
    assert ran.checks[case.gate].metadata["verdict"].value == "not judgeable"
    assert ran.stops[0].exit_code == 3
    assert "🛑 NOT JUDGEABLE" in Path(ran.stops[0].report).read_text()
    assert fitted.run((case.asset,)).stops == []


def test_random_folds_are_told_in_red_and_stop_nothing(fitted: Fitted) -> None:
    ran = fitted.run(("trained_model",), WARNING)
    assert ran.stops == []
    assert [name for name, check in ran.checks.items() if not check.passed] == [WARNING.gate]
    version = fitted.product.ledger.latest("trained_model").version
    report = fitted.product.settings.artifacts / f"model_training_report_v6_{version}.md"
    assert '<span style="color:red">**RANDOM FOLDS.**' in report.read_text().partition("## Gates")[0]
    # All three in one run, as the job has them.
    assert fitted.run(ASSETS).materialized == list(ASSETS)
