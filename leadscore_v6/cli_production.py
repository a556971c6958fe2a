"""Commands of production: which model serves, the scores of a day, whom to call, keeping a home safe.

Belongs here: commands, their arguments, what they print. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from leadscore_v6.cli_model import show_progress, tell
from leadscore_v6.cli_options import day, home_option, json_option, progress
from leadscore_v6.settings import from_environment


@click.command()
@home_option
@click.argument("version", metavar="MODEL")
@click.option("--by", required=True, help="Who decides; kept in the ledger.")
@click.option("--reason", required=True, help="Why; kept in the ledger.")
def promote(home: Path | None, version: str, by: str, reason: str) -> None:
    """Make MODEL the champion that serves: only past its gates, its shadow days, the experiment's go and the champion.

    Exit code 3, with every condition that does not hold, if it may not be promoted; the champion stays.
    """
    from leadscore_v6.decision import tell_what_serves
    from leadscore_v6.promotion import promote as decide

    settings = from_environment(home=home)
    reign = decide(settings, version, by, reason, progress)
    tell_what_serves(settings)
    headline = reign.evidence.get("headline") or "There was no champion before it."
    click.echo(f"Model {reign.version} is champion since {reign.since:%Y-%m-%d %H:%M}. {headline}")
    click.echo("The next production run scores with it.")


@click.command()
@home_option
@click.option("--data", required=True, metavar="FOLDER", help="The feed with the new quarter, and Lead.csv.")
@click.option("--by", required=True, help="Who asks for it; kept in the ledger.")
@click.option("--as-of", callback=day, help="Nothing later is known (YYYY-MM-DD).  [default: date of the CRM extract]")
def refresh(home: Path | None, data: str, by: str, as_of: str) -> None:
    """Renew the model on a new quarter (plan step 6.2): all steps, seven shadow days, champion against challenger.

    The challenger takes the place only if it wins (R31), and waits while an experiment runs (R58); else the champion
    stays. Either way the decision is written down. The same delivery again is known: it tells
    the decision that stands. A gate that stops the challenger ends it with exit code 3.
    """
    from leadscore_v6.refresh import refresh as renew
    from leadscore_v6.reports.production_model import PAGE

    show_progress()
    settings = from_environment(home=home, data=data)
    done = renew(settings, {"as_of": as_of} if as_of else {}, by, progress)
    click.echo(f"Model {done.report.challenger}: {done.report.outcome}. {done.report.headline}")
    click.echo(f"The decision: {done.path}\nWhich model serves: {settings.artifacts / PAGE}")


@click.command()
@home_option
@click.option("--data", metavar="FOLDER", help="Take in the Lead.csv of this folder first.")
@click.option("--day", "on", callback=day, help="As if contacted on that day.  [default: the day of the CRM extract]")
@click.option("--rebuild", is_flag=True, help="Score, and measure, again what was scored already.")
@json_option
def score(home: Path | None, data: str | None, on: str, rebuild: bool, as_json: bool) -> None:
    """Score open leads and prospects of one day with the champion (plan step 6.1)."""
    from leadscore_v6 import driver

    settings = from_environment(home=home, data=data)
    asked = driver.ScoreRequest(date.fromisoformat(on) if on else None, land=data is not None)
    tell(settings, lambda: driver.score(settings, {"rebuild": rebuild}, asked, progress), as_json=as_json)


@click.command(name="call-list")
@home_option
@click.option(
    "--associates",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV with a column `associate`, and perhaps `active` (yes or no).",
)
@click.option("--per-associate", type=click.IntRange(1), help="Advisors for each.  [default: v6_production.yaml's]")
@click.option("--firm-cap", type=click.IntRange(1), help="Advisors of one firm.  [default: v6_production.yaml's]")
@click.option(
    "--exclude",
    "excluded",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV with a column `FA_CRD__c`, and perhaps `until` (YYYY-MM-DD): who is not to be called.",
)
@click.option(
    "--day",
    "on",
    callback=day,
    help="By the scores of that day. Scores that are over a week behind the extract, or were made over a week ago "
    "(stale_after_days of v6_production.yaml), are listed only with it.  [default: the newest scored]",
)
@click.option("--out", metavar="FOLDER", help="Where the files go.  [default: the artifacts of the home]")
def call_list(home: Path | None, on: str, out: str | None, **asked: Any) -> None:
    """Write the call list of a day: one line an advisor, spread evenly over the associates, with reasons.

    Who scheduled a call or was dialled lately is left out, by the Lead.csv and Dials.csv that were landed last.
    Two files: one for people, one that the CRM imports (fields: crm_import of config/v6_production.yaml).
    """
    from leadscore_v6.call_list import CallListRequest, write_call_list
    from leadscore_v6.locations import location

    request = CallListRequest(day=date.fromisoformat(on) if on else None, out=location(out) if out else None, **asked)
    click.echo(str(write_call_list(from_environment(home=home), request)))


@click.command()
@home_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(home: Path | None, file: Path) -> None:
    """Write the whole embedded home (warehouse, landed files, artifacts, ledger, Dagster's storage) into one tar FILE.

    Waits for a run that holds the warehouse, then holds it itself. An existing FILE is never replaced.
    """
    from leadscore_v6.backup import back_up

    settings = from_environment(home=home)
    made = back_up(settings, file, progress)
    click.echo(f"{settings.home} is backed up in {file}: {made}, each with its SHA-256.")


@click.command()
@home_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(home: Path | None, file: Path) -> None:
    """Make the home that is backed up in FILE again, at --home, where none may be yet.

    Every file is held against its digest first: the home appears whole, or not at all.
    """
    from leadscore_v6.backup import restore as read_back

    settings = from_environment(home=home)
    restored = read_back(file, settings.home, progress)
    click.echo(f"{settings.home} is what it was when {file} was written: {restored}.")
    click.echo("`leadscore status` shows its gates; `leadscore run` goes on from there.")
