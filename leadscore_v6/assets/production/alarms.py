"""From a step's figures to alerts in the outbox, and to people: what a figure that misses its rule sets off (plan 6.1).

Belongs here: handing figures over, and seeing to it that nothing of it stops a run. Does not belong here: which figures
alert, and how they are delivered (alerting/).
"""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from leadscore_v6.alerting.delivery import Post, send
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.alerting.rules import alerts_for
from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.errors import LeadscoreError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.settings import Settings

_log = logging.getLogger(__name__)


def raise_alerts(
    bench: Bench,
    settings: Settings,
    check: str,
    figures: Mapping[str, Any],
    subjects: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """File what the rules about `check` say of the figures, and send what is due. What goes wrong with it is told.

    `subjects`: by figure what it is about, as `alerts_for` has it.
    """
    at = bench.clock()
    try:
        configured = alerting_settings()
        outbox = Outbox(settings.outbox)
        filed = outbox.file(alerts_for(check, figures, configured, at, subjects), configured)
        done = send(outbox, Post(configured, os.environ), at)
    except (LeadscoreError, OSError) as error:
        _log.warning("no alert could be raised: %s", error)
        return
    for one in filed:
        _log.warning("alert %s: %s", one.id, one.alert.title)
    for line in done.troubles:
        _log.warning("%s", line)
