"""What a sample world is asked to be: its size, its seed, its scenario, and the calendar that follows from them.

Belongs here: the validated request and the dates. Does not belong here: anything random.
Sources: real_data_facts ("The feed": eight snapshot dates and the number of advisors on each), ruling R41 (demo).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from leadscore_v6.errors import UsageError

SCENARIOS: Final = ("demo", "historical")

# Snapshot date and number of distinct advisors on it, as published.
PUBLISHED: Final[dict[date, int]] = {
    date(2024, 1, 7): 453_261,
    date(2024, 3, 31): 454_530,
    date(2024, 7, 7): 457_668,
    date(2024, 10, 6): 462_288,
    date(2025, 1, 5): 465_860,
    date(2025, 4, 6): 466_763,
    date(2025, 7, 6): 471_439,
    date(2025, 10, 5): 476_612,
}
GROWTH_PER_QUARTER: Final = 1.0072  # mean of the published seven steps; used after the eighth
FIRST_CONTACT: Final = date(2023, 8, 7)

_DEFAULTS: Final = {"demo": (112_000, 100_000), "historical": (120_000, 50_000)}
_LIMITS: Final = {"reps": (50, 2_000_000), "leads": (10, 1_000_000), "quarters": (1, 40), "seed": (0, 2**63 - 1)}
_FOLLOW_UP_DAYS: Final = 29  # contacts go on so long after the last snapshot: 2025-11-03 for eight quarters
_SHORTEST_FLOW_DAYS: Final = 83  # a world of one quarter needs matured leads too


@dataclass(frozen=True)
class WorldSpec:
    """One sample world; the same spec gives the same bytes.

    scenario  `demo` (R41: planted signal, true AUC about .89) or `historical` (published effects, AUC-PR about .06)
    reps      advisors on the first snapshot, >= 50; later snapshots grow as the published ones. 0: scenario's default
    leads     records in Lead.csv, >= 10 (about 95 % of them contacted and with a CRD). 0: scenario's default
    wide      True: a feed has exactly 471 columns; False: the columns that matter
    quarters  number of snapshots, 1 to 40; after the eighth on the first Sunday of January, April, July, October

    Raises UsageError for a value outside these limits.
    """

    scenario: str = "demo"
    reps: int = 0
    leads: int = 0
    wide: bool = False
    seed: int = 20240107
    quarters: int = 8

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise UsageError(f"unknown scenario {self.scenario!r}: use one of {', '.join(SCENARIOS)}")
        reps, leads = _DEFAULTS[self.scenario]
        object.__setattr__(self, "reps", self.reps or reps)
        object.__setattr__(self, "leads", self.leads or leads)
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise UsageError(f"{name} must be a whole number from {low} to {high}, not {value!r}")

    @property
    def snapshot_dates(self) -> list[date]:
        """The world's snapshot dates, oldest first."""
        return snapshot_dates(self.quarters)

    @property
    def last_contact(self) -> date:
        """The last day on which a lead is contacted; the CRM extract is of the same evening."""
        dates = self.snapshot_dates
        return max(
            dates[-1] + timedelta(days=_FOLLOW_UP_DAYS),
            dates[0] + timedelta(days=_SHORTEST_FLOW_DAYS),
        )

    @property
    def head_counts(self) -> list[int]:
        """Distinct advisors on each snapshot: `reps`, then growing as published."""
        published = list(PUBLISHED.values())
        counts = [round(self.reps * count / published[0]) for count in published[: self.quarters]]
        while len(counts) < self.quarters:
            counts.append(round(counts[-1] * GROWTH_PER_QUARTER))
        return counts


def snapshot_dates(quarters: int) -> list[date]:
    """The first `quarters` snapshot dates: the eight published ones, then the first Sunday of every quarter."""
    dates = list(PUBLISHED)[:quarters]
    while len(dates) < quarters:
        year, month = dates[-1].year, dates[-1].month + 3
        first = date(year + (month > 12), (month - 1) % 12 + 1, 1)
        dates.append(first + timedelta(days=6 - first.weekday()))
    return dates
