"""Plays a written world on, week by week: leads arrive, associates dial, calls are scheduled (R41, R50, R52).

Belongs here: the order of things in a played week, and what is written. Does not belong here: any random draw.
A world in a folder FEED is played by a process of its own. Of the pipeline it reads the published queue and nothing
else; what it remembers lies in `<FEED>.truth/`; what it says is in Lead.csv, Dials.csv and Associates.csv.

A week of it: the leads that arrived in the week before are dialled, in the order of the queue if one is handed over,
else in order of arrival; meanwhile new ones arrive. A lead is put before the associates once. Only a dialled lead can
convert: `days` after its dial, which was settled when it arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world.advisors import Advisors, World
from leadscore_v6.sample_world.arrivals import MOST_A_WEEK, arrive, first_day
from leadscore_v6.sample_world.chronicle import QUEUED, Chronicle
from leadscore_v6.sample_world.columns import SYNTHETIC
from leadscore_v6.sample_world.dialling import Week, associates, calls, dial
from leadscore_v6.sample_world.drift import Drift
from leadscore_v6.sample_world.leads import CALL, RECORD, write_csv, write_extract
from leadscore_v6.sample_world.published_queue import read_queue
from leadscore_v6.sample_world.world import truth_folder, write_readme


@dataclass(frozen=True)
class PlayRequest:
    """How a world goes on.

    weeks           how many, >= 1
    queue           the published queue for the first of them; None: as usual, in order of arrival
    adoption        chance that an associate of the treatment arm follows the queue, 0 to 1
    capacity_share  dials a week as a share of `weekly_leads`, above 0, up to 1
    weekly_leads    leads that enter contacting in a week, about (R41: at least 1,400 in the demo)
    null            both arms are dialled in random order: the true lift is 0
    snapshots       deliver the feeds of the quarters that have begun; without, they come late. Leads are looked up in
                    them either way: their day decides, as it will in the join once they are there (R2, R48)
    drifts          KIND[:strength][@YYYY-MM-DD] (drift.py); by default from the first of these days on

    Raises UsageError for a value outside these limits.
    """

    weeks: int = 1
    queue: Path | None = None
    adoption: float = 0.95
    capacity_share: float = 0.45
    weekly_leads: int = 1_450
    null: bool = False
    snapshots: bool = False
    drifts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        limits = {
            "weeks": (1 <= self.weeks <= 520, "from 1 to 520"),
            "adoption": (0 <= self.adoption <= 1, "from 0 to 1"),
            "capacity_share": (0 < self.capacity_share <= 1, "above 0, up to 1"),
            "weekly_leads": (1 <= self.weekly_leads <= MOST_A_WEEK, f"from 1 to {MOST_A_WEEK:,}"),
        }
        for name, (fits, words) in limits.items():
            if not fits:
                raise UsageError(f"{name} must be {words}, not {getattr(self, name)!r}")

    @property
    def capacity(self) -> int:
        """Dials a week, of all associates: an even number, so that each arm has half of each associate's."""
        return 2 * round(self.capacity_share * self.weekly_leads / 2)


@dataclass(frozen=True)
class PlaySummary:
    """What was played. `leads` arrived, `dials` made in these weeks by queue (model, own, usual); `week`: the last."""

    folder: Path
    week: int
    first_day: date
    last_day: date
    leads: int
    capacity: int
    dials: dict[str, int]
    snapshots: tuple[str, ...]

    def __str__(self) -> str:
        """Two or three lines for a person."""
        made = ", ".join(f"{n:,} {queue}" for queue, n in self.dials.items() if n) or "none"
        files = "".join(f"\nnew snapshot {name}" for name in self.snapshots)
        return (
            f"{self.first_day} to {self.last_day} (up to week {self.week}): {self.leads:,} leads arrived, dials by "
            f"queue: {made} (capacity {self.capacity:,} a week)\n"
            f"Lead.csv, Dials.csv and Associates.csv in {self.folder} are as of {self.last_day} (all synthetic){files}"
        )


def play(feed: Path, request: PlayRequest, progress: Callable[[str], None] = lambda _: None) -> PlaySummary:
    """Play the world in `feed` on. The same request from the same state writes the same bytes.

    Raises UsageError when there is no sample world, and for a drift that is none or would change the past; InputError
    for a queue that this world cannot play. In both cases nothing was written.
    """
    truth = truth_folder(feed)
    before = Chronicle.read(truth)
    world = _changed(World(before.spec, before.drifts, truth), before, request.drifts)
    orders: dict[int, pd.DataFrame] = {}
    if request.queue:
        orders[before.weeks + 1] = read_queue(request.queue, before.leads, before.queued["Id"])
    now = replace(before, drifts=world.drifts)
    for number in range(before.weeks + 1, before.weeks + 1 + request.weeks):
        if request.snapshots:
            now = _deliver(world, now, number, feed, progress)
        now = _play_week(world, now, number, request, orders.get(number))
        progress(f"week {number}, from {first_day(world, number)}: {int((now.leads['week'] == number).sum()):,} leads")
    last = first_day(world, now.weeks + 1) - timedelta(days=1)
    _write(feed, now, last, request.capacity)
    now.write(truth)
    return _summary(feed, before, now, request, (first_day(world, before.weeks + 1), last), world)


def _changed(world: World, before: Chronicle, drifts: Iterable[str]) -> World:
    """The world with the drifts that are asked for; what was written already stays as it is."""
    start = first_day(world, before.weeks + 1)
    asked = [Drift.parse(text, start) for text in drifts]
    for drift in asked:
        if drift.since < start:
            raise UsageError(f"a drift from {drift.since} on would change what was played: {start} is the first day.")
    return replace(world, drifts=tuple(sorted({*world.drifts, *asked})))


def _deliver(world: World, now: Chronicle, number: int, feed: Path, progress: Callable[[str], None]) -> Chronicle:
    """Write the feeds of the quarters that begin by the end of a week and are not there yet."""
    delivered, after = now.delivered, first_day(world, number + 1)
    while (day := world.snapshot_date(delivered)) < after:
        world.rebuild(delivered, feed)
        progress(f"{feed_name(day)}: written")
        delivered += 1
    return replace(now, delivered=delivered)


def _newest(world: World, past: Chronicle, number: int) -> dict[date, Advisors]:
    """The advisors by the day from which on their snapshot is the newest, whether or not its file is there yet."""
    quarters = past.quarters
    newest = {world.snapshot_date(quarters - 1): world.advisors(quarters - 1)}
    after = first_day(world, number + 1)
    while (day := world.snapshot_date(quarters)) < after:
        newest[day] = world.advisors(quarters)
        quarters += 1
    return newest


def feed_name(day: date) -> str:
    """The name of a snapshot's file."""
    return f"RIARepDataFeed_{day:%Y%m%d}.csv"


def _play_week(
    world: World,
    past: Chronicle,
    number: int,
    request: PlayRequest,
    queue: pd.DataFrame | None,
) -> Chronicle:
    newest = _newest(world, past, number)
    week = Week(world.spec.seed, number, first_day(world, number), request.capacity, request.adoption, request.null)
    queued = dial(week, _as_usual(past, number) if queue is None else queue)
    truth = past.leads.set_index("Id")["probability"]
    queued = queued.assign(week=number, probability=truth.loc[queued["Id"]].to_numpy())[list(QUEUED)]
    arrived = arrive(world, number, request.weekly_leads, newest, past.leads["advisor"].to_numpy(np.int32))
    return replace(
        past,
        weeks=number,
        quarters=max(crew.quarter for crew in newest.values()) + 1,
        leads=pd.concat([past.leads, arrived] if number > 1 else [arrived], ignore_index=True),
        queued=pd.concat([past.queued, queued] if len(past.queued) else [queued], ignore_index=True),
    )


def _as_usual(past: Chronicle, number: int) -> pd.DataFrame:
    """What associates do without a queue: the leads of the week before, as they came."""
    leads = past.leads
    waiting = leads[(leads["week"] == number - 1) & leads["counted"] & ~leads["Id"].isin(past.queued["Id"])]
    return pd.DataFrame({"Id": waiting["Id"], "arm": "", "position": np.arange(1, len(waiting) + 1)})


def _write(feed: Path, now: Chronicle, last: date, capacity: int) -> None:
    """What the CRM shows on the evening of `last`."""
    called = now.leads["Id"].map(calls(now.queued, now.leads)).fillna("")
    played = now.leads.assign(**{CALL: called})[RECORD]
    records = pd.concat([now.history, played.sort_values("Id", kind="stable")], ignore_index=True)
    write_extract(records, last, feed)
    dials = now.queued[now.queued["dialled"] == 1].merge(now.leads[["Id", "FA_CRD__c"]], on="Id")
    dials = dials.sort_values(["dialled_at", "Id"])[["Id", "FA_CRD__c", "associate", "dialled_at", "queue"]]
    write_csv(dials.assign(**{SYNTHETIC: "Yes"}), feed / "Dials.csv")
    write_csv(associates(capacity).assign(**{SYNTHETIC: "Yes"}), feed / "Associates.csv")
    write_readme(feed, replace(now.spec, quarters=now.delivered), len(records), last)


def _summary(
    feed: Path, before: Chronicle, now: Chronicle, request: PlayRequest, days: tuple[date, date], world: World
) -> PlaySummary:
    made = now.queued[(now.queued["week"] > before.weeks) & (now.queued["dialled"] == 1)]
    new = range(before.delivered, now.delivered)
    return PlaySummary(
        folder=feed,
        week=now.weeks,
        first_day=days[0],
        last_day=days[1],
        leads=len(now.leads) - len(before.leads),
        capacity=request.capacity,
        dials={queue: int((made["queue"] == queue).sum()) for queue in ("model", "own", "usual")},
        snapshots=tuple(feed_name(world.snapshot_date(quarter)) for quarter in new),
    )
