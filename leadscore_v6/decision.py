"""The decision about a refreshed model (plan step 6.2): what R31 and R58 say, carried out, and written down.

Belongs here: what becomes of the newest model, and the pages that tell of it. Does not belong here: which runs make a
refresh (refresh.py, refresh_sensor.py), comparing (monitoring/champion.py), what a promotion asks (gates/champions.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.dashboard_panels.home import counted_to
from leadscore_v6.errors import UsageError
from leadscore_v6.gates import champions
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.caveats import caveats
from leadscore_v6.gates.champions import Reign
from leadscore_v6.gates.decisions import PROMOTED as PROMOTED_SET
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.lineage import is_synthetic
from leadscore_v6.gates.models import BACKTEST, KnownModel, known_models, model_line
from leadscore_v6.gates.programme import experiment_runs
from leadscore_v6.locations import Location
from leadscore_v6.promotion import against_champion
from leadscore_v6.reports.production_model import PAGE, Serving, render_serving
from leadscore_v6.reports.refresh import FIRST, KEPT, PROMOTED, QUEUED, STANDS, STOPPED, DecisionReport, render_decision
from leadscore_v6.settings import Settings

if TYPE_CHECKING:
    from leadscore_v6.monitoring.champion import Decision

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Refreshed:
    """What became of the newest model, and where it is written."""

    report: DecisionReport
    path: Location


def decide(bench: Bench, settings: Settings, by: str, progress: Progress) -> Refreshed:
    """The decision about the newest model, carried out and written. Where the newest serves already, what stands.

    Of one that was carried out, and broken off before its pages were written, they are written now.

    A model that a gate stopped is no challenger: the champion stays, and the page says which gate. Raises UsageError
    where no model was ever judged.
    """
    newest = next(iter(known_models(bench.ledger)), None)
    if newest is None:
        raise UsageError("No model was ever trained here: `leadscore model list`.")
    reign = champions.champion(bench.ledger)
    if reign is not None and reign.version == newest.version:
        return _told(bench, settings, reign)
    decision = against_champion(bench, newest, progress)
    return _write(bench, settings, _decided(bench, newest, decision, by))


def _told(bench: Bench, settings: Settings, reign: Reign) -> Refreshed:
    """The decision that stands: its page where it has one, which is written now if it was not yet."""
    store, page = ArtifactStore(settings.artifacts), decision_page(reign.version)
    if "against" in reign.evidence and not store.exists(page):
        return _write(bench, settings, _carried_out(bench, reign))
    serving = write_serving(bench.ledger, settings)
    return Refreshed(_stands(bench, reign), settings.artifacts / page if store.exists(page) else serving)


def _write(bench: Bench, settings: Settings, report: DecisionReport) -> Refreshed:
    path = ArtifactStore(settings.artifacts).write(decision_page(report.challenger), render_decision(report))
    write_serving(bench.ledger, settings)
    return Refreshed(report, path)


def nothing_judged(ledger: Ledger) -> str | None:
    """Why there is nothing to decide although a refresh ended: no model of the promoted training set was judged.

    The newest model is then one of a former refresh, and decided about.
    """
    newest, promoted = next(iter(known_models(ledger)), None), ledger.latest(PROMOTED_SET)
    version = promoted.facts.get("promoted_version") if promoted is not None else None
    if newest is None or newest.trained.facts.get("dataset_version") != version:
        return f"No model of training set {version} was judged: nothing is decided, and what serves goes on."
    return None


def decision_page(version: str) -> str:
    """Name of the page about a model."""
    return f"champion_decision_v6_{version}.md"


def tell_what_serves(settings: Settings) -> Location:
    """Write the page of what serves anew, after a person's promotion, rollback or withdrawal."""
    return write_serving(read_ledger(settings)[0], settings)


def write_serving(ledger: Ledger, settings: Settings) -> Location:
    """Write `production_model_v6.md` from the ledger: which model serves, since when, who was before, who waits."""
    models = known_models(ledger)
    reign, waiting = champions.champion(ledger), champions.queued(ledger)
    as_of = counted_to(ledger)
    serving = Serving(
        as_of=as_of,
        champion=reign.version if reign else None,
        since=f"{reign.since:%Y-%m-%d %H:%M}" if reign else "",
        how=reign.how if reign else "",
        by=reign.by if reign else "",
        reason=reign.reason if reign else "",
        figures=dict(reign.evidence) if reign else {},
        waiting=waiting,
        test_runs=experiment_runs(ledger),
        models=[model_line(ledger, model, champions.role(ledger, model)) for model in models],
        reigns=[
            (f"{one.since:%Y-%m-%d %H:%M}", one.version, one.how, one.by, one.reason)
            for one in reversed(champions.reigns(ledger))
        ],
        caveats=caveats(ledger, reign, as_of) if reign else [],
        synthetic=is_synthetic(ledger, BACKTEST),
    )
    return ArtifactStore(settings.artifacts).write(PAGE, render_serving(serving))


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
    if not challenger.validated:
        outcome, headline = STOPPED, f"Model {challenger.version} was stopped at {challenger.furthest.asset}."
    elif before is not None and not missed and decision is not None:
        if experiment_runs(bench.ledger):
            if champions.queued(bench.ledger) != challenger.version:
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


def _stands(bench: Bench, reign: Reign) -> DecisionReport:
    """The same delivery again, or none: there is no model about which anything is left to decide."""
    return DecisionReport(
        outcome=STANDS,
        challenger=reign.version,
        champion=reign.version,
        headline=f"Nothing was delivered that makes another model: it serves since {reign.since:%Y-%m-%d %H:%M}, "
        f"{reign.how} by {reign.by} ({reign.reason}).",
        missed=(),
        conditions=(),
        figures={},
        age=None,
        by=reign.by,
        synthetic=is_synthetic(bench.ledger, BACKTEST),
    )


def _carried_out(bench: Bench, reign: Reign) -> DecisionReport:
    """A promotion as its line in the ledger has it: R31's figures, without the sentences about its conditions."""
    claims, headline = ("gates", "shadow", "go", "against", "headline"), reign.evidence["headline"]
    return DecisionReport(
        outcome=PROMOTED,
        challenger=reign.version,
        champion=str(reign.evidence["against"]),
        headline=f"{headline} Decided on {reign.since:%Y-%m-%d %H:%M}; written later, from the ledger.",
        missed=(),
        conditions=(),
        figures={name: value for name, value in reign.evidence.items() if name not in claims},
        age=None,
        by=reign.by,
        synthetic=is_synthetic(bench.ledger, BACKTEST),
    )
