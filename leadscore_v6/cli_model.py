"""Commands of the command line about models: train one, score in shadow, ask why a lead scored as it did, list, show.

Belongs here: commands, their arguments, what they print. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore_v6.cli_options import called_as, day, home_option, json_option, progress
from leadscore_v6.errors import UsageError
from leadscore_v6.settings import Settings, from_environment

if TYPE_CHECKING:
    from leadscore_v6.runs import Summary


def run_and_tell(settings: Settings, through: str, options: dict[str, Any], *, as_json: bool = False) -> None:
    """Run the plan (`through` "train": the model alone), print what came of it, raise what stopped it."""
    from leadscore_v6 import driver

    if through == "train":
        tell(settings, lambda: driver.train(settings, options, progress), as_json=as_json)
    else:
        tell(settings, lambda: driver.run_through(settings, through, options, progress), as_json=as_json)


def tell(settings: Settings, run: Callable[[], Summary], *, as_json: bool = False) -> None:
    """Do `run`, print what came of it, raise what stopped it."""
    from leadscore_v6 import driver
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.gates.overview import overview
    from leadscore_v6.gates.status import status_lines

    show_progress()
    started = time.monotonic()
    summary = run()
    ledger, _ = read_ledger(settings)
    if as_json:
        failures = [vars(failure) for failure in summary.failures]
        lines = [vars(line) for line in status_lines(ledger)]
        answer = {"built": summary.built, "recognised": summary.recognised, "failures": failures, "gates": lines}
        click.echo(json.dumps(answer, indent=2, default=str))
    driver.raise_for(summary)
    if not as_json:
        progress(f"Done in {time.monotonic() - started:.1f} s.")
        click.echo(overview(ledger, settings, called_as()))


def show_progress() -> None:
    """Long steps say what they are at, through Python's logging: it crosses Dagster, and the UI ignores it."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            progress(f"    {record.getMessage()}")

    log = logging.getLogger("leadscore_v6")
    log.setLevel(logging.INFO)
    if not log.handlers:
        log.addHandler(Lines())


@click.command()
@home_option
@click.option("--rebuild", is_flag=True, help="Train again what is there already; the model gets a new name.")
@json_option
def train(home: Path | None, rebuild: bool, as_json: bool) -> None:
    """Train, calibrate and backtest a model on the promoted training set (plan steps 4.1 to 4.4)."""
    run_and_tell(from_environment(home=home), "train", {"rebuild": rebuild}, as_json=as_json)


@click.command()
@home_option
@click.option("--data", metavar="FOLDER", help="Land this folder's Lead.csv first.  [default: the one landed last]")
@click.option("--day", "on", callback=day, help="Score this day alone (YYYY-MM-DD).")
@click.option("--days", type=click.IntRange(1, 366), help="Score so many days up to the extract's.  [default: 7]")
@click.option("--crm-extracted-at", callback=day, help="When Lead.csv was extracted.  [default: last timestamp in it]")
@click.option("--rebuild", is_flag=True, help="Score again what was scored already.")
@json_option
def shadow(home: Path | None, data: str | None, on: str, days: int | None, as_json: bool, **options: Any) -> None:
    """Score the leads that entered Contacting, day by day, and judge seven days together (plan step 5.1).

    Nobody acts on these scores. A day is replaced whole when it is scored again.
    """
    from datetime import date

    from leadscore_v6 import driver

    if on and days:
        raise UsageError("--day names one day, --days counts back from the extract's; give one of them.")
    settings = from_environment(home=home, data=data)
    asked = driver.ShadowRequest(date.fromisoformat(on) if on else None, days, land=data is not None)
    tell(settings, lambda: driver.shadow(settings, options, asked, progress), as_json=as_json)


@click.command()
@home_option
@click.argument("who")
@click.option("--day", "on", callback=day, help="By the scores of this day (YYYY-MM-DD).  [default: the newest]")
@click.option("--model", "version", help="Score a lead of the training set anew, by this model.")
@json_option
def why(home: Path | None, who: str, on: str, version: str | None, as_json: bool) -> None:
    """Say how WHO, the Id of a lead or the CRD of an advisor, scores and why: probability, reasons, warnings, model.

    Of open leads and prospects it is what production stored, and what call lists are made of. Other leads of the
    training set are scored anew, by the champion, else the newest validated model.
    """
    from datetime import date

    from leadscore_v6.why import ask, render_answer

    answer = ask(from_environment(home=home), who, version, date.fromisoformat(on) if on else None)
    click.echo(json.dumps(answer, indent=2, default=str) if as_json else render_answer(answer))


@click.group()
def model() -> None:
    """List models, and show one."""


@model.command(name="list")
@home_option
@json_option
def list_models(home: Path | None, as_json: bool) -> None:
    """Every model that was judged, newest first: how far it came, its AUC-PR, and the training set behind it."""
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.gates.champions import role
    from leadscore_v6.gates.models import known_models, model_line
    from leadscore_v6.reports.model_list import render_list

    ledger, _ = read_ledger(from_environment(home=home))
    lines = [model_line(ledger, known, role(ledger, known)) for known in known_models(ledger)]
    click.echo(json.dumps([vars(line) for line in lines], indent=2) if as_json else render_list(lines))


@model.command()
@home_option
@click.argument("version", required=False)
@json_option
def show(home: Path | None, version: str | None, as_json: bool) -> None:
    """Show one model: what it was made from, its gates and figures, its files and whether they are as published."""
    from leadscore_v6.reports.model_list import render_model
    from leadscore_v6.why import describe

    description = describe(from_environment(home=home), version)
    click.echo(json.dumps(description, indent=2, default=str) if as_json else render_model(description))
