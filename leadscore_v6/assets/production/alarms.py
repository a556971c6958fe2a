"""From a step's figures, or its failure, to alerts: what a figure that misses its rule sets off (plan 6.1).

Belongs here: handing figures over, and telling of a step that failed while a model serves. Does not belong here: which
figures alert, and how they are delivered (alerting/).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from leadscore_v6.alerting.raising import raise_finding
from leadscore_v6.alerting.rules import Finding
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.lineage import is_synthetic
from leadscore_v6.settings import Settings

_SCORES = "production_scores_v6"


def raise_alerts(
    bench: Bench,
    settings: Settings,
    check: str,
    figures: Mapping[str, Any],
    subjects: Mapping[str, Sequence[str]] | None = None,
    about_day: date | None = None,
) -> None:
    """File what the rules about `check` say of the figures, and send what is due. What goes wrong with it is told.

    subjects, about_day: by figure what it is about, and as of which day, as a `Finding` has them.
    """
    finding = Finding(check, figures, subjects or {}, is_synthetic(bench.ledger, _SCORES), about_day)
    raise_finding(settings.outbox, finding, bench.clock())


def tell_of_failure(bench: Bench, settings: Settings, step: str) -> None:
    """A step that was stopped, refused or broken is an alert while a model serves, whoever started the run.

    One alert: of a file that was refused it names the file and why, else the step.
    """
    if champion(bench.ledger) is None:
        return
    refused = _refused(bench.ledger, step)
    if refused is None:
        raise_alerts(bench, settings, "run", {"steps_failed": 1}, {"steps_failed": (step,)})
        return
    about, synthetic = (step, str(refused.facts["file_name"])), is_synthetic(bench.ledger, _SCORES)
    told = Finding("input", {"inputs_refused": 1}, {"inputs_refused": about}, synthetic, why=str(refused.refusal))
    raise_finding(settings.outbox, told, bench.clock())


def _refused(ledger: Ledger, step: str) -> Attempt | None:
    """The refusal of a delivered file by which that step has just ended: there is one writer, and it was its last line.

    What else a step cannot read, a model's file say, is refused too, and was delivered by nobody.
    """
    newest = ledger.newest
    if newest is None or (newest["event"], newest["asset"]) != ("refused", step):
        return None
    attempt = ledger.attempts[newest["attempt"]]
    return attempt if "file_name" in attempt.facts else None
