"""Who is dialled in a played week, when and by whom: the published order under a capacity, arm by arm.

Belongs here: associates, their capacity, whether they follow the queue. Does not belong here: what a lead answers
(arrivals.py: it was settled when the lead arrived).
Half of each associate's capacity belongs to each arm, as the design asks (R28): an arm with fewer leads than that
leaves the rest undialled. What is beyond the capacity is never dialled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.sample_world.draws import choose, stream
from leadscore_v6.sample_world.leads import OFFICE_HOURS, WEEKDAYS, timestamps
from leadscore_v6.sample_world.published_queue import ARMS

ASSOCIATES: Final = 14
_NO_ARM: Final = ""


@dataclass(frozen=True)
class Week:
    """One week of dialling. `null`: both arms are dialled in an order drawn at random, whatever is published."""

    seed: int
    number: int
    start: date
    capacity: int
    adoption: float
    null: bool


def associates(capacity: int) -> pd.DataFrame:
    """Associates.csv: `capacity` dials a week (an even number) shared out in even parts, as equal as can be."""
    pairs = capacity // 2
    share = [2 * (pairs // ASSOCIATES + (k < pairs % ASSOCIATES)) for k in range(ASSOCIATES)]
    names = [f"SGA-{k + 1:02d}" for k in range(ASSOCIATES)]
    return pd.DataFrame({"associate": names, "weekly_capacity": share, "active": "Yes"})


def dial(week: Week, queue: pd.DataFrame) -> pd.DataFrame:
    """What becomes of every lead that is put before the associates in a week.

    queue: Id, arm ("" for one order without arms), position; in the order to be dialled within each arm.

    Returns one row per lead: Id, arm, position, dialled (0/1), associate, dialled_at, queue (model | own | usual; blank
    as the two before it if not dialled), followed (0/1: would be dialled if everyone followed the order).
    """
    parts = [_dial_arm(week, arm, queue[queue["arm"] == arm]) for arm in (*ARMS, _NO_ARM)]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _dial_arm(week: Week, arm: str, leads: pd.DataFrame) -> pd.DataFrame:
    n = len(leads)
    who, when = _slots(week, arm)
    dials = min(n, len(when))
    order = np.arange(n)
    if week.null and arm:
        order = stream(week.seed, f"null {arm}", week.number).permutation(n)
    picked, adopted = order[:dials], np.ones(dials, bool)
    if arm == "treatment":
        picked, adopted = _pick(stream(week.seed, "adoption", week.number), order, dials, week.adoption)
    words = np.where(adopted, "model", "own") if arm == "treatment" else np.full(dials, "usual")
    result = leads.assign(dialled=0, associate="", dialled_at="", queue="", followed=0).reset_index(drop=True)
    result.loc[picked, "dialled"] = 1
    result.loc[picked, "associate"] = who[:dials]
    result.loc[picked, "dialled_at"] = when[:dials]
    result.loc[picked, "queue"] = words
    result.loc[order[:dials], "followed"] = 1
    return result


def _pick(
    rng: np.random.Generator, order: NDArray[np.int64], dials: int, adoption: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(dials,) index of the lead that is dialled by each dial, and whether it was the next of the order.

    Each dial has two numbers of its own: whether the associate follows, and whom else he takes if he does not.
    """
    left = order.tolist()
    picked, adopted = [], []
    for follows, whom in rng.random((dials, 2)):
        own = follows >= adoption and len(left) > 1
        picked.append(left.pop(1 + int(whom * (len(left) - 1)) if own else 0))
        adopted.append(not own)
    return np.array(picked, np.int64), np.array(adopted, bool)


def _slots(week: Week, arm: str) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Associate and time of each dial that the capacity allows to an arm, in order of time."""
    rng = stream(week.seed, f"dials {arm}", week.number)
    staff = associates(week.capacity)
    each = staff["weekly_capacity"].to_numpy() // (2 if arm else 1)
    who = rng.permutation(np.repeat(staff["associate"].to_numpy(object), each))
    days = choose(rng, np.roll(WEEKDAYS, -week.start.weekday()), len(who)).astype(np.int64)
    second = np.sort(days * 86_400 + rng.integers(*OFFICE_HOURS, len(who)))
    instant = np.datetime64(week.start, "s") + second.astype("timedelta64[s]")
    return who, np.array([f"{text}.000+0000" for text in np.datetime_as_string(instant, unit="s")], object)


def calls(dials: pd.DataFrame, leads: pd.DataFrame) -> pd.Series:
    """When the call of each dialled lead is scheduled (text, as `dialled_at`), by Id; leads without one are left out.

    dials: Id, dialled, dialled_at. leads: Id, days, moment, plain. A call of the same day comes after the dial.
    """
    made = dials[dials["dialled"] == 1].merge(leads[["Id", "days", "moment", "plain"]], on="Id")
    made = made[made["days"].notna()]
    dialled = made["dialled_at"].str.slice(0, 19).to_numpy("datetime64[s]")
    midnight = dialled.astype("datetime64[D]")
    days = made["days"].to_numpy().astype(int)
    since = (dialled - midnight.astype("datetime64[s]")).astype(int)
    first, last = np.where(days == 0, since, OFFICE_HOURS[0]), np.where(days == 0, 86_399, OFFICE_HOURS[1])
    second = first + (made["moment"].to_numpy() * (last - first)).astype(int)
    day = midnight.astype(int) + days
    text = timestamps(day, second, made["plain"].to_numpy(bool), np.ones(len(made), bool))
    return pd.Series(text, index=made["Id"].to_numpy(), dtype=object)
