"""Commands of production: which model serves, and keeping a home safe.

Belongs here: commands, their arguments, what they print. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

from pathlib import Path

import click

from leadscore_v6.cli_options import home_option, progress
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
    from leadscore_v6.promotion import promote as decide

    reign = decide(from_environment(home=home), version, by, reason, progress)
    headline = reign.evidence.get("headline") or "There was no champion before it."
    click.echo(f"Model {reign.version} is champion since {reign.since:%Y-%m-%d %H:%M}. {headline}")
    click.echo("The next production run scores with it.")


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
