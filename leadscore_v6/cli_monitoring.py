"""The command that watches production: what its looks found, by day, week and month.

Belongs here: the command, its arguments, what it prints. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore_v6.cli_model import show_progress
from leadscore_v6.cli_options import day, home_option, json_option, progress
from leadscore_v6.monitoring import PERIODS
from leadscore_v6.settings import Settings, from_environment

if TYPE_CHECKING:
    from leadscore_v6.driver_monitoring import MonitorRequest


@click.command()
@home_option
@click.argument("periods", nargs=-1, type=click.Choice(PERIODS), metavar="[daily|weekly|monthly]...")
@click.option("--data", metavar="FOLDER", help="Land this folder's Lead.csv, Dials.csv and Associates.csv first.")
@click.option("--as-of", callback=day, help="Nothing later is known (YYYY-MM-DD).  [default: date of the CRM extract]")
@json_option
def monitor(home: Path | None, periods: tuple[str, ...], data: str | None, as_of: str, as_json: bool) -> None:
    """Watch the model that serves (plan step 6.1): all of it, or what belongs to one rhythm.

    daily: the day's scores and their health. weekly: the rate of conversions against training's. monthly: drift of
    features and score, and what the model was worth on matured leads.

    What misses a rule of alerting_config_v6.json alerts, and is told here; it stops nothing, and the exit code is 0.
    Exit code 3 when a gate stopped a look, 2 when it could not be taken; the others are taken all the same.
    """
    from leadscore_v6.driver_monitoring import MonitorRequest

    settings = from_environment(home=home, data=data)
    days = (date.fromisoformat(as_of),) if as_of else ()
    watch(settings, MonitorRequest(periods or PERIODS, days, land=data is not None), as_json=as_json)


def watch(settings: Settings, request: MonitorRequest, *, as_json: bool = False) -> None:
    """Look, print what was found, raise what stopped a look."""
    from leadscore_v6.driver import raise_for
    from leadscore_v6.driver_monitoring import findings
    from leadscore_v6.driver_monitoring import monitor as look
    from leadscore_v6.gates.bench import read_ledger

    show_progress()
    summary = look(settings, request, progress)
    ledger, _ = read_ledger(settings)
    found = list(findings(ledger, settings, request))
    if as_json:
        failures = [vars(failure) for failure in summary.failures]
        looks = [dict(zip(("look", "found", "report"), one, strict=True)) for one in found]
        click.echo(json.dumps({"looks": looks, "failures": failures}, indent=2))
    else:
        for look_at, said, report in found:
            click.echo(f"{look_at}: {said.replace('**', '').replace('`', '')}\n  {report}")
    raise_for(summary)
