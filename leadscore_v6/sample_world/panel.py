"""The panel: advisors at work, quarter by quarter. They age, move firms, gain states and designations.

Belongs here: what changes with time, and the state of all advisors on one snapshot. Does not belong here: how a
state is written (feed.py) and what it makes of a lead (outcomes.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.sample_world.draws import share, stream
from leadscore_v6.sample_world.firms import Firms, SurplusRows, firm_counts
from leadscore_v6.sample_world.roster import Roster
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.traits import DAYS_A_YEAR, EPOCH, HOME_AS_OFFICE, Traits

_MOVE_RATE: Final = 0.0145  # of all advisors, a quarter: keeps the mean tenure about stationary
_RECORDED: Final = 0.2  # of moves of advisors whose history the feed does not know
_MORE_STATES: Final = 0.02
_NEW_CFP: Final = 0.001
_OWN_OFFICE: Final = 0.08  # works elsewhere than the firm has its place


@dataclass(frozen=True)
class Snapshot:
    """All advisors (n,) and the rows of one feed file (rows,).

    Years are as the feed states them: whole hundredths, NaN for blank. `row_advisor` and `row_firm` say who is listed
    under which firm: first the `own_rows` rows of advisors under their primary firm, then the surplus ones, of which
    `row_second` marks a second office of the primary firm.
    """

    quarter: int
    day: date
    firm: NDArray[np.int32]
    place: NDArray[np.int16]
    home: NDArray[np.int16]
    became_years: NDArray[np.float64]
    hire_years: NDArray[np.float64]
    hire_day: NDArray[np.int32]
    prior_years: NDArray[np.float32]
    prior_firm: NDArray[np.int32]
    states: NDArray[np.float32]
    cfp: NDArray[np.bool_]
    own_rows: int
    row_advisor: NDArray[np.int32]
    row_firm: NDArray[np.int32]
    row_second: NDArray[np.bool_]

    def firm_sizes(self, firms: int) -> NDArray[np.int32]:
        """Distinct advisors listed under each of `firms` firms: the `total_reps` of plan step 1.6."""
        return np.bincount(self.row_firm[~self.row_second], minlength=firms).astype(np.int32)


class Panel:
    """Plays the quarters in order; `snapshots()` yields one state each. Arrays of a state must not be changed."""

    def __init__(self, spec: WorldSpec, roster: Roster, traits: Traits, firms: Firms, surplus: SurplusRows) -> None:
        self._spec, self._roster, self._traits, self._firms, self._surplus = spec, roster, traits, firms, surplus
        n = roster.size
        starters = int((roster.entry == 0).sum())
        at_start = np.repeat(np.arange(len(firms.start), dtype=np.int32), firms.start)
        self._firm = np.full(n, -1, np.int32)
        self._firm[:starters] = stream(spec.seed, "start").permutation(at_start)
        self._born = int((firms.start > 0).sum())
        self._elsewhere = share(stream(spec.seed, "elsewhere"), n, _OWN_OFFICE)
        self._place = traits.region.copy()
        self._settle(np.arange(starters, dtype=np.int32))
        self._hire_day = traits.hire_day.copy()
        self._prior_years = traits.prior_years.copy()
        self._prior_firm = stream(spec.seed, "prior firms").integers(0, self._born, traits.prior_years.shape, np.int32)
        self._states = traits.states.copy()
        self._cfp = traits.words["Designations_CFP"] == 0

    def snapshots(self) -> Iterator[Snapshot]:
        """One state a snapshot date, oldest first."""
        dates = self._spec.snapshot_dates
        for quarter, day in enumerate(dates):
            if quarter:
                self._play(quarter, dates[quarter - 1].toordinal() - EPOCH, day.toordinal() - EPOCH)
            yield self._state(quarter, day)

    def _play(self, quarter: int, after: int, until: int) -> None:
        """Entries, moves, births of firms and small gains between two snapshot days."""
        rng = stream(self._spec.seed, "moves", quarter)
        present = self._roster.present[quarter]
        incumbents = np.flatnonzero(present & (self._roster.entry < quarter)).astype(np.int32)
        newcomers = np.flatnonzero(self._roster.entry == quarter).astype(np.int32)
        movers = incumbents[share(rng, len(incumbents), _MOVE_RATE)]
        hired_on = rng.integers(after + 1, until + 1, len(movers)).astype(np.int32)
        self._remember(rng, movers, hired_on)
        self._hire_day[movers] = hired_on
        # A firm grows in proportion to what it is: newcomers and movers follow a random incumbent.
        joiners = np.concatenate([movers, newcomers])
        self._firm[joiners] = self._firm[incumbents[rng.integers(0, len(incumbents), len(joiners))]]
        self._found_firms(quarter, present, joiners)
        self._settle(newcomers)
        gain = incumbents[share(rng, len(incumbents), _MORE_STATES)]
        self._states[gain] = np.minimum(self._states[gain] + 1, 53)
        self._cfp[incumbents[share(rng, len(incumbents), _NEW_CFP)]] = True

    def _remember(self, rng: np.random.Generator, movers: NDArray[np.int32], hired_on: NDArray[np.int32]) -> None:
        """The firm that is left becomes prior firm 1, the others move down."""
        history = ~np.isnan(self._prior_years[movers, 0]) | share(rng, len(movers), _RECORDED)
        known, left_on = movers[history], hired_on[history]
        self._prior_years[known, 1:] = self._prior_years[known, :-1]
        self._prior_firm[known, 1:] = self._prior_firm[known, :-1]
        years = (left_on - self._hire_day[known]) / DAYS_A_YEAR
        self._prior_years[known, 0] = np.round(np.maximum(years, 0.1), 1)
        self._prior_firm[known, 0] = self._firm[known]

    def _found_firms(self, quarter: int, present: NDArray[np.bool_], joiners: NDArray[np.int32]) -> None:
        """New firms, one joiner each, until the snapshot has its number of firms or no joiner is left."""
        alive = len(np.unique(self._firm[present & (self._firm >= 0)]))
        births = min(firm_counts(self._spec)[quarter] - alive, len(joiners), len(self._firms.start) - self._born)
        if births > 0:
            founders = joiners[:: max(1, len(joiners) // births)][:births]
            self._firm[founders] = self._born + np.arange(len(founders), dtype=np.int32)
            self._born += len(founders)

    def _settle(self, advisors: NDArray[np.int32]) -> None:
        """Give advisors their office: the firm's place, unless the firm is everywhere or they work elsewhere."""
        firm = self._firm[advisors]
        follow = ~(self._firms.spread[firm] | self._elsewhere[advisors])
        self._place[advisors] = np.where(follow, self._firms.place[firm], self._place[advisors])

    def _state(self, quarter: int, day: date) -> Snapshot:
        traits = self._traits
        today = day.toordinal() - EPOCH
        own = np.flatnonzero(self._roster.present[quarter]).astype(np.int32)
        second = self._surplus.firm < 0
        firm = np.where(second, self._firm[self._surplus.advisor], self._surplus.firm)
        listed = self._roster.present[quarter][self._surplus.advisor]
        listed &= second | (firm != self._firm[self._surplus.advisor])
        home = np.where(traits.home == HOME_AS_OFFICE, self._place, traits.home).astype(np.int16)
        became = np.round((today - traits.became_day) / DAYS_A_YEAR, 2)
        hire = np.round((today - self._hire_day) / DAYS_A_YEAR, 2)
        return Snapshot(
            quarter=quarter,
            day=day,
            firm=self._firm.copy(),
            place=self._place.copy(),
            home=home,
            became_years=np.where(traits.became_known, became, np.nan),
            hire_years=np.where(traits.hire_known, hire, np.nan),
            hire_day=self._hire_day.copy(),
            prior_years=self._prior_years.copy(),
            prior_firm=self._prior_firm.copy(),
            states=self._states.copy(),
            cfp=self._cfp.copy(),
            own_rows=len(own),
            row_advisor=np.concatenate([own, self._surplus.advisor[listed]]),
            row_firm=np.concatenate([self._firm[own], firm[listed].astype(np.int32)]),
            row_second=np.concatenate([np.zeros(len(own), bool), second[listed]]),
        )
