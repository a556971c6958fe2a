"""A small world to play on, and a queue for it as a stranger would publish one, from the files alone."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.sample_world import PlayRequest, PlaySummary, WorldSpec, play, write_world
from tests.sample_world.feeds import Row, crd, read

SPEC = WorldSpec(reps=1_500, leads=1_500, seed=21)
WEEKLY = 200
CAPACITY = 90
CONTACT, CALL = "Stage_Entered_Contacting__c", "Stage_Entered_Call_Scheduled__c"
Order = Callable[[Row], Any]


@dataclass
class Played:
    """A world that is played on: its feed, its truth, and what both say."""

    feed: Path

    @property
    def truth(self) -> Path:
        return self.feed.with_name(self.feed.name + ".truth")

    def play(self, **request: Any) -> PlaySummary:
        return play(self.feed, PlayRequest(**{"weekly_leads": WEEKLY} | request))

    def copy(self, name: str, folder: Path | None = None) -> Played:
        """One that can go its own way; the files that are only ever replaced whole are shared."""
        twin = Played((folder or self.feed.parent) / name)
        shutil.copytree(self.feed, twin.feed, copy_function=_share)
        shutil.copytree(self.truth, twin.truth, copy_function=_share)
        return twin

    def leads(self) -> list[Row]:
        return read(self.feed / "Lead.csv")

    def dials(self) -> list[Row]:
        return read(self.feed / "Dials.csv")

    def settled(self) -> dict[str, Row]:
        return {row["Id"]: row for row in read(self.truth / "played_leads.csv")}

    def queued(self) -> list[Row]:
        return read(self.truth / "played_queue.csv")

    def arrived(self) -> list[Row]:
        """Contacted leads with a CRD of the last week played, in order of arrival."""
        week = max(int(row["week"]) for row in self.settled().values())
        mine = {key for key, row in self.settled().items() if int(row["week"]) == week}
        rows = [lead for lead in self.leads() if lead["Id"] in mine and lead[CONTACT] and crd(lead["FA_CRD__c"])]
        return sorted(rows, key=lambda lead: (lead[CONTACT][:10], lead[CONTACT][11:19], lead["Id"]))

    def publish(self, treatment: Order = lambda lead: lead["Id"]) -> Path:
        """A queue of the last week's leads: arms by CRD, treatment ordered as asked, control in order of arrival."""
        path = self.feed.with_name(f"{self.feed.name}_queue.csv")
        rows = []
        for arm in ("control", "treatment"):
            leads = [lead for lead in self.arrived() if (crd(lead["FA_CRD__c"]) % 2 == 0) == (arm == "treatment")]
            ordered = sorted(leads, key=treatment) if arm == "treatment" else leads
            rows += [("2025-11-10", arm, k, lead["Id"], crd(lead["FA_CRD__c"])) for k, lead in enumerate(ordered, 1)]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("queue_date", "arm", "position", "Id", "FA_CRD__c"), *rows])
        return path

    def digests(self) -> dict[str, str]:
        """Of everything that was written, by name."""
        files = [path for folder in (self.feed, self.truth) for path in sorted(folder.iterdir())]
        return {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def said(self) -> dict[str, str]:
        """Digests of what the feed says, whatever the folder is called."""
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(self.feed.iterdir())}


def _share(source: str, target: str) -> None:
    if source.endswith((".csv", ".npz")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


@pytest.fixture(scope="session")
def written_world(tmp_path_factory: pytest.TempPathFactory) -> Played:
    feed = tmp_path_factory.mktemp("played") / "feed"
    write_world(feed, SPEC)
    return Played(feed)


@pytest.fixture(scope="session")
def first_week(written_world: Played) -> Played:
    """One week on: leads have arrived, none was dialled. Nobody may change it: copy it."""
    world = written_world.copy("first_week")
    world.play()
    return world


@pytest.fixture
def world(first_week: Played, tmp_path: Path) -> Played:
    """A copy of `first_week` to go on with."""
    return first_week.copy("feed", tmp_path)
