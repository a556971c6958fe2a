"""What the command line's modules share: common options, a day as an option's value, progress lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

Command = Callable[..., None]


def home_option(command: Command) -> Command:
    """`--home`, as every command has it."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where warehouse, artifacts and Dagster's storage are.  [default: LEADSCORE_HOME, else .leadscore]",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`, where there is something for scripts to read."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(command)


def day(context: click.Context, parameter: click.Parameter, text: str | None) -> str:
    """The callback of an option that is a day; empty when it was not given."""
    if text is None:
        return ""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a day of the form YYYY-MM-DD.") from None


def progress(line: str) -> None:
    """A line about long work, to stderr: stdout is for what was asked."""
    click.echo(line, err=True)


def called_as() -> str:
    """The command as it was typed: `make demo` calls one that is not on the PATH."""
    return sys.argv[0] if Path(sys.argv[0]).name == "leadscore" else "leadscore"
