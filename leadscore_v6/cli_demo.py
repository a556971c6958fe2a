"""`leadscore demo`: a synthetic world, the plan on it, and the months after training played out to the end of a test.

Belongs here: the order in which world and pipeline take turns, and what is printed beside the truth, which only this
command reads (R41, R52). Does not belong here: any rule of either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from leadscore_v6.cli_model import run_and_tell, tell
from leadscore_v6.cli_monitoring import watch
from leadscore_v6.cli_options import home_option, progress
from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.settings import Settings, from_environment

# The weekly flow that a test is planned by is that of the last weeks (v6_experiment.yaml), so so many come before it.
_WEEKS_BEFORE = 4
_MONTHS_WATCHED = 3
THROUGH = ("dataset", "model", "shadow", "experiment", "production", "refresh")


@dataclass(frozen=True)
class _World:
    """The played world: its feed, and its truth, which the pipeline never sees."""

    feed: Path
    truth: Path
    null: bool

    def week(self, queue: Path | None, weeks: int = 1) -> None:
        """Some weeks more; `queue` is dialled in the first of them."""
        self._play(weeks=weeks, queue=queue)

    def next_quarter(self) -> None:
        """A week more, and the snapshots of the quarters that have begun."""
        self._play(snapshots=True)

    def _play(self, **asked: Any) -> None:
        from leadscore_v6.sample_world import PlayRequest, play

        summary = play(self.feed, PlayRequest(null=self.null, **asked))
        progress(str(summary).splitlines()[0])


@click.command()
@home_option
@click.option("--seed", type=int, default=20240107, show_default=True, help="Seed of the sample world.")
@click.option("--through", type=click.Choice(THROUGH), default="production", show_default=True, help="How far to go.")
@click.option("--null", is_flag=True, help="In the test both arms are dialled in random order: the true lift is 0.")
def demo(home: Path | None, seed: int, through: str, null: bool) -> None:
    """Make a synthetic world (eight quarters), run the plan on it, play a test of the model, and put it to work.

    Training set, model, seven days of shadow scores, then an A/B test week by week: the world dials the published
    queue, and its answers come back as Lead.csv and Dials.csv. At each end what was found stands beside the truth.
    After a go the model is promoted, the day is scored, and a call list and the dashboard are written. `--through
    refresh` adds a ninth quarter, and the decision about the model that it makes (about half as long again).
    """
    from leadscore_v6.sample_world import WorldSpec, write_world

    settings = from_environment(home=home)
    if settings.engine != "duckdb":
        raise UsageError("The demo's synthetic world goes into the embedded warehouse only; unset LEADSCORE_WAREHOUSE.")
    feed = settings.home / "demo" / "feed"
    settings = from_environment(home=settings.home, data=feed)
    click.echo("1. A synthetic world: advisors over eight quarters, leads, and a truth the pipeline never sees.")
    written = write_world(feed, WorldSpec(scenario="demo", seed=seed), progress)
    click.echo(str(written))
    click.echo("\n2. The plan, step by step: land, type, aggregate, join as of contact, gate, promote; then the model.")
    run_and_tell(settings, "dataset" if through == "dataset" else "model", {})
    if through == "dataset":
        return
    _compare_with_truth(settings, written.truth)
    world = _World(feed, written.truth.parent, null)
    if through in THROUGH[2:]:
        _shadow(settings, world)
    if through in THROUGH[3:]:
        _test(settings, world)
    if through in THROUGH[4:]:
        _produce(settings, world)
    if through == "refresh":
        _refresh(settings, world)
    if through in THROUGH[4:]:
        _show(settings)


def _compare_with_truth(settings: Settings, truth: Path) -> None:
    """Print what the model reached beside what the truth itself would, on the same holdout leads (R41)."""
    from leadscore_v6.sample_world import best_possible
    from leadscore_v6.why import holdout_of

    ids, reached = holdout_of(settings)
    best = best_possible(truth, ids)
    click.echo(
        f"\n3. Beside the truth, which only this command reads: AUC-PR on {len(ids):,} holdout leads is {reached:.3f}; "
        f"with the true probabilities {best:.3f}. The model reaches {reached / best:.2f} of what is possible."
    )


def _shadow(settings: Settings, world: _World) -> None:
    from leadscore_v6 import driver

    click.echo(f"\n4. {_WEEKS_BEFORE} weeks more, dialled as ever; of the last one every lead is scored in shadow.")
    world.week(None, _WEEKS_BEFORE)
    asked = driver.ShadowRequest(land=True)
    tell(settings, lambda: driver.shadow(settings, {}, asked, progress))


def _test(settings: Settings, world: _World) -> None:
    """A test from its plan to its final analysis; a no-go ends the command as a failed gate does elsewhere."""
    from leadscore_v6 import driver_experiment as driver

    click.echo(
        "\n5. The test: planned, then week by week: leads are assigned, the queue is published, the world dials it."
    )
    week: Callable[[Path | None], None] = world.week
    try:
        tell(settings, lambda: driver.play_out(settings, week, progress))
    except GateBlocked:
        _beside_the_truth(settings, world)
        raise
    _beside_the_truth(settings, world)


def _beside_the_truth(settings: Settings, world: _World) -> None:
    """Print the test's estimate beside the lift that the truth gives to the very leads that were dialled (R41)."""
    from leadscore_v6 import driver_experiment as driver
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.reports.experiment import render_standing
    from leadscore_v6.sample_world import true_lift

    ledger, _ = read_ledger(settings)
    click.echo("\n" + render_standing(driver.status(ledger), driver.reports(ledger, settings)))
    found = driver.estimate(ledger)
    if found is None:
        return
    truth = true_lift(world.truth)
    width = "" if found["low"] is None else f" (95 %: {found['low']:+.0%} to {found['high']:+.0%})"
    click.echo(
        f"\n6. Beside the truth: the test estimates a lift of {found['value']:+.0%}{width} in MQLs per 100 dials; the "
        f"true probabilities of the leads that were dialled give {truth.lift:+.0%}, and {truth.full_adoption:+.0%} if "
        "every dial had followed the queue."
    )


def _show(settings: Settings) -> None:
    """The page that says how all of it stands."""
    from leadscore_v6.dashboard_panels.assemble import write_dashboard

    click.echo(f"\nHow all of it stands, on one page: {write_dashboard(settings)}")


def _produce(settings: Settings, world: _World) -> None:
    """The tested model becomes champion, scores the day of the newest extract, and its call list is written."""
    from leadscore_v6 import driver
    from leadscore_v6.call_list import CallListRequest, write_call_list
    from leadscore_v6.decision import tell_what_serves
    from leadscore_v6.driver_experiment import status
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.promotion import promote

    click.echo("\n7. Production: the tested model is promoted, the day is scored, and whom to call is written down.")
    ledger, _ = read_ledger(settings)
    reign = promote(settings, status(ledger)["model_version"], "leadscore demo", "the go of the played test", progress)
    tell_what_serves(settings)
    click.echo(f"Model {reign.version} is champion; `leadscore model list` tells its history.")
    tell(settings, lambda: driver.score(settings, {}, driver.ScoreRequest(), progress))
    asked = CallListRequest(associates=world.feed / "Associates.csv")
    click.echo(str(write_call_list(settings, asked)))
    _monitor(settings)


def _monitor(settings: Settings) -> None:
    """The months of the played test, looked at one by one as their schedules would have."""
    from leadscore_v6.driver_monitoring import MonitorRequest, months_between
    from leadscore_v6.gates.bench import read_ledger
    from leadscore_v6.gates.extract import extract_day
    from leadscore_v6.monitoring import MONTHLY

    ledger, _ = read_ledger(settings)
    last = extract_day(ledger)
    months = months_between(last.replace(year=last.year - 1), last)[-_MONTHS_WATCHED:]
    click.echo(f"\n8. Monitoring: drift and the model's worth, as of the first days of the last {len(months)} months.")
    watch(settings, MonitorRequest((MONTHLY,), tuple(months)))


def _refresh(settings: Settings, world: _World) -> None:
    """The quarter that has begun meanwhile is delivered; a challenger is made of it and decided about."""
    from leadscore_v6.refresh import refresh

    click.echo("\n9. The next quarter: its snapshot is delivered, a challenger is made of it, and decided about.")
    world.next_quarter()
    done = refresh(settings, {}, "leadscore demo", progress)
    click.echo(f"Model {done.report.challenger}: {done.report.outcome}. {done.report.headline}")
    click.echo(f"The decision: {done.path}")
