"""The quarterly refresh (plan step 6.2): all of Phases 1 and 2 on what was delivered, then the decision, written down.

Belongs here: which runs a refresh is, what is decided of the model that it gives, and carrying that out. Does not
belong here: the comparison (monitoring/champion.py), conditions of a promotion (gates/champions.py), commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadscore_v6 import driver
from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.errors import UsageError
from leadscore_v6.gates import champions
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.lineage import is_synthetic
from leadscore_v6.gates.models import BACKTEST, KnownModel, known_models
from leadscore_v6.locations import Location
from leadscore_v6.promotion import against_champion
from leadscore_v6.reports.refresh import FIRST, KEPT, PROMOTED, QUEUED, DecisionReport, render_decision
from leadscore_v6.settings import Settings

if TYPE_CHECKING:
    from leadscore_v6.monitoring.champion import Decision

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Refreshed:
    """What became of the newest model, and where it is written."""

    report: DecisionReport
    path: Location


def refresh(settings: Settings, options: dict[str, Any], by: str, progress: Progress) -> Refreshed:
    """Run everything through to seven shadow days, decide, write `champion_decision_v6_{version}.md`.

    Raises what stops a run: a challenger whose gates fail is no challenger, and the champion stays. UsageError without
    a name, or where the newest model is the champion (nothing new was delivered).
    """
    if not by.strip():
        raise UsageError("A refresh may change which model serves: say who asks for it (--by).")
    driver.raise_for(driver.run_through(settings, "shadow", options, progress))
    return decide(settings, by.strip(), progress)


def decide(settings: Settings, by: str, progress: Progress) -> Refreshed:
    """The decision about the newest model that passed its gates, carried out and written."""
    with open_bench(settings, "leadscore refresh", progress) as bench:
        challenger = _newest(bench)
        decision = against_champion(bench, challenger, progress)
        report = _decided(bench, challenger, decision, by)
    name = f"champion_decision_v6_{challenger.version}.md"
    return Refreshed(report, ArtifactStore(settings.artifacts).write(name, render_decision(report)))


def _newest(bench: Bench) -> KnownModel:
    newest = next((model for model in known_models(bench.ledger) if model.validated), None)
    if newest is None:
        raise UsageError("No model has passed steps 4.1 to 4.4 here: `leadscore model list`.")
    reign = champions.champion(bench.ledger)
    if reign is not None and reign.version == newest.version:
        raise UsageError(
            f"The newest model, {newest.version}, is the champion already: nothing was delivered that makes another."
        )
    return newest


def _decided(bench: Bench, challenger: KnownModel, decision: Decision | None, by: str) -> DecisionReport:
    """R31 decides, and R58 when: while a test runs a challenger that won waits for its end."""
    before = champions.champion(bench.ledger)
    missed = list(champions.obstacles(bench.ledger, challenger))
    missed += list(decision.reasons) if decision is not None and not decision.promotes else []
    back = champions.rolled_back_from(bench.ledger, challenger)
    if back is not None:
        missed.append(
            f"it was rolled back from on {back.since:%Y-%m-%d} by {back.by} ({back.reason}): only a person brings it "
            "back, by `leadscore promote`"
        )
    outcome = FIRST if before is None else KEPT
    headline = decision.headline if decision else "The first champion is a person's decision: `leadscore promote`."
    if before is not None and not missed and decision is not None:
        if champions.experiment_runs(bench.ledger):
            champions.queue(bench, challenger, decision, by)
            outcome = QUEUED
        else:
            champions.promote(bench, challenger, decision, by, f"refresh: {headline}")
            outcome = PROMOTED
    return DecisionReport(
        outcome=outcome,
        challenger=challenger.version,
        champion=before.version if before else None,
        headline=headline,
        missed=missed,
        conditions=decision.rows() if decision else (),
        figures=decision.figures() if decision else {},
        age=decision.age if decision else None,
        by=by,
        synthetic=is_synthetic(bench.ledger, BACKTEST),
    )
