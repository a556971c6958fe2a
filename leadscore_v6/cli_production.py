"""Commands of production: which model serves, and going back to an earlier one.

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
