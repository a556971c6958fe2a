"""The staging join against a loop that reads like the rulings (R2, R4, R9, R48), on random panels.

The loop knows nothing of the SQL: no dates first and rows later, no windows. A lead is taken, everything known of its
advisor on that day is laid out, and the first row by R2 is picked.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadscore_v6.warehouse.sql import to_duckdb
from tests.oracle.catalog import contract, text
from tests.oracle.compare import warehouse
from tests.sql.cases import zeros

MADE = text("step_3_1_staging_join_v6", "query.sql")
STATEMENT = to_duckdb(MADE.sql)

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(6)]
SNAPSHOTS = DAYS[1::2]
WINDOW = 2
# Besides the primary firm and the firm's number, what may differ between an advisor's rows of one snapshot
TIE_BREAKERS = sorted(
    ["DateBecameRep_NumberOfYears", "Home_State", "Has_CFP"], key=list(contract("v6_feature_contract.json")).index
)
SEEN = ("RepCRD", "RIAFirmCRD", "IsPrimaryRIAFirm", *TIE_BREAKERS)


@dataclass(frozen=True)
class Panel:
    """Leads, dials, rep rows and firm rows as records, and the day on which the join is made."""

    leads: list[dict[str, Any]]
    dials: list[dict[str, Any]]
    reps: list[dict[str, Any]]
    firms: list[dict[str, Any]]
    as_of: dt.date


days = st.sampled_from(DAYS)
crds = st.sampled_from(["1", "2"])
# By number 9 < 20 < 100, by text the other way round
firm_crds = st.sampled_from(["9", "20", "100", None])
zones = st.sampled_from([dt.timezone(dt.timedelta(hours=hours)) for hours in (0, 0, -11, 14)])
hours = st.sampled_from([0, 12, 23])
instants = st.builds(
    lambda day, hour, zone: dt.datetime(day.year, day.month, day.day, hour, 30, tzinfo=zone), days, hours, zones
)


def seldom_none(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 7).flatmap(lambda n: st.none() if n == 7 else values)


lead_rows = st.fixed_dictionaries(
    {
        "crd": seldom_none(crds),
        "Stage_Entered_Contacting__c": seldom_none(instants),
        "Stage_Entered_Call_Scheduled__c": seldom_none(instants),
    }
)
dial_rows = st.fixed_dictionaries(
    {"Id": st.integers(0, 7).map("lead {}".format), "dialled_at": seldom_none(instants)},
)
rep_rows = st.fixed_dictionaries(
    {
        "RepCRD": crds,
        "RIAFirmCRD": firm_crds,
        "IsPrimaryRIAFirm": st.sampled_from([0, 0, 1]),
        "DateBecameRep_NumberOfYears": st.sampled_from([1.5, 12.0]),
        "Home_State": st.sampled_from(["NJ", "NY"]),
        "Has_CFP": st.sampled_from([0, 1]),
        "snapshot_at": st.sampled_from(SNAPSHOTS),
    }
)
firm_rows = st.fixed_dictionaries(
    {
        "RIAFirmCRD": firm_crds.filter(bool),
        "total_reps": st.integers(1, 9),
        "snapshot_at": st.sampled_from(SNAPSHOTS),
    }
)
panels = st.builds(
    Panel,
    # Long lists by default: in a sparse panel nothing meets
    leads=st.integers(0, 6).flatmap(lambda n: st.lists(lead_rows, min_size=n, max_size=8)),
    reps=st.integers(0, 12).flatmap(lambda n: st.lists(rep_rows, min_size=n, max_size=16)),
    firms=st.lists(firm_rows, max_size=9, unique_by=lambda row: (row["RIAFirmCRD"], row["snapshot_at"])),
    # Without a dial the log has not begun
    dials=st.one_of(st.just([]), st.lists(dial_rows, min_size=1, max_size=8)),
    as_of=st.sampled_from([*DAYS, DAYS[-1], DAYS[-1], DAYS[-1]]),
)


def utc_day(instant: dt.datetime | None) -> dt.date | None:
    return None if instant is None else instant.astimezone(dt.UTC).date()


def precedence(row: dict[str, Any]) -> tuple[Any, ...]:
    """R2: the primary firm, then the lowest firm by number (none comes last), then the contract's columns in order."""
    firm = row["RIAFirmCRD"]
    return (-row["IsPrimaryRIAFirm"], firm is None, int(firm or 0), *(row[name] for name in TIE_BREAKERS))


def first_dial(panel: Panel, lead: str, contact: dt.date) -> tuple[str, dt.date | None]:
    """R50: how it is known when the lead was dialled first, and the day; the window before the log is two days.

    Midnight may lie between a dial and the contact that it makes: the day before counts as the contact's.
    """
    known = [(row["Id"], utc_day(row["dialled_at"])) for row in panel.dials]
    known = [(of, day) for of, day in known if day is not None and day <= panel.as_of]
    if not known:
        return "assumed", contact
    began = min(day for _, day in known)
    if contact < began:
        return ("unknown", None) if (began - contact).days <= WINDOW else ("assumed", contact)
    mine = [max(day, contact) for of, day in known if of == lead and (contact - day).days <= 1]
    return ("logged", min(mine)) if mine else ("none", None)


def by_hand(panel: Panel) -> list[dict[str, Any]]:
    staged = []
    for number, lead in enumerate(panel.leads):
        contact = utc_day(lead["Stage_Entered_Contacting__c"])
        if lead["crd"] is None or contact is None or contact > panel.as_of:
            continue  # R46, R9: without a CRD, not contacted, or contacted later than we know
        source, dialled_on = first_dial(panel, f"lead {number}", contact)
        call = lead["Stage_Entered_Call_Scheduled__c"]
        if call is not None and utc_day(call) > panel.as_of:  # type: ignore[operator]
            call = None
        known = [
            row
            for row in panel.reps
            if row["RepCRD"] == lead["crd"] and row["snapshot_at"] <= contact and row["snapshot_at"] <= panel.as_of
        ]
        newest = max((row["snapshot_at"] for row in known), default=None)
        rep = min((row for row in known if row["snapshot_at"] == newest), key=precedence, default={})
        firms = [
            row
            for row in panel.firms
            if row["RIAFirmCRD"] == rep.get("RIAFirmCRD")
            and row["snapshot_at"] <= contact
            and row["snapshot_at"] <= panel.as_of
        ]
        firm = max(firms, key=lambda row: row["snapshot_at"], default={})
        staged.append(
            {
                "Id": f"lead {number}",
                "FA_CRD__c": lead["crd"],
                "Stage_Entered_Contacting__c": lead["Stage_Entered_Contacting__c"],
                "Stage_Entered_Call_Scheduled__c": call,
                "contact_date": contact,
                "dialled_on": dialled_on,
                "dial_source": source,
                **{name: rep.get(name) for name in SEEN},
                "rep_snapshot_at": newest,
                "total_reps": firm.get("total_reps"),
                "firm_snapshot_at": firm.get("snapshot_at"),
                "as_of": panel.as_of,
            }
        )
    return staged


def joined(panel: Panel, columns: list[str]) -> list[dict[str, Any]]:
    """The SQL's answer on DuckDB, in order of Id."""
    records = {
        "leads": [{"Id": f"lead {number}", **lead} for number, lead in enumerate(panel.leads)],
        "crm_dials": panel.dials,
        "reps_vintages": panel.reps,
        "firms_vintages": panel.firms,
    }
    rows = MADE.rows({name: [{**zeros(MADE, name), **row} for row in given] for name, given in records.items()})
    with warehouse(MADE.catalog, rows) as connection:
        cursor = connection.execute(STATEMENT, {"as_of": panel.as_of, "label_window_days": WINDOW})
        names = [column[0] for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return sorted(({name: row[name] for name in columns} for row in found), key=lambda row: row["Id"])


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(panels)
def test_the_join_is_what_the_rulings_say(panel: Panel) -> None:
    expected = by_hand(panel)
    columns = list(expected[0]) if expected else ["Id"]
    assert joined(panel, columns) == expected


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(panels, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(panel: Panel, chance: Any) -> None:
    columns = ["Id", *SEEN, "rep_snapshot_at", "total_reps", "firm_snapshot_at", "dialled_on", "dial_source"]
    dials, reps = (chance.sample(rows, len(rows)) for rows in (panel.dials, panel.reps))
    shuffled = Panel(panel.leads, dials, reps, panel.firms[::-1], panel.as_of)
    assert joined(shuffled, columns) == joined(panel, columns)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(panels)
def test_what_is_dated_later_changes_nothing_known_before(panel: Panel) -> None:
    """R9, R48: rows of snapshots and dials after as_of, and leads contacted after it, may as well not be there."""
    columns = ["Id", *SEEN, "rep_snapshot_at", "total_reps", "firm_snapshot_at", "dialled_on", "dial_source"]
    past = Panel(
        panel.leads,
        [row for row in panel.dials if row["dialled_at"] and utc_day(row["dialled_at"]) <= panel.as_of],
        [row for row in panel.reps if row["snapshot_at"] <= panel.as_of],
        [row for row in panel.firms if row["snapshot_at"] <= panel.as_of],
        panel.as_of,
    )
    assert joined(past, columns) == joined(panel, columns)
