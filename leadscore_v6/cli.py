"""The command line: a front to the same assets that the Dagster UI and the sensor run.

Belongs here: commands, their arguments, what they print, exit codes (0 done, 2 bad input or usage, 3 a gate failed,
1 anything else). Does not belong here: any rule. Heavy modules are imported by the command that needs them, so that
`leadscore --help` and `leadscore status` answer at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore_v6 import __version__
from leadscore_v6.cli_alerts import alerts
from leadscore_v6.cli_dashboard import dashboard
from leadscore_v6.cli_demo import demo
from leadscore_v6.cli_experiment import experiment
from leadscore_v6.cli_model import model, run_and_tell, shadow, train, why
from leadscore_v6.cli_monitoring import monitor
from leadscore_v6.cli_options import day as _day
from leadscore_v6.cli_options import home_option as _home_option
from leadscore_v6.cli_options import json_option as _json_option
from leadscore_v6.cli_options import progress as _progress
from leadscore_v6.cli_play import play
from leadscore_v6.cli_production import backup, call_list, promote, refresh, restore, score
from leadscore_v6.errors import LeadscoreError, UsageError, WarehouseBusy
from leadscore_v6.locations import is_local, make_folder
from leadscore_v6.settings import from_environment

if TYPE_CHECKING:
    from leadscore_v6.gates.attempt import Bench

# As driver.py's, which is not loaded to say so.
THROUGH = ("dataset", "model", "shadow", "experiment", "production")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="leadscore")
def cli() -> None:
    """Advisor snapshots and CRM leads in; audited training sets and models out, or a gate that says why not.

    Exit codes: 0 done, 2 bad input or usage, 3 a gate failed, 1 anything else.
    """


@cli.command()
@_home_option
@click.option(
    "--data", required=True, metavar="FOLDER", help="Feed files and Lead.csv: a folder, or gs://bucket/prefix."
)
@click.option("--as-of", callback=_day, help="Nothing later is known (YYYY-MM-DD).  [default: date of the CRM extract]")
@click.option("--crm-extracted-at", callback=_day, help="When Lead.csv was extracted.  [default: last timestamp in it]")
@click.option("--through", type=click.Choice(THROUGH), default="dataset", show_default=True, help="How far to go.")
@click.option("--rebuild", is_flag=True, help="Build again what is there already; versions get a new name.")
@click.option("--entry-lag-days", type=click.IntRange(0), default=0, help="Days the CRM may be late with a call.")
@_json_option
def run(home: Path | None, data: str, through: str, as_json: bool, **options: Any) -> None:
    """Run the plan on a folder of files: to the promoted training set, or on, as far as the champion's scores.

    A model that is trained on the way is not promoted: that is `leadscore promote`, and `leadscore refresh`.
    """
    run_and_tell(from_environment(home=home, data=data), through, options, as_json=as_json)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--scenario", type=click.Choice(["demo", "historical"]), default="demo", show_default=True)
@click.option("--reps", type=click.IntRange(0), default=0, help="Advisors at first.  [default: scenario's]")
@click.option("--leads", type=click.IntRange(0), default=0, help="Leads in Lead.csv.  [default: scenario's]")
@click.option("--wide", is_flag=True, help="All 471 columns.")
@click.option("--seed", type=int, default=20240107, show_default=True)
@click.option("--quarters", type=click.IntRange(1, 40), default=8, show_default=True)
def sample(folder: Path, **spec: Any) -> None:
    """Write a synthetic feed into FOLDER, and its truth beside it (which the pipeline never reads)."""
    from leadscore_v6.sample_world import WorldSpec, write_world

    click.echo(str(write_world(folder, WorldSpec(**spec), _progress)))


@cli.command()
@_home_option
@click.option("--all", "everything", is_flag=True, help="Every attempt's gates, not only the latest.")
@_json_option
def status(home: Path | None, everything: bool, as_json: bool) -> None:
    """Print every gate: step, gate, figure, threshold, verdict, when, version. Never waits on a running build."""
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.gates.status import served_versions, status_lines
    from leadscore_v6.reports.status import render_status
    from leadscore_v6.warehouse.lease import holder

    settings = from_environment(home=home)
    ledger, from_mirror = read_ledger(settings)
    lines = status_lines(ledger, everything=everything)
    if as_json:
        click.echo(json.dumps([vars(line) for line in lines], indent=2, default=str))
        return
    if from_mirror:
        click.echo(f"A run holds the warehouse ({holder(settings.home) or 'ending'}); as of its last judged step:\n")
    click.echo(render_status(lines, served_versions(ledger)))


@cli.command()
@_home_option
@click.argument("name", metavar="GATE")
def gate(home: Path | None, name: str) -> None:
    """Say what GATE asks for, what to do when it does not hold (cause, check, remedy), and how it stands here."""
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.gates.registry import load_gates
    from leadscore_v6.gates.status import status_lines
    from leadscore_v6.reports.status import render_gate

    settings, asked = from_environment(home=home), load_gates()[name]
    # Where no home was named and none is there, only the former is asked.
    lines = status_lines(read_ledger(settings)[0]) if home is not None or settings.home.is_dir() else []
    title = f"{name}, of {asked.asset} (step {asked.step})"
    click.echo(render_gate(title, asked.told, [line for line in lines if line.gate == name]))


@cli.command()
@_home_option
@click.option("--data", metavar="FOLDER", help="Input folder to look at.  [default: LEADSCORE_DATA, else the home's]")
@_json_option
def doctor(home: Path | None, data: str | None, as_json: bool) -> None:
    """Check that all a run needs is there: libraries, home, inputs, warehouse, access. Changes nothing.

    Exit codes: 0 all is there, 2 something is missing; each line says what to do.
    """
    from leadscore_v6.doctor import MISSING, examine, render
    from leadscore_v6.gates.bench import wall_clock

    found = []
    for finding in examine(from_environment(home=home, data=data), wall_clock().date()):
        _progress(f"{finding.check} ...") if sys.stderr.isatty() else None
        found.append(finding)
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in found], indent=2))
    else:
        click.echo(render(found))
    if any(finding.state == MISSING for finding in found):
        sys.exit(2)


@cli.command()
@_home_option
@click.argument("gate")
@click.option("--attempt", required=True, help="The attempt's key, as `leadscore status` shows it.")
@click.option("--by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why; it shows in every report that follows.")
@click.option("--expires", required=True, callback=_day, help="Last day on which it holds (YYYY-MM-DD).")
def waive(home: Path | None, gate: str, attempt: str, by: str, reason: str, expires: str) -> None:
    """Wave one failed GATE of one attempt through, by name, with a reason, until a day."""
    from datetime import date

    from leadscore_v6.gates.decisions import Waiver
    from leadscore_v6.gates.decisions import waive as decide

    with _deciding(home, "waive") as bench:
        decided = decide(bench, Waiver(gate, attempt, by, reason, date.fromisoformat(expires)))
    place = f"{decided.asset} {decided.partition or ''}".rstrip()
    click.echo(f"{gate} of {place} is waived until {expires}. Run again to publish it.")


@cli.command()
@_home_option
@click.argument("file")
@click.option("--reason", default="", help="Why; kept in the ledger.")
@click.option("--sha256", default="", help="Which one, by the first digits of its digest.  [default: the newest]")
@click.option("--undo", is_flag=True, help="Take the newest withdrawal of FILE back.")
def withdraw(home: Path | None, file: str, reason: str, sha256: str, undo: bool) -> None:
    """Take an input FILE back (a RIARepDataFeed_YYYYMMDD.csv, or a file of the CRM): nothing is built from it any more.

    Files of the CRM are Lead.csv, Dials.csv and Associates.csv. It is about this content under this name: what was
    landed before it serves again at the next run.
    """
    from leadscore_v6.gates.decisions import undo_withdrawal
    from leadscore_v6.gates.decisions import withdraw as decide

    if undo and (sha256 or reason):
        raise UsageError("--undo takes the newest withdrawal back; it goes with neither --sha256 nor --reason.")
    name = Path(file).name
    with _deciding(home, "withdraw") as bench:
        change = undo_withdrawal(bench, name) if undo else decide(bench, name, reason, sha256)
        _tell_what_serves(bench, home)
    did, attempts = ("in use again", "counts again") if undo else ("withdrawn", "set aside")
    click.echo(f"{name}, {change.file}, is {did}; {attempts}: {', '.join(change.attempts)}.\n{change.serves}")
    click.echo("Run again to build so; until then v_latest_training_dataset_v6 serves what it served.")


@cli.command()
@_home_option
@click.option("--dataset", help="The training set to serve again, e.g. 20251104_2217.")
@click.option("--model", "version", help="The former champion to serve again, e.g. 20251104.")
@click.option("--by", default="", help="Who decides; kept in the ledger. A model needs it.")
@click.option("--reason", default="", help="Why; kept in the ledger. A model needs it.")
def rollback(home: Path | None, dataset: str | None, version: str | None, by: str, reason: str) -> None:
    """Serve what served before: an earlier promoted training set, or a former champion.

    Call lists by the model that served until now are named: they stay, as files and in the CRM, until taken back.
    """
    from leadscore_v6.gates.champions import roll_back
    from leadscore_v6.gates.decisions import rollback as decide

    if (dataset is None) == (version is None):
        raise UsageError("Say what to roll back: either --dataset VERSION, or --model VERSION.")
    with _deciding(home, "rollback") as bench:
        if dataset is not None:
            before, after = decide(bench, dataset, by)
            click.echo(f"v_latest_training_dataset_v6 serves {after} again (before: {before}).")
        elif version is not None:
            until_now, reign = roll_back(bench, version, by, reason)
            click.echo(f"Model {reign.version} is champion again (before: {until_now}); the next scores are its own.")
            _tell_of_lists(home, until_now)
        _tell_what_serves(bench, home)


def _tell_of_lists(home: Path | None, version: str) -> None:
    """Whom people are calling by a model that serves no longer, and how that is put right."""
    from leadscore_v6.call_list import lists_by

    lists = lists_by(from_environment(home=home), version)
    if not lists:
        click.echo(f"No call list by {version} is among the artifacts; those written elsewhere (--out) are not known.")
        return
    click.echo(f"Call lists by {version} that people may still be calling by, and the CRM may have:")
    for file in lists:
        click.echo(f"  {file}")
    click.echo(
        "  what to do: take them back, with those that were written elsewhere (--out); then `leadscore score` and "
        "`leadscore call-list`, and import the new one (runbook, call lists)."
    )


def _tell_what_serves(bench: Bench, home: Path | None) -> None:
    """The page about the champion, if there is one, says what of that which it learned from was taken back."""
    from leadscore_v6.gates.champions import champion

    if champion(bench.ledger) is not None:
        from leadscore_v6.decision import write_serving

        write_serving(bench.ledger, from_environment(home=home))


@cli.command()
@_home_option
@click.option("--dry-run", is_flag=True, help="Only list what would go.")
@click.option("--keep", type=click.IntRange(1), default=3, show_default=True, help="Newest versions to keep.")
def gc(home: Path | None, dry_run: bool, keep: int) -> None:
    """Remove old versions, failed candidates and landed files that nothing refers to, and compact the warehouse."""
    from leadscore_v6.gates.bench import lease, require_home
    from leadscore_v6.gates.retention import collect, compact, expendable
    from leadscore_v6.unfinished import clear_away, left_behind

    settings = from_environment(home=home)
    require_home(settings)
    beside = settings.home.absolute().parent
    for path in left_behind(beside):
        click.echo(f"left   {path}  (by a backup or a restore that was killed)")
    if not dry_run:
        clear_away(beside, _progress)
    # Compacting replaces the warehouse's file: nobody may write between the two.
    with lease(settings, _progress):
        with _deciding(home, "gc") as bench:
            found = expendable(bench, settings, keep)
            for line in found.lines():
                click.echo(line)
            if not dry_run:
                collect(bench, found)
        if not dry_run:
            click.echo(compact(settings, _progress))


@cli.command()
@_home_option
@click.option("--data", metavar="FOLDER", help="What the sensor watches: a folder, or gs://bucket/prefix.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def ui(home: Path | None, data: str | None, host: str, port: int) -> None:
    """Open Dagster on this home: graph, checks, reports, launch, sensor."""
    import os

    from leadscore_v6.gates.bench import lease
    from leadscore_v6.instance import dagster_instance, end_killed_runs

    settings = from_environment(home=home, data=data)
    if is_local(settings.data):
        if settings.data.exists() and not settings.data.is_dir():
            raise UsageError(f"{settings.data} is a file; --data names the folder that the sensor watches.")
        make_folder(settings.data)
    at_once = lease(replace(settings, lease_wait_seconds=0.0), lambda _line: None)
    # A run that has the warehouse is alive. If none has, those that are not over are dead, and would block the queue.
    with dagster_instance(settings) as instance, suppress(WarehouseBusy), at_once:
        end_killed_runs(instance)
    click.echo(f"Dagster on http://{host}:{port}  (home {settings.home}); Ctrl-C ends it.")
    click.echo(f"Switched on under Automation, landing_sensor watches {settings.data}.")
    module = ["-m", "leadscore_v6.definitions"]
    os.execv(sys.executable, [sys.executable, "-m", "dagster", "dev", *module, "-h", host, "-p", str(port)])


@cli.command()
@_home_option
def env(home: Path | None) -> None:
    """Print the variables that let `dagster …` commands work on this home: eval "$(leadscore env)"."""
    import shlex

    from leadscore_v6.instance import dagster_instance, export

    settings = from_environment(home=home)
    dagster_instance(settings).dispose()
    for name, value in export(settings).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@contextmanager
def _deciding(home: Path | None, command: str) -> Iterator[Bench]:
    """The bench of a home that is there, for a person's decision."""
    from leadscore_v6.gates.bench import open_bench, require_home

    settings = from_environment(home=home)
    require_home(settings)
    with open_bench(settings, command, _progress) as bench:
        yield bench


for command in (demo, train, shadow, experiment, why, model, play, alerts):
    cli.add_command(command)
for command in (promote, backup, restore, score, monitor, call_list, refresh, dashboard):
    cli.add_command(command)


def main() -> None:
    """Run the command line; an error for a person is printed without a traceback, with its exit code."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LeadscoreError as error:
        click.echo(f"leadscore: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
