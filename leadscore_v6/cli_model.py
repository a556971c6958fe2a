"""Commands of the command line about models: train one, ask why a lead scored as it did, list and show what there is.

Belongs here: commands, their arguments, what they print. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import click

from leadscore_v6.cli_options import called_as, home_option, json_option, progress
from leadscore_v6.settings import Settings, from_environment


def run_and_tell(settings: Settings, through: str, options: dict[str, Any], *, as_json: bool = False) -> None:
    """Run the plan (`through` "train": the model alone), print what came of it, raise what stopped it."""
    from leadscore_v6 import driver
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.gates.status import status_lines

    _show_progress()
    started = time.monotonic()
    if through == "train":
        summary = driver.train(settings, options, progress)
    else:
        summary = driver.run_through(settings, through, options, progress)
    ledger, _ = read_ledger(settings)
    if as_json:
        failures = [vars(failure) for failure in summary.failures]
        lines = [vars(line) for line in status_lines(ledger)]
        answer = {"built": summary.built, "recognised": summary.recognised, "failures": failures, "gates": lines}
        click.echo(json.dumps(answer, indent=2, default=str))
    driver.raise_for(summary)
    if not as_json:
        progress(f"Done in {time.monotonic() - started:.1f} s.")
        click.echo(driver.overview(ledger, settings, called_as()))


def _show_progress() -> None:
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
@click.argument("lead_id")
@click.option("--model", "version", help="Version of the model, e.g. 20261125.  [default: the newest validated one]")
@json_option
def why(home: Path | None, lead_id: str, version: str | None, as_json: bool) -> None:
    """Say how LEAD_ID scores, and why: probability, rank, reasons in plain words, warnings, the model behind it."""
    from leadscore_v6.why import ask, render_answer

    answer = ask(from_environment(home=home), lead_id, version)
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
    from leadscore_v6.gates.models import known_models, model_line
    from leadscore_v6.reports.model_list import render_list

    ledger, _ = read_ledger(from_environment(home=home))
    lines = [model_line(ledger, known) for known in known_models(ledger)]
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
