"""What was known of each lead when it was contacted: the point-in-time truth that outcomes are drawn from.

Belongs here: collecting, snapshot by snapshot, what a correct join (plan step 3.1, R2, R4) would give. Does not
belong here: what follows from it (outcomes.py).
An advisor's later life cannot matter: each lead is filled from the one snapshot it is matched to, and its firm's size
from the newest snapshot at or before contact that has the firm.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.sample_world.panel import Snapshot
from leadscore_v6.sample_world.traits import Traits

Floats = NDArray[np.float64]
LICENCES = (
    "Series7_GeneralSecuritiesRepresentative",
    "Series65_InvestmentAdviserRepresentative",
    "Series66_CombinedUniformStateLawAndIARepresentative",
    "Series24_GeneralSecuritiesPrincipal",
)


@dataclass(frozen=True)
class Evidence:
    """One entry a lead (n,); NaN where the feed is blank or the lead matches no snapshot.

    Years are the feed's, flags 0.0/1.0, `firm_reps` distinct advisors under the firm, `home` an index into PLACES
    (-1 blank), `day` the day of contact since 1970-01-01.
    """

    matched: NDArray[np.bool_]
    day: NDArray[np.int32]
    experience: Floats
    tenure: Floats
    prior_mean: Floats
    prior_count: Floats
    states: Floats
    licences: Floats
    series65: Floats
    cfp: Floats
    dual: Floats
    owner: Floats
    linkedin: Floats
    firm_reps: Floats
    home: NDArray[np.int16]

    def of(self, rows: NDArray[np.int32], day: NDArray[np.int32]) -> Evidence:
        """The entries `rows` (m,), seen on `day` (m,); row -1 is a lead that no snapshot knows."""
        taken = replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})
        return replace(taken, day=day, matched=taken.matched & (rows >= 0))


class Sightings(Protocol):
    """Who is looked up (n,), and in which snapshot: the part of `Leads` that a join goes by."""

    @property
    def day(self) -> NDArray[np.int32]: ...  # noqa: D102 - as in Leads
    @property
    def advisor(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def interval(self) -> NDArray[np.int16]: ...  # noqa: D102
    @property
    def matched(self) -> NDArray[np.int16]: ...  # noqa: D102


@dataclass
class EvidenceCollector:
    """Call `look` with every snapshot in order, then `evidence`."""

    leads: Sightings
    traits: Traits
    firms: int
    _fields: dict[str, Floats] = field(default_factory=dict, init=False)
    _firm: NDArray[np.int32] = field(init=False)
    _home: NDArray[np.int16] = field(init=False)
    _sizes: list[NDArray[np.int32]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        n = len(self.leads.day)
        self._firm = np.full(n, -1, np.int32)
        self._home = np.full(n, -1, np.int16)

    def look(self, snapshot: Snapshot) -> None:
        """Fill in the leads whose newest snapshot with their advisor is this one."""
        self._sizes.append(snapshot.firm_sizes(self.firms))
        mine = np.flatnonzero(self.leads.matched == snapshot.quarter)
        who = self.leads.advisor[mine]
        words = self.traits.words
        prior = snapshot.prior_years[who, :4].astype(np.float64).round(1)
        count = (~np.isnan(prior)).sum(axis=1)
        values = {
            "experience": snapshot.became_years[who],
            "tenure": snapshot.hire_years[who],
            "prior_mean": np.divide(np.nansum(prior, axis=1), count, out=np.full(len(who), np.nan), where=count > 0),
            "prior_count": count,
            "states": snapshot.states[who],
            "licences": sum((words[column][who] == 0).astype(float) for column in LICENCES),
            "series65": words[LICENCES[1]][who] == 0,
            "cfp": snapshot.cfp[who],
            "dual": words["DuallyRegisteredBDRIARep"][who] == 0,
            "owner": words["Owner"][who] == 0,
            "linkedin": self.traits.linkedin[who],
        }
        for name, value in values.items():
            self._fields.setdefault(name, np.full(len(self.leads.day), np.nan))[mine] = value
        self._firm[mine] = snapshot.firm[who]
        self._home[mine] = snapshot.home[who]

    def evidence(self) -> Evidence:
        """What was known of every lead, after all snapshots were looked at."""
        matched = self.leads.matched >= 0
        return Evidence(
            matched=matched, day=self.leads.day, firm_reps=self._firm_reps(matched), home=self._home, **self._fields
        )

    def _firm_reps(self, matched: NDArray[np.bool_]) -> Floats:
        sizes = np.stack(self._sizes)
        newest = np.maximum.accumulate(np.where(sizes > 0, np.arange(len(sizes))[:, None], -1), axis=0)
        reps = np.full(len(matched), np.nan)
        rows = np.flatnonzero(matched)
        firm, interval = self._firm[rows], self.leads.interval[rows]
        reps[rows] = sizes[newest[interval, firm], firm]
        return reps
