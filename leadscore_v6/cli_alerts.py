"""Commands of the command line about alerts: what there is, who has seen it, send what is due, try a channel.

Belongs here: commands, their arguments, what they print. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore_v6.cli_options import home_option, json_option, progress
from leadscore_v6.errors import LeadscoreError, UsageError
from leadscore_v6.settings import from_environment

if TYPE_CHECKING:
    from leadscore_v6.alerting.outbox import Outbox


@click.group()
def alerts() -> None:
    """List alerts, acknowledge one, send what is due, try the channels.

    Addresses come from the environment; config/alerting_config_v6.json says by which names. Without any, alerts are
    files in the home's outbox/, and nothing is sent.
    """


@alerts.command(name="list")
@home_option
@click.option("--all", "everything", is_flag=True, help="Acknowledged ones too.")
@json_option
def list_alerts(home: Path | None, everything: bool, as_json: bool) -> None:
    """List alerts that nobody has acknowledged, oldest first, with what became of each message."""
    outbox = _outbox(home)
    found = [one for one in outbox.filed() if everything or one.acknowledged is None]
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found], indent=2))
    else:
        click.echo("\n".join(one.page() for one in found) or "No alerts.")
    for name in outbox.unreadable():
        progress(f"{outbox.folder / name} cannot be read as an alert; it is left as it is.")


@alerts.command()
@home_option
@click.argument("id")
@click.option("--by", required=True, help="Who has seen it.")
@click.option("--note", default="", help="What is being done; kept with the alert.")
def ack(home: Path | None, id: str, by: str, note: str) -> None:  # noqa: A002 - the option's name
    """Acknowledge the alert ID, so that it is escalated no more."""
    from leadscore_v6.alerting.outbox import Acknowledgement
    from leadscore_v6.gates.bench import wall_clock

    filed = _outbox(home).acknowledge(id, Acknowledgement(by, wall_clock(), note))
    seen = filed.acknowledged
    click.echo(f"{filed.id} is acknowledged" + (f" by {seen.by}, {seen.at:%Y-%m-%d %H:%M %Z}." if seen else "."))


@alerts.command()
@home_option
def send(home: Path | None) -> None:
    """Send what is due: new alerts, those that failed before, those that nobody acknowledged in time.

    While a model serves, what is late is an alert too: a feed or a schedule that has stopped starts no step that would
    tell of it. Call it every hour, unless Dagster's alert_sensor is on.

    Exit codes: 0 nothing that was due failed, 1 a message could not be delivered (it is tried again at a later call).
    """
    from leadscore_v6.assets.production.alarms import tell_what_is_due
    from leadscore_v6.gates.bench import require_home, wall_clock

    settings = from_environment(home=home)
    require_home(settings)
    _, done = tell_what_is_due(settings, wall_clock())
    click.echo("\n".join(done.lines()))
    if done.failed:
        sys.exit(1)


@alerts.command()
@click.option(
    "--to", "names", multiple=True, help="A recipient; may be given several times.  [default: all with an address]"
)
def test(names: tuple[str, ...]) -> None:
    """Send a test message at once, past quiet hours, and say whether each channel took it."""
    from leadscore_v6.alerting.delivery import Post, send_test
    from leadscore_v6.alerting.settings import alerting_settings
    from leadscore_v6.gates.bench import wall_clock

    settings = alerting_settings()
    with_address = [name for name, to in settings.recipients.items() if os.environ.get(to.address_from)]
    asked = names or tuple(with_address)
    if not asked:
        variables = ", ".join(sorted(to.address_from for to in settings.recipients.values()))
        raise UsageError(f"No recipient has an address; set any of {variables}.")
    post, failed = Post(settings, os.environ), []
    for name in asked:
        trouble = send_test(post, name, wall_clock())
        click.echo(f"{name}: {trouble or 'taken'}")
        failed += [name] if trouble else []
    if failed:
        raise LeadscoreError(f"Not every channel took the message: {', '.join(failed)}.")


def _outbox(home: Path | None) -> Outbox:
    """That of a home that is there: a mistyped one has no alerts, and that would be good news."""
    from leadscore_v6.alerting.outbox import Outbox
    from leadscore_v6.gates.bench import require_home

    settings = from_environment(home=home)
    require_home(settings)
    return Outbox(settings.outbox)
