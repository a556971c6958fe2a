"""The daily metrics of a running test (plan 5.3): how it goes, without telling which arm is ahead (R26).

Belongs here: enrolment, dials, pooled rates, SRM, the guardrails that hold no outcome. Does not belong here:
any rate or significance by arm; those are read at planned looks only (`readout.py`).
"""

from __future__ import annotations

import math
from datetime import date
from typing import Any, Final

import pandas as pd

from leadscore_v6.experiments.cohort import Journal
from leadscore_v6.experiments.guardrails import is_mql, process_guardrails
from leadscore_v6.experiments.looks import Protocol, information, matured
from leadscore_v6.experiments.records import Records
from leadscore_v6.experiments.sample_ratio import sample_ratios
from leadscore_v6.experiments.settings import TREATMENT, ExperimentSettings

DAILY_COLUMNS: Final = (
    "day", "enrolled_leads", "enrolled_advisors", "srm_p", "srm_dials_p", "decision_ready", "dialled_leads", "dials",
    "matured_dialled_leads", "information", "mqls", "mqls_per_100_dials", "adoption",
    "dials_per_lead_ratio", "dials_per_lead_bound", "dials_per_lead_state",
    "days_to_first_dial_ratio", "days_to_first_dial_bound", "days_to_first_dial_state",
)  # fmt: skip


def daily_metrics(records: Records, protocol: Protocol, as_of: date, settings: ExperimentSettings) -> pd.DataFrame:
    """One row per day from the test's first to `as_of` (DAILY_COLUMNS), each as it was known at the end of that day.

    `mqls` and `mqls_per_100_dials` are of both arms together, of matured dials. Ratios are treatment over control, of
    what the arms are given, not of what comes of it. NaN: nothing to tell yet.
    """
    days = pd.date_range(protocol.started_on, as_of, freq="D")
    journal = Journal.of(records.assignments, records.dials, records.outcomes, as_of, settings.design)
    rows = [_row(journal, protocol, day.date(), settings) for day in days]
    return pd.DataFrame(rows, columns=list(DAILY_COLUMNS))


def _row(journal: Journal, protocol: Protocol, day: date, settings: ExperimentSettings) -> dict[str, Any]:
    design = settings.design
    leads = journal.as_known(day).leads
    read = matured(leads, day, design)
    sizes = sample_ratios(leads, read, settings.assignment)
    mqls, dials = int(is_mql(read, design.follow_up_days).sum()), int(read["dials"].sum())
    treated = leads[(leads["arm"] == TREATMENT) & leads["dialled_on"].notna()]
    row = {
        "day": pd.Timestamp(day),
        "enrolled_leads": len(leads),
        "enrolled_advisors": sizes.advisors.treatment + sizes.advisors.control,
        "srm_p": sizes.advisors.p,
        "srm_dials_p": sizes.dials.p,
        "decision_ready": sizes.p >= settings.readout.srm_alpha,
        "dialled_leads": int(leads["dialled_on"].notna().sum()),
        "dials": int(leads["dials"].sum()),
        "matured_dialled_leads": len(read),
        "information": information(leads, protocol, day, design),
        "mqls": mqls,
        "mqls_per_100_dials": 100 * mqls / dials if dials else math.nan,
        "adoption": float(treated["adopted"].mean()) if len(treated) else math.nan,
    }
    for one in process_guardrails(leads, day, settings):
        row |= {f"{one.name}_ratio": one.ratio, f"{one.name}_bound": one.bound, f"{one.name}_state": one.state}
    return row
