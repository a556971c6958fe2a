"""The leads: when they are contacted, which advisor they are, and Lead.csv.

Belongs here: the flow of leads and the text of the CRM extract. Does not belong here: whether they convert
(outcomes.py). Source: real_data_facts, "The leads".
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.sample_world.columns import SYNTHETIC
from leadscore_v6.sample_world.draws import choose, distinct_numbers, sample_distinct, share, stream
from leadscore_v6.sample_world.roster import Roster
from leadscore_v6.sample_world.spec import FIRST_CONTACT, WorldSpec
from leadscore_v6.sample_world.traits import EPOCH, Traits
from leadscore_v6.sample_world.words import LEAD_SOURCES

CONTACT: Final = "Stage_Entered_Contacting__c"
CALL: Final = "Stage_Entered_Call_Scheduled__c"
RECORD: Final = ["Id", "FA_CRD__c", CONTACT, CALL, "LeadSource"]
OFFICE_HOURS: Final = (13 * 3600, 23 * 3600)  # in seconds of the UTC day

NEVER_CONTACTED: Final = 0.03
NO_CRD: Final = 0.015
COUNTED_SHARE: Final = (1 - NEVER_CONTACTED) * (1 - NO_CRD)
_NOT_CRDS: Final = ("", "", "", "", "", "", "", "N/A", "pending", "unknown")

# Published leads by quarter of contact; the last one is October 2025 on, at the pace of its end (1,090 a week).
_PUBLISHED_FLOW: Final = {
    (2023, 3): 20, (2023, 4): 45, (2024, 1): 271, (2024, 2): 3_170, (2024, 3): 6_814, (2024, 4): 9_045,
    (2025, 1): 6_925, (2025, 2): 7_622, (2025, 3): 9_572, (2025, 4): 13_000,
}  # fmt: skip
_DEMO_EARLY: Final = 0.0012  # share of the demo's leads that are older than its first snapshot
WEEKDAYS: Final = np.array([13, 25, 26, 24, 11, 0.4, 0.5])
_BURST: Final = {"historical": 3.0, "demo": 40.0}  # gamma shape of a week's flow: list drops come in bursts

# Kinds of lead: of no snapshot, of a later one, gone, known already; the rest is on the newest snapshot.
UNKNOWN, EARLY, GONE, AGAIN, PLAIN = range(5)
_KINDS: Final = (0.013, 0.009, 0.012, 0.037)
SAME_DAY: Final = 0.03  # of the leads whose advisor is known already

_BOUGHT: Final = (0.94, 0.41)  # share of bought lists among the leads, first and last
_CRD_FORMS: Final = (0.93, 0.03, 0.02, 0.02)  # plain, with .0, with blanks, with leading zeros
_SECOND_STYLE: Final = 0.15  # of records carry their timestamps as 2024-05-03 14:22:11
STRANGERS, _STRANGER_PRIME = 8_100_000, 1_299_709  # CRDs that no advisor has (traits.py)
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True)
class Leads:
    """All records of Lead.csv (n,), by day of contact.

    advisor   index into the roster, -1 for a CRD that is on no snapshot
    interval  newest snapshot at or before the contact, -1 before the first
    matched   newest of those that has the advisor (R2), -1 if none does
    """

    id: list[str]
    day: NDArray[np.int32]
    second: NDArray[np.int32]
    contacted: NDArray[np.bool_]
    has_crd: NDArray[np.bool_]
    advisor: NDArray[np.int32]
    crd: NDArray[np.int32]
    interval: NDArray[np.int16]
    matched: NDArray[np.int16]

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(n,) contacted and with a CRD: what the plan calls a lead."""
        return self.contacted & self.has_crd


def draw_leads(spec: WorldSpec, roster: Roster, traits: Traits) -> Leads:
    """Draw `spec.leads` leads; advisors are chosen by what the newest snapshot at contact shows, never later ones."""
    rng = stream(spec.seed, "leads")
    n = spec.leads
    day = np.sort(_draw_days(rng, spec))
    day[-1] = spec.last_contact.toordinal() - EPOCH  # the extract is of that day
    snapshots = np.array([d.toordinal() for d in spec.snapshot_dates]) - EPOCH
    interval = (np.searchsorted(snapshots, day, side="right") - 1).astype(np.int16)
    advisor = _draw_advisors(rng, roster, traits.prospect, interval)
    stranger = STRANGERS + distinct_numbers(rng, n, _STRANGER_PRIME)
    contacted = ~share(rng, n, NEVER_CONTACTED)
    has_crd = ~share(rng, n, NO_CRD)
    contacted[-1] = has_crd[-1] = True
    seen = roster.last_seen[np.maximum(interval, 0), np.maximum(advisor, 0)]
    return Leads(
        id=_draw_ids(rng, day),
        day=day,
        second=rng.integers(*OFFICE_HOURS, n, np.int32),
        contacted=contacted,
        has_crd=has_crd,
        advisor=advisor,
        crd=np.where(advisor < 0, stranger, traits.crd[np.maximum(advisor, 0)]).astype(np.int32),
        interval=interval,
        matched=np.where((advisor < 0) | (interval < 0), -1, seen).astype(np.int16),
    )


def _draw_days(rng: np.random.Generator, spec: WorldSpec) -> NDArray[np.int32]:
    days = np.arange(FIRST_CONTACT.toordinal(), spec.last_contact.toordinal() + 1)
    weekday = (days - 1) % 7  # ordinal 1 was a Monday
    week = (days - days[0] - weekday[0]) // 7
    burst = rng.gamma(_BURST[spec.scenario], 1.0, int(week[-1]) + 2)[week + 1]
    weight = burst * WEEKDAYS[weekday]
    for group, total in _flow(spec, days):
        if weight[group].sum() > 0:
            weight[group] *= total / weight[group].sum()
    return (days[choose(rng, weight, spec.leads)] - EPOCH).astype(np.int32)


def _flow(spec: WorldSpec, days: NDArray[np.int64]) -> list[tuple[NDArray[np.bool_], float]]:
    """Groups of days and how many leads fall on each group, relatively."""
    if spec.scenario == "demo":
        early = days < spec.snapshot_dates[0].toordinal()
        return [(early, _DEMO_EARLY), (~early, 1.0)]
    quarters = np.array([_quarter_of(date.fromordinal(int(d))) for d in days])
    groups = []
    for year, quarter in dict.fromkeys(map(tuple, quarters.tolist())):
        members = (quarters == (year, quarter)).all(axis=1)
        start, after = date(year, 3 * quarter - 2, 1), date(year + quarter // 4, 3 * quarter % 12 + 1, 1)
        covered = members.sum() / (after - start).days if year > 2023 else 1.0
        groups.append((members, _PUBLISHED_FLOW.get((year, quarter), 13_000) * covered))
    return groups


def _quarter_of(day: date) -> tuple[int, int]:
    return day.year, (day.month + 2) // 3


def _draw_advisors(
    rng: np.random.Generator, roster: Roster, prospect: NDArray[np.bool_], interval: NDArray[np.int16]
) -> NDArray[np.int32]:
    """(n,) advisor of each lead, quarter by quarter; a prospect is used once as long as there are others."""
    n = len(interval)
    kind = draw_kinds(rng, n)
    advisor = np.full(n, -1, np.int32)
    unused = prospect.copy()
    for quarter in np.unique(interval):
        mine = interval == quarter
        now = max(int(quarter), 0)
        here = roster.present[now]
        gone = ~here & (roster.last_seen[now] >= 0)
        fresh = np.flatnonzero(here & unused)
        plain = mine & (kind == PLAIN)
        pool = fresh if len(fresh) else np.flatnonzero(here)
        advisor[plain] = sample_distinct(rng, pool.astype(np.int32), int(plain.sum()))
        unused[advisor[plain]] = False
        for label, candidates in ((EARLY, roster.entry > quarter), (GONE, gone)):
            wanted = mine & (kind == label)
            found = sample_distinct(rng, np.flatnonzero(candidates).astype(np.int32), int(wanted.sum()))
            advisor[np.flatnonzero(wanted)[: len(found)]] = found
    again = np.flatnonzero((kind == AGAIN) & (np.arange(n) > 0))
    before = (rng.random(len(again)) * again).astype(np.int64)
    # The lead just before is mostly of the same day: two leads of one advisor on one day, which R4 keeps apart.
    advisor[again] = advisor[np.where(share(rng, len(again), SAME_DAY), again - 1, before)]
    return advisor


def draw_kinds(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """(n,) of which kind each lead is."""
    return np.searchsorted(np.cumsum(_KINDS), rng.random(n), side="right")


def _draw_ids(rng: np.random.Generator, day: NDArray[np.int32]) -> list[str]:
    """Eighteen-character Salesforce-like Ids, ascending with the (unwritten) day on which the lead was created."""
    created = day - rng.exponential(25.0, len(day))
    rank = np.empty(len(day), np.int64)
    rank[np.argsort(created, kind="stable")] = np.cumsum(rng.integers(1, 9, len(day)))
    return [salesforce_id(int(number)) for number in rank]


def salesforce_id(number: int) -> str:
    """An Id: 15 characters of key prefix, instance and number, and the three check characters that make case count."""
    digits = ""
    for _ in range(7):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    body = f"00Q5e000{digits}"
    check = "".join(
        _CHECK[sum(1 << k for k, char in enumerate(body[part : part + 5]) if char.isupper())] for part in (0, 5, 10)
    )
    return body + check


def lead_records(spec: WorldSpec, leads: Leads, days_to_call: NDArray[np.float64]) -> pd.DataFrame:
    """Lead.csv as it will be when every call (n,) has happened, in the order of the Ids."""
    rng = stream(spec.seed, "Lead.csv")
    n = len(leads.id)
    called = leads.contacted & ~np.isnan(days_to_call)
    call_day = leads.day + np.nan_to_num(days_to_call).astype(np.int32)
    same_day = leads.second + (rng.random(n) * (86_399 - leads.second)).astype(np.int32)
    call_second = np.where(call_day == leads.day, same_day, rng.integers(*OFFICE_HOURS, n))
    last = spec.last_contact.toordinal() - EPOCH
    progress = np.clip((leads.day - leads.day[0]) / max(1, last - leads.day[0]), 0, 1)
    texts = lead_texts(rng, leads, _BOUGHT[0] + (_BOUGHT[1] - _BOUGHT[0]) * progress)
    calls = timestamps(call_day, call_second, texts["plain"].to_numpy(), called)
    return texts.assign(**{CALL: calls})[RECORD].sort_values("Id", kind="stable", ignore_index=True)


def lead_texts(
    rng: np.random.Generator, leads: Leads, bought: float | NDArray[np.float64] = _BOUGHT[1]
) -> pd.DataFrame:
    """What the CRM says of leads before any call, and `plain`: their style of timestamps. `bought`: share of lists."""
    n = len(leads.id)
    plain = share(rng, n, _SECOND_STYLE)
    source = np.where(share(rng, n, bought), 0, rng.integers(1, len(LEAD_SOURCES), n))
    return pd.DataFrame(
        {
            "Id": leads.id,
            "FA_CRD__c": _crd_texts(rng, leads),
            CONTACT: timestamps(leads.day, leads.second, plain, leads.contacted),
            "LeadSource": np.array(LEAD_SOURCES, object)[source],
            "plain": plain,
        }
    )


def write_extract(records: pd.DataFrame, last: date, folder: Path) -> Path:
    """Write Lead.csv as the CRM shows it on the evening of `last`: a later call has not happened yet."""
    known = records[CALL].str.slice(0, 10) <= last.isoformat()
    return write_csv(records.assign(**{CALL: records[CALL].where(known, ""), SYNTHETIC: "Yes"}), folder / "Lead.csv")


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table of the world; the file has its name only when it is complete."""
    part = path.with_suffix(".part")
    frame.to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
    os.replace(part, path)
    return path


def _crd_texts(rng: np.random.Generator, leads: Leads) -> list[str]:
    forms = ("{}", "{}.0", " {} ", "00{}")
    form = np.searchsorted(np.cumsum(_CRD_FORMS)[:-1], rng.random(len(leads.id)), side="right")
    blank = rng.integers(0, len(_NOT_CRDS), len(leads.id))
    return [
        forms[f].format(crd) if known else _NOT_CRDS[b]
        for f, crd, known, b in zip(
            form.tolist(), leads.crd.tolist(), leads.has_crd.tolist(), blank.tolist(), strict=True
        )
    ]


def timestamps(
    day: NDArray[np.integer[Any]], second: NDArray[np.integer[Any]], plain: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """UTC instants as text, in the two styles that CRM extracts have; blank where not `known`."""
    instant = day.astype("datetime64[D]").astype("datetime64[s]") + second.astype("timedelta64[s]")
    text = np.datetime_as_string(instant, unit="s").astype(object)
    spaced = np.array([t.replace("T", " ") for t in text], object)
    return np.where(known, np.where(plain, spaced, text + ".000+0000"), "")


def contact_date(day: int) -> date:
    """The date of a day number that counts from 1970-01-01."""
    return date(1970, 1, 1) + timedelta(days=day)
