"""The quarterly refresh (plan step 6.2): all of Phases 1 and 2 on what was delivered, seven shadow days, the decision.

Belongs here: which runs a refresh is, and what ends it early. Does not belong here: the decision (decision.py), or
commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadscore_v6 import decision, driver
from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import verify
from leadscore_v6.decision import Refreshed
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.champions import champion, obstacles, shadow_of
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.models import KnownModel, folder_of, known_models, manifest_digest
from leadscore_v6.settings import Settings

if TYPE_CHECKING:
    from leadscore_v6.runs import Summary

Progress = Callable[[str], None]
Standing = set[tuple[str, str]]  # attempts at the steps of the newest model, each with its state


def refresh(settings: Settings, options: dict[str, Any], by: str, progress: Progress) -> Refreshed:
    """Run everything through to seven shadow days, decide, write `champion_decision_v6_{version}.md`.

    Raises what stops a run: a challenger whose gates fail is no challenger, the champion stays, and the page says so.
    The same delivery again is known, and what was decided stands. UsageError without a name; InputError, before
    anything is run, where the champion's files are not what was published.
    """
    if not by.strip():
        raise UsageError("A refresh may change which model serves: say who asks for it (--by).")
    before = _require_champion_intact(settings)
    summary = driver.run_through(settings, "shadow", options, progress)
    if summary.failures:
        _tell_what_stopped(settings, before, by.strip(), progress, summary)
        driver.raise_for(summary)
    return decide(settings, by.strip(), progress)


def decide(settings: Settings, by: str, progress: Progress) -> Refreshed:
    """The decision about the newest model, carried out and written, or that which stands."""
    with open_bench(settings, "leadscore refresh", progress) as bench:
        return decision.decide(bench, settings, by, progress)


def _require_champion_intact(settings: Settings) -> Standing:
    """How the newest model stands so far. Building a challenger takes minutes; a broken champion shows at once."""
    if settings.engine == "duckdb" and not settings.warehouse_file.exists():
        return set()
    ledger, _ = read_ledger(settings)
    reign, folders = champion(ledger), FolderStore(settings.model_folders)
    if reign is not None:
        for attempt in (reign.model.trained, reign.calibrated):
            verify(folders.path(folder_of(attempt)), manifest_digest(attempt))
    return _standing(ledger)


def _standing(ledger: Ledger) -> Standing:
    newest = next(iter(known_models(ledger)), None)
    return {(one.key, one.state) for one in _made(ledger, newest)} if newest is not None else set()


def _made(ledger: Ledger, model: KnownModel) -> list[Attempt]:
    steps = (model.trained, model.calibrated, model.backtest, shadow_of(ledger, model))
    return [attempt for attempt in steps if attempt is not None]


def _tell_what_stopped(settings: Settings, before: Standing, by: str, progress: Progress, summary: Summary) -> None:
    """A challenger about which this refresh found anything has its page; stopped data has its gate's report.

    One of which nothing was judged is that of a former refresh: a training that was refused decides nothing about it.
    Nor is one decided about that nothing is against: what failed leaves it as it was then, and might promote it.
    One that a gate stops again is told of anew: a waiver since leaves its state as it was, and its page names the gate.
    """
    ledger, _ = read_ledger(settings)
    newest, reign = next(iter(known_models(ledger)), None), champion(ledger)
    if newest is None or not obstacles(ledger, newest) or (reign is not None and newest.version == reign.version):
        return
    keys = {attempt.key for attempt in _made(ledger, newest)}
    failed = (ledger.latest(failure.step) for failure in summary.failures)
    if _standing(ledger) != before or any(one is not None and one.key in keys for one in failed):
        progress(f"{len(summary.failures)} steps failed: model {newest.version} is no challenger")
        decide(settings, by, progress)
