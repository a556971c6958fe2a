"""The alert sensor: alerts go out, and what is late is told, though no step runs (plan 6.1).

Belongs here: when the outbox is looked at without anyone's asking. Does not belong here: what alerts, who is told and
when (alerting/), what is late (assets/production/alarms.py). Steps send what is due when they end; but they end at
night, when only critical alerts are sent, and a feed that has stopped starts none.
"""

import logging

import dagster as dg

from leadscore_v6.assets.production.alarms import tell_what_is_due
from leadscore_v6.dashboard_panels.assemble import write_dashboard
from leadscore_v6.errors import LeadscoreError, UsageError
from leadscore_v6.gates.bench import require_home, wall_clock
from leadscore_v6.settings import from_environment

SECONDS = 900
_log = logging.getLogger(__name__)


def alert_sensor() -> dg.SensorDefinition:
    """The sensor. It is off until someone turns it on, and runs nothing."""

    @dg.sensor(
        name="alert_sensor",
        minimum_interval_seconds=SECONDS,
        description=(
            "Sends alerts that are due: what quiet hours held back, what could not be delivered, what nobody "
            "acknowledged in time. While a model serves it tells what is late (`freshness`). It starts no run."
        ),
    )
    def sensor() -> dg.SkipReason:
        settings = from_environment()
        try:
            require_home(settings)
        except UsageError as nothing_there:
            return dg.SkipReason(str(nothing_there))
        new, done = tell_what_is_due(settings, wall_clock())
        if new:
            try:
                write_dashboard(settings)
            except (LeadscoreError, OSError) as error:
                _log.warning("the dashboard could not be written: %s", error)
        return dg.SkipReason(" ".join(done.lines()))

    return sensor
