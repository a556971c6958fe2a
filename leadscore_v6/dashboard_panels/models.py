"""Which model serves, since when, by whom and why; which others there are (plan 6.2, R31, R58)."""

from __future__ import annotations

from leadscore_v6.dashboard.charts import Row, intervals
from leadscore_v6.dashboard.page import Block, Chart, Panel, State, Table, Verdict, Words
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import Home
from leadscore_v6.dashboard_panels.words import not_yet, number
from leadscore_v6.gates.caveats import caveats
from leadscore_v6.gates.champions import Reign, champion, damage, queued, reigns, role
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.models import KnownModel, known_models, model_line

_MOST_SHOWN = 8
# What must be known of the champion: so much of it among the verdicts, all of it in the panel.
_MOST_SAID = 2
_WHOLE_AGAIN = (
    "`leadscore restore ARCHIVE --home NEW` from the newest backup; or `leadscore rollback --model FORMER --by NAME "
    "--reason WHY`, which lets a former model serve."
)


def models(home: Home, panel: PanelSettings) -> Panel:
    """The champion and what must be known of it, the history of reigns, every model with its figures."""
    ledger, known = home.ledger, known_models(home.ledger)
    blocks: list[Block] = []
    reign = champion(home.ledger)
    known_of_it = [] if reign is None else caveats(ledger, reign, home.as_of)
    blocks += [Words(one, is_warning=True) for one in known_of_it]
    if known:
        blocks += [*_figures(known), _table(ledger, known)]
    history = reigns(ledger)
    if history:
        blocks.append(_history(history))
    return Panel(panel.panel, panel.title, panel.asks, _verdict(home, panel, known, known_of_it), tuple(blocks))


def _verdict(home: Home, panel: PanelSettings, known: list[KnownModel], known_of_it: list[str]) -> Verdict:
    reign = champion(home.ledger)
    if reign is None:
        if not known:
            makes = "`leadscore run --data FOLDER --through model` makes one."
            return Verdict(State.NOT_YET, "No model has been trained yet.", makes)
        return not_yet(panel, f"No model serves; the newest, {known[0].version}, was not promoted.")
    broken = "" if home.folders is None else damage(home.folders, reign)
    if broken:
        says = f"Model {reign.version} cannot score any more, its files are not what was published: {broken}."
        return Verdict(State.STOPPED, says, _WHOLE_AGAIN)
    waiting, more = queued(home.ledger), len(known_of_it) - _MOST_SAID
    said = [
        *(f"{one.rstrip('.')}." for one in known_of_it[:_MOST_SAID]),
        *([f"What else must be known of it is below ({more})."] if more > 0 else []),
        *([f"Model {waiting} won against it and waits until the running test has ended (R58)."] if waiting else []),
    ]
    serves = f"Model {reign.version} serves since {reign.since:%Y-%m-%d}, {reign.how} by {reign.by}."
    if said:
        return Verdict(State.LOOK, " ".join([serves, *said]), panel.remedy)
    return Verdict(State.HEALTHY, serves)


def _figures(known: list[KnownModel]) -> list[Block]:
    rows, said = [], []
    for model in known[:_MOST_SHOWN]:
        made = model.calibrated or model.trained
        found = made.facts.get("estimates", {}).get("auc_pr")
        if found is not None:
            rows.append(Row(model.version, *found[:3]))
            said.append((model.version, *(number(value, 3) for value in found[:3])))
    if not rows:
        return []
    title = "AUC-PR on each model's own holdout"
    says = (
        f"With 95 % intervals, the newest first: {rows[0].value:.3f} for {rows[0].name}. Holdouts are of different "
        "times; two models are compared on the same leads when one is to take the other's place (R31)."
    )
    drawing = intervals(rows, lambda value: f"{value:.3g}")
    table = Table(title, ("model", "AUC-PR", "from", "to"), tuple(said), frozenset({1, 2, 3}))
    return [Chart(title, says, drawing, table)]


def _table(ledger: Ledger, known: list[KnownModel]) -> Table:
    rows = []
    for model in known:
        line = model_line(ledger, model, role(ledger, model))
        state = f"stopped by {line.stopped_by}" if line.stopped_by else line.state
        figures = (number(line.cv_auc_pr, 3), number(line.holdout_auc_pr, 3), number(line.ece, 4))
        rows.append((line.version, line.role or state, *figures, line.dataset, line.as_of, line.trained_at))
    head = ("model", "state", "CV AUC-PR", "holdout", "ECE", "training set", "as of", "trained")
    return Table("Every model that was judged, newest first", head, tuple(rows), frozenset({2, 3, 4}))


def _history(history: list[Reign]) -> Table:
    rows = tuple(
        (f"{reign.since:%Y-%m-%d %H:%M}", reign.version, reign.how, reign.by, reign.reason, _rests_on(reign))
        for reign in reversed(history)
    )
    return Table("Which model served, newest first", ("since", "model", "how", "by", "why", "rests on"), rows)


def _rests_on(reign: Reign) -> str:
    evidence = reign.evidence
    if evidence.get("headline"):
        return str(evidence["headline"])
    if evidence.get("from"):
        return f"taken back from {evidence['from']}"
    parts = (f"gates of {', '.join(map(str, evidence.get('gates') or []))}" if evidence.get("gates") else "",
             f"shadow days {evidence['shadow']}" if evidence.get("shadow") else "",
             f"the test's go {evidence['go']}" if evidence.get("go") else "")  # fmt: skip
    return "; ".join(part for part in parts if part)
