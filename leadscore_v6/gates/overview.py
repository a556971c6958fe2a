"""The end of a run, for a person: how all gates stand, what is served, what to open or do next.

Belongs here: what the ledger says is there to be opened. Does not belong here: how it looks (reports/status.py).
"""

from __future__ import annotations

from collections import Counter

from leadscore_v6.dashboard.settings import PAGE_FILE
from leadscore_v6.gates.extract import days_reached
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.status import served_versions, status_lines
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.reports.status import render_overview
from leadscore_v6.settings import Settings

_SCORES = "production_scores_v6"


def overview(ledger: Ledger, settings: Settings, command: str) -> str:
    """The last lines of a run; `command` is how we were called. Where days are scored, the newest one comes first."""
    marks = Counter(line.mark for line in status_lines(ledger))
    paths = {}
    latest = ((key, ledger.latest(_SCORES, key)) for key in days_reached(ledger, _SCORES))
    scored = [key for key, attempt in latest if attempt is not None and attempt.state == "published"]
    if scored:
        paths["the day's scores"] = str(settings.artifacts / scored[-1] / STEPS[_SCORES].report)
        paths["whom to call"] = f"{command} call-list --associates FILE --home {settings.home}"
        paths["the dashboard"] = str(settings.artifacts / PAGE_FILE)
    backtest = ledger.latest("backtest")
    if backtest is not None and backtest.state == "published":
        card = STEPS[backtest.asset].further[-1].format(version=backtest.version)
        paths["the model card"] = str(settings.artifacts / card)
    shadowed = ledger.latest("shadow_scoring")
    if shadowed is not None and shadowed.version:
        report = STEPS[shadowed.asset].report.format(version=shadowed.version)
        paths["shadow scoring"] = str(settings.artifacts / report)
    training = ledger.latest("step_3_3_training_dataset_v6")
    if training is not None:
        report = STEPS[training.asset].report.format(version=training.version)
        paths["class imbalance"] = str(settings.artifacts / report)
    paths["all reports"] = str(settings.artifacts)
    paths["the warehouse"] = settings.warehouse
    paths["every gate"] = f"{command} status --home {settings.home}"
    paths["Dagster's UI"] = f"{command} ui --home {settings.home}"
    return render_overview(marks, served_versions(ledger), paths)
