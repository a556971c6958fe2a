"""A refresh that stops at a step: what it found of the newest model is decided and told, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from leadscore_v6 import decision, driver, refresh
from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.decision import decision_page
from leadscore_v6.errors import GateBlocked, InputError
from leadscore_v6.gates.attempt import Bench, Candidates, Outcome
from leadscore_v6.gates.champions import champion, queue, queued
from leadscore_v6.gates.decisions import Waiver, waive
from leadscore_v6.gates.models import KnownModel, known_models
from leadscore_v6.runs import Failure, Summary
from tests.champion_home import champion_home
from tests.gates.conftest import TODAY, Lab, with_build
from tests.gates.later_steps import shadowed
from tests.gates.test_champions import decision as won
from tests.gates.test_champions import validated
from tests.gates.test_model_attempts import attempt, work

TRAINED = "trained_model"
Refresh = Callable[[Callable[[], Failure]], None]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Lab]:
    """A home with a champion."""
    yield from champion_home(tmp_path)


@pytest.fixture
def run(home: Lab, monkeypatch: pytest.MonkeyPatch) -> Refresh:
    """A refresh whose one run is given, by the gates of the tests; whoever is compared with the champion wins."""

    @contextmanager
    def opened(*_asked: object) -> Iterator[Bench]:
        yield home.bench()

    def against(bench: Bench, challenger: KnownModel, _progress: object) -> object:
        reign = champion(bench.ledger)
        return won(reign.version, challenger.version) if challenger.validated else None

    monkeypatch.setattr(refresh, "open_bench", opened)
    monkeypatch.setattr(refresh, "read_ledger", lambda _settings: (home.bench().ledger, False))
    monkeypatch.setattr(decision, "against_champion", against)

    def refreshed(failing: Callable[[], Failure]) -> None:
        monkeypatch.setattr(driver, "run_through", lambda *_asked: Summary(failures=[failing()]))
        refresh.refresh(home.settings, {}, "Ann", lambda _line: None)

    return refreshed


def pages(home: Lab) -> list[str]:
    """Versions that a decision was written about."""
    versions = [model.version for model in known_models(home.bench().ledger)]
    return [version for version in versions if ArtifactStore(home.settings.artifacts).exists(decision_page(version))]


def stopped(outcome: Outcome) -> Failure:
    """As a run tells of a step that a gate stopped."""
    assert outcome.blocking
    return Failure(outcome.attempt.asset, f"{outcome.attempt.asset}: a gate failed", 3, None)


@pytest.mark.parametrize("waits", [True, False])
def test_a_training_that_is_refused_decides_nothing_about_the_model_of_the_refresh_before(
    home: Lab, run: Refresh, *, waits: bool
) -> None:
    first = champion(home.bench().ledger).version
    second = validated(home, "new trees")
    if waits:
        shadowed(home.bench(), second.version)
        queue(home.bench(), second, won(first, second.version), "Ann")

    def refused() -> Failure:
        def build(_candidates: Candidates) -> Mapping[str, object]:
            raise InputError("its leads are of one class")

        with pytest.raises(InputError) as error:
            home.bench().attempt(with_build(work(home, TRAINED, "newer trees"), build))
        return Failure(TRAINED, str(error.value), 2, None)

    with pytest.raises(InputError, match="of one class"):
        run(refused)
    ledger = home.bench().ledger
    assert ledger.latest(TRAINED).state == "refused"
    assert (champion(ledger).version, queued(ledger)) == (first, second.version if waits else None)
    assert pages(home) == []


def test_a_refresh_that_failed_promotes_nothing(home: Lab, run: Refresh) -> None:
    """An earlier model is the newest again, as its training set is; its shadow days are of then."""
    first = champion(home.bench().ledger).version
    second = validated(home, "new trees")
    shadowed(home.bench(), second.version)
    validated(home, "newer trees")

    def days_failed() -> Failure:
        assert validated(home, "new trees").version == second.version
        return Failure("shadow_scores_v6", "shadow_scores_v6: the serving copy was altered", 2, None)

    with pytest.raises(InputError, match="was altered"):
        run(days_failed)
    ledger = home.bench().ledger
    assert known_models(ledger)[0].version == second.version
    assert (champion(ledger).version, pages(home)) == (first, [])


def test_of_data_that_were_stopped_no_model_is_told(home: Lab, run: Refresh) -> None:
    attempt(home, content="weak", auc_pr=0.06)
    with pytest.raises(GateBlocked):
        run(lambda: Failure("snapshot_reps", "snapshot_reps: a gate failed", 3, None))
    assert pages(home) == []


def test_a_challenger_that_is_stopped_is_told_and_told_anew_after_a_waiver(home: Lab, run: Refresh) -> None:
    def weak() -> Failure:
        return stopped(attempt(home, content="weak", auc_pr=0.06, leaks=1))

    def page() -> str:
        (version,) = pages(home)
        return ArtifactStore(home.settings.artifacts).read(decision_page(version)).decode()

    with pytest.raises(GateBlocked):
        run(weak)
    assert ["cv_auc_pr" in page(), "canaries" in page()] == [True, True]
    # Waived before the second refresh begins: neither attempt nor state is another one then.
    key = home.bench().ledger.latest(TRAINED).key
    waive(home.bench(), Waiver("cv_auc_pr", key, "Bob", "a pilot", TODAY + timedelta(days=9)))
    with pytest.raises(GateBlocked):
        run(weak)
    assert home.bench().ledger.latest(TRAINED).key == key
    assert ["cv_auc_pr" in page(), "canaries" in page()] == [False, True]
