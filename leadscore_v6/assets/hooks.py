"""What follows a step, well ended or not, and must not be able to stop it: an alert, then the dashboard written anew.

Belongs here: Dagster's hooks, which every asset has, and the decision, whoever starts it. Dagster records what goes
wrong in one and goes on, so that scoring never waits for a page, nor fails by one. Does not belong here: the page
(dashboard_panels/), what an alert says (assets/production/alarms.py).
"""

import logging

import dagster as dg

from leadscore_v6.assets.production.alarms import tell_of_failure
from leadscore_v6.dashboard_panels.assemble import write_page
from leadscore_v6.dashboard_panels.home import home_of
from leadscore_v6.errors import LeadscoreError
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.steps import STEPS

_log = logging.getLogger(__name__)


@dg.success_hook(required_resource_keys={"warehouse"})
def after_success(context: dg.HookContext) -> None:
    """What was scored or judged shows on the dashboard, and what serves after a decision, which is no step."""
    step = STEPS.get(context.op.name)
    if step is None or step.group == "production":
        _show(context)


@dg.failure_hook(required_resource_keys={"warehouse"})
def after_failure(context: dg.HookContext) -> None:
    """What stopped is an alert while a model serves, and shows on the dashboard with it: the feed that failed too."""
    warehouse = context.resources.warehouse
    failed = context.op_exception
    # What an error for a person became on its way to Dagster (`stops`) has it as its cause.
    error = failed.__cause__ if isinstance(failed, dg.Failure) else failed
    tell_of_failure(warehouse.bench, warehouse.settings, context.op.name, error)
    if champion(warehouse.bench.ledger) is not None:
        _show(context)


def _show(context: dg.HookContext) -> None:
    """Write the page from what the run has open; where that cannot be done it is told, and the older page stays."""
    bench, settings = context.resources.warehouse.bench, context.resources.warehouse.settings
    try:
        write_page(home_of(bench.ledger, bench.warehouse, settings), settings.artifacts)
    except (LeadscoreError, OSError) as error:
        _log.warning("the dashboard could not be written: %s", error)
