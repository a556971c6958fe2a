"""Commands of the command line about the experiment: plan it, assign its leads week by week, see how it goes, read it.

Belongs here: commands, their arguments, what they print. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from leadscore_v6.cli_model import tell
from leadscore_v6.cli_options import day, home_option, json_option, progress
from leadscore_v6.settings import Settings, from_environment

_LANDING = (
    click.option("--data", metavar="FOLDER", help="Land this folder's Lead.csv, Dials.csv and Associates.csv first."),
    click.option("--crm-extracted-at", callback=day, help="When they were extracted.  [default: last timestamp in it]"),
)


def _landing(command: Any) -> Any:
    for option in reversed(_LANDING):
        command = option(command)
    return command


@click.group()
def experiment() -> None:
    """The A/B test of the model's queue against today's (plan steps 5.2 and 5.3).

    Its clock is the CRM extract's: a step says what was known on that day.
    """


@experiment.command()
@home_option
@json_option
def plan(home: Path | None, as_json: bool) -> None:
    """Design the test: dials, power, weeks, looks; freezes settings and model (step 5.2).

    Refused while a test is running. Exit 3 when it cannot find a 50 % lift, or not within 8 weeks.
    """
    from leadscore_v6 import driver_experiment as driver

    settings = from_environment(home=home)
    tell(settings, lambda: driver.plan(settings, {}, progress), as_json=as_json)
    _go_on(settings, as_json=as_json)


@experiment.command()
@home_option
@_landing
@json_option
def assign(home: Path | None, data: str | None, as_json: bool, **options: Any) -> None:
    """Assign the leads that came since, and publish the queue to dial from (step 5.3).

    A lead never changes its arm, and all leads of an advisor share one. The queue is ab_test_queue_v6.csv: treatment
    in the model's order, control as leads came in; half of the capacity belongs to each.
    """
    from leadscore_v6 import driver_experiment as driver

    settings = from_environment(home=home, data=data)
    tell(settings, lambda: driver.assign(settings, options, progress, land=data is not None), as_json=as_json)
    _go_on(settings, as_json=as_json)


@experiment.command()
@home_option
@json_option
def status(home: Path | None, as_json: bool) -> None:
    """Say how far the test is: arms, dials, adoption, the next look. Which arm is ahead is told at looks only."""
    from leadscore_v6 import driver_experiment as driver
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.reports.experiment import render_standing

    settings = from_environment(home=home)
    ledger, _ = read_ledger(settings)
    standing = driver.status(ledger)
    if as_json:
        click.echo(json.dumps(standing, indent=2, default=str))
    else:
        click.echo(render_standing(standing, driver.reports(ledger, settings)))


@experiment.command()
@home_option
@_landing
@click.option(
    "--look",
    type=click.Choice(["due", "interim", "final"]),
    default="due",
    show_default=True,
    help="Which planned look to take.",
)
@json_option
def analyse(home: Path | None, data: str | None, look: str, as_json: bool, **options: Any) -> None:
    """Take a planned look: compare the arms, and decide (step 5.3).

    Exit 2 before it is due, with the day on which it is. Exit 3 when a gate of the look fails: a no-go is one.
    """
    from leadscore_v6 import driver_experiment as driver

    settings = from_environment(home=home, data=data)
    land = data is not None
    tell(settings, lambda: driver.analyse(settings, options, progress, look=look, land=land), as_json=as_json)
    _go_on(settings, as_json=as_json)


@experiment.command()
@home_option
@click.option("--by", default="", help="Who decides; kept in the ledger.")
@click.option("--reason", default="", help="Why; kept in the ledger.")
def stop(home: Path | None, by: str, reason: str) -> None:
    """End the test that runs, without reading it: one that can no longer be read, or must not go on.

    It counts as no go, and cannot be taken back. Nothing more of it is assigned or queued; the next test gets a salt of
    its own.
    """
    from leadscore_v6 import driver_experiment as driver

    decision = driver.stop(from_environment(home=home), by, reason, progress)
    click.echo(f"The test was {decision}. No model is promoted before a later test has said go.")
    click.echo("`leadscore experiment plan` plans the next one (v6_experiment.yaml, assignment.salt: another value).")


def _go_on(settings: Settings, *, as_json: bool) -> None:
    """Where the test stands after a command that changed it."""
    from leadscore_v6 import driver_experiment as driver
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.reports.experiment import render_standing

    if not as_json:
        ledger, _ = read_ledger(settings)
        click.echo("\n" + render_standing(driver.status(ledger), driver.reports(ledger, settings)))
