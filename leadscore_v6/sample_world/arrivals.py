"""The leads of one played week: who is bought, what the CRM says of them, and what each would answer to a dial.

Belongs here: everything about a lead that is settled on the day it arrives. Does not belong here: whether it is
dialled (dialling.py).
All luck of a lead is drawn here, once, from streams that know neither queue nor dials: the same lead with the same
treatment has the same outcome, whatever else changed (R52).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.sample_world.advisors import Advisors, World
from leadscore_v6.sample_world.draws import choose, distinct_numbers, sample_distinct, share, stream
from leadscore_v6.sample_world.drift import acting_on_draws, answer, in_force, weights
from leadscore_v6.sample_world.evidence import Floats
from leadscore_v6.sample_world.leads import (
    AGAIN,
    COUNTED_SHARE,
    GONE,
    NEVER_CONTACTED,
    NO_CRD,
    OFFICE_HOURS,
    PLAIN,
    SAME_DAY,
    WEEKDAYS,
    Leads,
    contact_date,
    draw_kinds,
    lead_texts,
    salesforce_id,
)
from leadscore_v6.sample_world.outcomes import Luck, days_to_call, probabilities
from leadscore_v6.sample_world.traits import EPOCH

WEEK: Final = 7
_FIRST_NUMBER: Final = 10_000_000  # Ids of played leads follow on those of the history, which end below it (leads.py)
_NUMBERS_A_WEEK: Final = 1_000_000
_STRANGERS, _STRANGER_PRIME = 9_400_000, 99_991  # CRDs that neither an advisor nor a lead of the history has
MOST_A_WEEK: Final = 90_000


def first_day(world: World, week: int) -> date:
    """The first day of a played week; week 1 begins on the day after the history's last contact."""
    return world.spec.last_contact + timedelta(days=1 + WEEK * (week - 1))


def arrive(
    world: World, week: int, weekly: int, newest: dict[date, Advisors], before: NDArray[np.int32]
) -> pd.DataFrame:
    """The leads of a week, in order of arrival, with all that is settled about them.

    weekly  about how many of them are contacted and have a CRD; some more come that are not or have not
    newest  the advisors by the day from which on their snapshot is the newest
    before  advisors of the leads played so far: they come back now and then, or when nobody else is left

    Columns: Id, FA_CRD__c, Stage_Entered_Contacting__c, LeadSource (as the CRM has them), plain (its style of
    timestamps), advisor (index, -1 unknown), crd, contact_date, counted (contacted and with a CRD), rep_snapshot_at,
    probability, draw, days (from the dial to the call, NaN for never), moment (in [0, 1): when on that day), week.
    """
    rng = stream(world.spec.seed, "arrivals", week)
    n = -(-weekly * 1000 // round(1000 * COUNTED_SHARE))
    start = first_day(world, week)
    hours = rng.integers(*OFFICE_HOURS, n)
    instant = np.sort(choose(rng, np.roll(WEEKDAYS, -start.weekday()), n) * 86_400 + hours)
    day = (start.toordinal() - EPOCH + instant // 86_400).astype(np.int32)
    advisor, matched, probability = _buy(rng, world, newest, day, before)
    unknown = _STRANGERS + week * 100_000 + distinct_numbers(rng, n, _STRANGER_PRIME)
    known = max(newest.items())[1].crd[np.maximum(advisor, 0)]
    leads = Leads(
        id=[salesforce_id(_FIRST_NUMBER + week * _NUMBERS_A_WEEK + int(k)) for k in np.cumsum(rng.integers(1, 9, n))],
        day=day,
        second=(instant % 86_400).astype(np.int32),
        contacted=~share(rng, n, NEVER_CONTACTED),
        has_crd=~share(rng, n, NO_CRD),
        advisor=advisor,
        crd=np.where(advisor < 0, unknown, known).astype(np.int32),
        interval=np.full(n, max(crew.quarter for crew in newest.values()), np.int16),
        matched=matched,
    )
    draw, later, group, within, late, moment = stream(world.spec.seed, "played luck", week).random((n, 6)).T
    dates = np.array([*(world.snapshot_date(k).isoformat() for k in range(int(leads.interval[0]) + 1)), ""], object)
    return lead_texts(rng, leads).assign(
        advisor=advisor,
        crd=leads.crd,
        contact_date=[contact_date(d).isoformat() for d in day.tolist()],
        counted=leads.counted,
        rep_snapshot_at=dates[matched],
        probability=probability,
        draw=draw,
        days=days_to_call(probability, Luck(draw, later, group, within, -np.log1p(-late))),
        moment=moment,
        week=week,
    )


def _buy(
    rng: np.random.Generator,
    world: World,
    newest: dict[date, Advisors],
    day: NDArray[np.int32],
    before: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int16], Floats]:
    """Advisor, snapshot and probability of each lead (n,), for every stretch of days on which the world is one."""
    n = len(day)
    kind = draw_kinds(rng, n)
    advisor, matched, probability = np.full(n, -1, np.int32), np.full(n, -1, np.int16), np.empty(n)
    turns = sorted({*newest, *(drift.since for drift in world.drifts)})
    stretch = np.searchsorted([turn.toordinal() - EPOCH for turn in turns], day, side="right")
    for index in np.unique(stretch):
        mine = np.flatnonzero(stretch == index)
        today = contact_date(int(day[mine[0]]))
        since, crew = max(item for item in newest.items() if item[0] <= today)
        acting = in_force(world.drifts, today)
        wanted = acting_on_draws(acting, in_force(world.drifts, since))
        bought = _choose(rng, crew, kind[mine], np.concatenate([before, advisor[: mine[0]]]), wanted)
        evidence = crew.evidence.of(bought, day[mine])
        advisor[mine], matched[mine] = bought, np.where(bought < 0, np.int16(-1), crew.seen[bought])
        probability[mine] = answer(probabilities(world.spec.scenario, evidence), evidence, acting)
    return advisor, matched, probability


def _choose(
    rng: np.random.Generator,
    crew: Advisors,
    kind: NDArray[np.int64],
    used: NDArray[np.int32],
    acting: dict[str, float],
) -> NDArray[np.int32]:
    """(m,) an advisor for each kind of lead, -1 for one that is on no snapshot, or on a later one (nobody knows)."""
    chosen = np.full(len(kind), -1, np.int32)
    plain, gone = np.flatnonzero(kind == PLAIN), np.flatnonzero(kind == GONE)
    fresh = crew.here & crew.prospect
    fresh[used[used >= 0]] = False
    pool = np.flatnonzero(fresh)
    if len(pool) < len(plain):  # a small world has no more of them: they come again
        pool = np.flatnonzero(crew.here)
    weight = weights(crew.evidence.experience[pool], crew.evidence.prior_count[pool], acting)
    # The smallest of exponential waiting times are a sample without replacement in proportion to the weights.
    order = pool[np.argsort(rng.exponential(1.0, len(pool)) / weight, kind="stable")]
    chosen[plain] = np.resize(order, len(plain))
    former = sample_distinct(rng, np.flatnonzero(~crew.here).astype(np.int32), len(gone))
    chosen[gone[: len(former)]] = former
    for k in np.flatnonzero(kind == AGAIN):
        earlier = chosen[k - 1 : k] if k and rng.random() < SAME_DAY else np.concatenate([used, chosen[:k]])
        earlier = earlier[earlier >= 0]
        if len(earlier):
            chosen[k] = earlier[rng.integers(len(earlier))]
    return chosen
