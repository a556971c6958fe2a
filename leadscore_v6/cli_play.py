"""Commands of the command line about the sample world once it is written: play it on, week by week.

Belongs here: commands, their arguments, what they print. Does not belong here: any rule, as in cli.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from leadscore_v6.cli_options import json_option, progress


@click.command()
@click.argument("feed", type=click.Path(path_type=Path, file_okay=False))
@click.option("--weeks", type=click.IntRange(1), default=1, show_default=True, help="How many weeks to go on.")
@click.option(
    "--queue",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The published queue, ab_test_queue_v6.csv, dialled in the first of them.  [default: order of arrival]",
)
@click.option("--adoption", type=float, default=0.95, show_default=True, help="Chance that a dial follows the queue.")
@click.option("--capacity-share", type=float, default=0.45, show_default=True, help="Dials a week per weekly lead.")
@click.option("--weekly-leads", type=int, default=1_450, show_default=True, help="Leads that enter contacting a week.")
@click.option("--null", is_flag=True, help="Dial both arms in random order: the true lift is 0.")
@click.option("--snapshots", is_flag=True, help="Deliver the feeds of the quarters that have begun.")
@click.option(
    "--drift",
    "drifts",
    multiple=True,
    metavar="KIND[:STRENGTH][@DAY]",
    help="Change the world from DAY on: shift, missingness, new-category, concept, base-rate; quiet ends it.",
)
@json_option
def play(feed: Path, as_json: bool, **request: Any) -> None:
    """Play the sample world in FEED on: leads arrive, associates dial, calls are scheduled.

    FEED is the folder that `leadscore sample` or `leadscore demo` wrote. The world goes on from where it ended, reads
    nothing of the pipeline but the queue, and writes Lead.csv, Dials.csv and Associates.csv anew, as of the last
    day played. What it remembers is in FEED.truth, which the pipeline never reads. A malformed queue: exit 2, and
    nothing is written.
    """
    from leadscore_v6.sample_world import PlayRequest
    from leadscore_v6.sample_world import play as play_on

    summary = play_on(feed, PlayRequest(**request), progress)
    click.echo(json.dumps(asdict(summary), indent=2, default=str) if as_json else str(summary))
