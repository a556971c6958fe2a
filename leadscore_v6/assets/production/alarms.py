"""From a step's figures, or its failure, to alerts: what a figure that misses its rule sets off (plan 6.1).

Belongs here: handing figures over, and telling of a step that failed, or did not run, while a model serves. Does not
belong here: which figures alert, and how they are delivered (alerting/).
"""

import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from leadscore_v6.alerting.delivery import Post, Sending, send
from leadscore_v6.alerting.outbox import Filed, Outbox
from leadscore_v6.alerting.raising import raise_finding
from leadscore_v6.alerting.rules import Finding, alerts_for
from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.errors import GateBlocked, InputError, LeadscoreError, UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.lineage import is_synthetic
from leadscore_v6.monitoring.settings import monitoring_settings
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


def tell_of_failure(bench: Bench, settings: Settings, step: str, error: BaseException | None) -> None:
    """A step that was stopped, refused or broken is an alert while a model serves, whoever started the run.

    One alert: of a file that was refused it names the file and why, else the step and what stopped it.
    """
    if champion(bench.ledger) is None:
        return
    refused = _refused(bench.ledger, step)
    if refused is None:
        told = failure(bench.ledger, step, error)
    else:
        about, synthetic = (step, str(refused.facts["file_name"])), is_synthetic(bench.ledger, _SCORES)
        told = Finding("input", {"inputs_refused": 1}, {"inputs_refused": about}, synthetic, why=str(refused.refusal))
    raise_finding(settings.outbox, told, bench.clock())


def failure(ledger: Ledger, step: str, error: BaseException | None) -> Finding:
    """That a step failed, or could not begin, by `error`: another gate, or another reason, is another alert.

    It is about the step, and the gates that stopped it or the steps before it that do not hold. Of an error for a
    person the reason goes along; of a fault of ours its kind alone: what it says may be somebody's data (R57).
    """
    about: tuple[str, ...] = (step,)
    why = ""
    if isinstance(error, GateBlocked) and error.about:
        about = (step, *error.about)
    elif isinstance(error, LeadscoreError):
        why = str(error)
    elif error is not None:
        about = (step, type(error).__name__)
    return Finding("run", {"steps_failed": 1}, {"steps_failed": about}, is_synthetic(ledger, _SCORES), why=why)


def tell_what_is_due(settings: Settings, at: datetime) -> tuple[tuple[Filed, ...], Sending]:
    """File what is late as an alert, and send what is due: new, held back, to be tried again, escalated.

    Gives the alerts that are new, and what was sent. A home whose ledger cannot be read is trouble that is told: alerts
    about it are waiting perhaps. Raises what is wrong with the configuration of alerts.
    """
    configured, box = alerting_settings(), Outbox(settings.outbox)
    new: tuple[Filed, ...] = ()
    troubles = []
    try:
        ledger, _ = read_ledger(settings)
        new = box.file(alerts_for(lateness(ledger, at), configured, at), configured)
    except (InputError, UsageError) as error:
        troubles = [f"what is late cannot be told: {error}"]
    done = send(box, Post(configured, os.environ), at)
    done.troubles += troubles
    return new, done


def lateness(ledger: Ledger, at: datetime) -> Finding:
    """What was not built for longer than `freshness` allows at `at`, counted from when the champion came at the latest.

    A feed or a schedule that has stopped fails no step: nothing but the time tells of it. Times are those at which
    assets were built, not the days that they are of. Without a champion nothing is late.
    """
    reign = champion(ledger)
    late: tuple[str, ...] = ()
    if reign is not None:
        late = tuple(
            asset
            for asset, hours in monitoring_settings().freshness.items()
            if at - max((reign.since, *_built(ledger, asset))) > timedelta(hours=hours)
        )
    return Finding("freshness", {"assets_late": len(late)}, {"assets_late": late}, is_synthetic(ledger, _SCORES))


def _built(ledger: Ledger, asset: str) -> tuple[datetime, ...]:
    """When its attempts began that were published."""
    found = (one for one in ledger.attempts.values() if one.asset == asset and one.state == "published")
    return tuple(one.started_at for one in found if one.started_at is not None)


def _refused(ledger: Ledger, step: str) -> Attempt | None:
    """The refusal of a delivered file by which that step has just ended: there is one writer, and it was its last line.

    What else a step cannot read, a model's file say, is refused too, and was delivered by nobody.
    """
    newest = ledger.newest
    if newest is None or (newest["event"], newest["asset"]) != ("refused", step):
        return None
    attempt = ledger.attempts[newest["attempt"]]
    return attempt if "file_name" in attempt.facts else None
