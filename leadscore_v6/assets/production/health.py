"""Health of a day's scores, as alerts read it: of its leads, or pooled over the days before where they are few (R25).

Belongs here: from the ledger's figures of each day to monitoring's. Does not belong here: judging them
(monitoring/health.py), gates (they are of the day alone), sending (alarms.py).
"""

from datetime import date, timedelta
from typing import Any

import numpy as np

from leadscore_v6.assets.production.data import PRODUCTION
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.monitoring.health import Day, health
from leadscore_v6.monitoring.settings import HealthSettings
from leadscore_v6.serving.settings import NO_CRD


def health_figures(ledger: Ledger, key: str, settings: HealthSettings) -> dict[str, Any] | None:
    """Figures of the day's health, whether or not its gates held; None of a day that was not judged.

    Leads with a CRD: prospects would hide what becomes of them, and who has none can be scored by nobody (a gate of
    its own counts them). Latency is that of the day's own sample, which prospects make large enough on any day; so are
    missing features the day's own: of few leads nothing is said.
    """
    own, day = _judged(ledger, key), snapshot_day(key)
    if own is None:
        return None
    keys = [f"{day - timedelta(days=back):%Y%m%d}" for back in range(settings.pooled_days)]
    days = [_day(attempt, snapshot_day(one)) for one in keys if (attempt := _judged(ledger, one)) is not None]
    figures = health(days, day, (), settings).figures()
    kept = ("latency_mean_ms", "latency_p99_ms", "features_over_points", "features_unavailable")
    return {**figures, **{name: own.figures.get(name) for name in kept}}


def _judged(ledger: Ledger, key: str) -> Attempt | None:
    attempt = ledger.latest(PRODUCTION, key)
    return attempt if attempt is not None and attempt.state in ("judged", "published") else None


def _day(attempt: Attempt, day: date) -> Day:
    """What became of the day's leads. A day that was scored before a champion changed counts as it was scored."""
    leads = attempt.facts["by_kind"].get("lead", {})
    without_crd = attempt.facts["skipped_by"].get(NO_CRD, 0)
    return Day(
        day=day,
        scored=leads.get("scored", 0),
        skipped=leads.get("skipped", 0) - without_crd,
        failed=leads.get("failed", 0),
        latency_ms=np.empty(0),
    )
