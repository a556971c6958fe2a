"""The advisors as the newest snapshot shows them: whom a played week can buy as leads, and what is known of each.

Belongs here: rebuilding a world from its spec up to a snapshot, writing the files of quarters that have begun since,
and keeping what was found. Does not belong here: which of the advisors are bought (arrivals.py).
A world is rebuilt by drawing it again; as no part of it depends on a later one (draws.py), it is the same world. That
takes seconds, so the outcome is kept in the truth folder, under a name that says what it was made from.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.sample_world.drift import Drift, drifted
from leadscore_v6.sample_world.evidence import Evidence, EvidenceCollector
from leadscore_v6.sample_world.feed import FeedWriter
from leadscore_v6.sample_world.firms import draw_firms, draw_surplus
from leadscore_v6.sample_world.panel import Panel
from leadscore_v6.sample_world.roster import draw_roster
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.traits import EPOCH, draw_traits


@dataclass(frozen=True)
class _Everyone:
    """Each advisor once, looked up in the newest snapshot."""

    day: NDArray[np.int32]
    advisor: NDArray[np.int32]
    interval: NDArray[np.int16]
    matched: NDArray[np.int16]


@dataclass(frozen=True)
class Advisors:
    """Every advisor of a world (n,) after snapshot `quarter`.

    here      on that snapshot
    prospect  of the kind that is bought as a lead (traits.py)
    seen      index of the newest snapshot that has the advisor
    evidence  what that one shows; its `day` means nothing
    """

    quarter: int
    crd: NDArray[np.int32]
    here: NDArray[np.bool_]
    prospect: NDArray[np.bool_]
    seen: NDArray[np.int16]
    evidence: Evidence

    def save(self, path: Path) -> None:
        """Keep it as .npz; `path` has its name only when it is complete."""
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                crd=self.crd,
                here=self.here,
                prospect=self.prospect,
                seen=self.seen,
                **{f"evidence_{f.name}": getattr(self.evidence, f.name) for f in fields(Evidence)},
            )
        os.replace(part, path)

    @classmethod
    def load(cls, path: Path, quarter: int) -> Self:
        """What `save` kept."""
        with np.load(path, allow_pickle=False) as kept:
            evidence = Evidence(**{f.name: kept[f"evidence_{f.name}"] for f in fields(Evidence)})
            return cls(quarter, kept["crd"], kept["here"], kept["prospect"], kept["seen"], evidence)


@dataclass(frozen=True)
class World:
    """A world that goes on: what it was asked to be, what has changed since, and where its truth lies."""

    spec: WorldSpec
    drifts: tuple[Drift, ...]
    truth: Path

    def snapshot_date(self, quarter: int) -> date:
        """The day of a snapshot, of one still to come too."""
        return replace(self.spec, quarters=quarter + 1).snapshot_dates[-1]

    def advisors(self, quarter: int) -> Advisors:
        """The advisors after a snapshot: as kept, or else rebuilt and kept."""
        path = self._kept(quarter)
        return Advisors.load(path, quarter) if path.is_file() else self.rebuild(quarter)

    def rebuild(self, quarter: int, feed: Path | None = None) -> Advisors:
        """Draw the world again up to a snapshot, write that one's file into `feed` if given, and keep the advisors."""
        spec = replace(self.spec, quarters=quarter + 1)
        roster = draw_roster(spec)
        traits, firms = draw_traits(spec, roster), draw_firms(spec)
        everyone = _Everyone(
            day=np.full(roster.size, self.snapshot_date(quarter).toordinal() - EPOCH, np.int32),
            advisor=np.arange(roster.size, dtype=np.int32),
            interval=np.full(roster.size, quarter, np.int16),
            matched=roster.last_seen[quarter],
        )
        collector = EvidenceCollector(everyone, traits, len(firms.crd))
        for state in Panel(spec, roster, traits, firms, draw_surplus(spec, roster, firms)).snapshots():
            snapshot = drifted(state, traits.noise, self.drifts)
            collector.look(snapshot)
            if feed and snapshot.quarter == quarter:
                FeedWriter(spec, traits, firms).write(snapshot, feed)
        found = Advisors(
            quarter, traits.crd, roster.present[quarter], traits.prospect, everyone.matched, collector.evidence()
        )
        found.save(self._kept(quarter))
        return found

    def _kept(self, quarter: int) -> Path:
        made_of = repr((asdict(self.spec), [d for d in self.drifts if d.since <= self.snapshot_date(quarter)]))
        return self.truth / f"advisors_{quarter + 1:02d}_{crc32(made_of.encode()):08x}.npz"
