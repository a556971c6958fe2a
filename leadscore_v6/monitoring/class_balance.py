"""Weekly class balance: does the rate of conversions still look like training's (plan 6.1, R29).

Belongs here: matured cohorts by week of contact, their relative change, the exact test beside it. Does not belong here:
whether the model still tells leads apart (`performance.py`).

The plan's 5 %, read as a relative change, fires in 79 % of quiet weeks of 1,000 leads: it alerts only where the exact
binomial test rejects too. A young lead that has not converted yet is no negative: only weeks whose every lead has
matured are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.monitoring.settings import ClassBalanceSettings

_MONDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class Week:
    """Leads contacted in one week, all of them matured.

    relative_change is rate / training's − 1; p_value that of the two-sided exact binomial test of training's rate.
    """

    monday: date
    leads: int
    positives: int
    relative_change: float
    p_value: float
    is_judgeable: bool
    is_large: bool
    is_beyond_chance: bool

    @property
    def rate(self) -> float:
        """Positives per lead."""
        return self.positives / self.leads

    @property
    def alerts(self) -> bool:
        """R29: beyond the plan's 5 %, and beyond chance."""
        return self.is_judgeable and self.is_large and self.is_beyond_chance


@dataclass(frozen=True)
class ClassBalance:
    """Matured weeks, oldest first, and the leads that have not matured (counted, not judged)."""

    training_rate: float
    weeks: tuple[Week, ...]
    young: int

    @property
    def latest(self) -> Week | None:
        """The week that is judged: the newest one with a lead, if it has leads enough."""
        return self.weeks[-1] if self.weeks and self.weeks[-1].is_judgeable else None

    def figures(self) -> dict[str, float | int | None]:
        """What gates and alerts read, of the newest matured week; None is not judgeable.

        class_balance_change (absolute relative change, the plan's literal), class_balance_p_value, class_balance_alerts
        (0 or 1), class_balance_rate, training_rate, class_balance_leads, weeks_alerting (of those shown).
        """
        week = self.latest
        return {
            "class_balance_change": abs(week.relative_change) if week else None,
            "class_balance_p_value": week.p_value if week else None,
            "class_balance_alerts": int(week.alerts) if week else None,
            "class_balance_rate": week.rate if week else None,
            "training_rate": self.training_rate,
            "class_balance_leads": self.weeks[-1].leads if self.weeks else 0,
            "weeks_alerting": sum(one.alerts for one in self.weeks),
        }

    def rows(self) -> list[dict[str, object]]:
        """One plain row per week: the report's table."""
        return [
            {
                "week": one.monday.isoformat(),
                "leads": one.leads,
                "positives": one.positives,
                "rate": one.rate,
                "relative_change": one.relative_change,
                "p_value": one.p_value,
                "judgeable": one.is_judgeable,
                "alerts": one.alerts,
            }
            for one in self.weeks
        ]


def class_balance(
    contact: NDArray[np.datetime64],
    label: NDArray[np.int8],
    training_rate: float,
    as_of: date,
    settings: ClassBalanceSettings,
) -> ClassBalance:
    """Weeks (ISO, from Monday) of `contact` (n,) that have wholly matured at `as_of`, at most the newest `weeks`.

    `label` (n,) is 1 for leads that converted within the label window; of young leads it is not read. `training_rate`
    is that of the champion's training leads. Raises InputError if it is not between 0 and 1, or a contact is after
    `as_of`.
    """
    from scipy.stats import binomtest

    if not 0 < training_rate < 1:
        raise InputError(f"The training rate is {training_rate:g}; it must be between 0 and 1.")
    days = contact.astype("datetime64[D]").astype(np.int64)
    today = int(np.datetime64(as_of, "D").astype(np.int64))
    if len(days) and days.max() > today:
        raise InputError(f"{int((days > today).sum())} leads were contacted after {as_of}.", column="contact_date")
    monday = days - (days + _MONDAY) % 7
    matured = monday + 6 + settings.matures_after_days <= today
    weeks = []
    for start in np.unique(monday[matured])[-settings.weeks :]:
        inside = monday == start
        leads, positives = int(inside.sum()), int(label[inside].sum())
        p_value = float(binomtest(positives, leads, training_rate).pvalue)
        change = positives / leads / training_rate - 1
        weeks.append(
            Week(
                monday=np.datetime64(int(start), "D").astype(object),
                leads=leads,
                positives=positives,
                relative_change=change,
                p_value=p_value,
                is_judgeable=leads >= settings.min_leads,
                is_large=abs(change) > settings.relative_change,
                is_beyond_chance=p_value <= settings.significance,
            )
        )
    return ClassBalance(training_rate, tuple(weeks), young=int((~matured).sum()))
