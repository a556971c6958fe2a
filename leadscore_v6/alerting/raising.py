"""From a finding to the outbox and on to people, without ever stopping, or hiding, what it is about.

Belongs here: filing and sending in one go, and what may go wrong with that. Does not belong here: figures, who asks.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Final

from leadscore_v6.alerting.delivery import Post, send
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.alerting.rules import Finding, alerts_for
from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.errors import LeadscoreError

_log = logging.getLogger(__name__)
# A configuration or a figure that does not fit, a disk or a socket, text that is no text (JSON, an address), a value of
# another type, a library that cannot be loaded. Whatever else there is would be a fault of ours, and is to be seen.
TROUBLES: Final = (LeadscoreError, OSError, ValueError, TypeError, LookupError, ImportError)


def raise_finding(outbox: Path, finding: Finding, at: datetime) -> None:
    """File what the rules say of a finding, and send what is due. What goes wrong with that is logged, not raised.

    It is called where a run has just failed, and a second error would take the place of the first.
    """
    try:
        configured, box = alerting_settings(), Outbox(outbox)
        filed = box.file(alerts_for(finding, configured, at), configured)
        for one in filed:
            _log.warning("alert %s: %s", one.id, one.alert.subject_line)
        done = send(box, Post(configured, os.environ), at)
    except TROUBLES as error:
        _log.warning("no alert could be raised: %s: %s", type(error).__name__, error)
        return
    for line in done.troubles:
        _log.warning("%s", line)
