"""The command that writes the production health dashboard.

Belongs here: its arguments and what it prints. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from leadscore_v6.cli_options import day, home_option
from leadscore_v6.settings import from_environment


@click.command()
@home_option
@click.option("--out", metavar="FILE", help="Where the page goes.  [default: among the artifacts of the home]")
@click.option("--as-of", callback=day, help="Ages are counted to that day (YYYY-MM-DD).  [default: the CRM extract's]")
def dashboard(home: Path | None, out: str | None, as_of: str) -> None:
    """Write how production stands as one HTML page: verdicts first, then what they rest on.

    The page needs no network and no script. It is written whatever the verdicts are, and never waits on a running
    build. Nothing on it names a lead or an advisor.
    """
    from leadscore_v6.dashboard_panels.assemble import write_dashboard
    from leadscore_v6.locations import location

    written = write_dashboard(
        from_environment(home=home), date.fromisoformat(as_of) if as_of else None, location(out) if out else None
    )
    click.echo(str(written))
