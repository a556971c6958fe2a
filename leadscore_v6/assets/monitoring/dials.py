"""Leads beside the dialler's log: the first dial of each since its contact, and whether the model's queue had it (R50).

Belongs here: from the tables of the CRM to the days that monitoring/cohorts.py sorts. Does not belong here: sorting.
"""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from leadscore_v6.monitoring.cohorts import Worked
from leadscore_v6.warehouse.protocol import Warehouse
from leadscore_v6.warehouse.sql import render

DIALS = "model_performance_v6/dials.sql"


def read_dials(warehouse: Warehouse, day: date) -> pd.DataFrame:
    """Id, dialled_on, by_model (0/1), log_begins of each lead and day of a dial, by `day`; no row without a log."""
    sql = render(DIALS, {"crm_dials": f"{warehouse.dataset}.crm_dials"})
    return warehouse.frame(sql, {"as_of": day}).reindex(columns=["Id", "dialled_on", "by_model", "log_begins"])


def worked_of(leads: pd.DataFrame, dials: pd.DataFrame) -> Worked:
    """Days of `leads` (Id, contact_date, called_on), with those of `dials`: of each the first on or after its contact.

    A dial before the contact was of an earlier round of the lead; one of the day before it is of the contact, whose day
    may begin later elsewhere. Both as in step 3.1.
    """
    contact, begins = _days(leads["contact_date"]), _days(dials["log_begins"])
    asked = pd.DataFrame({"Id": leads["Id"].to_numpy(dtype=object), "contact": contact, "row": np.arange(len(leads))})
    known = pd.DataFrame({"Id": dials["Id"].to_numpy(dtype=object), "dialled_on": _days(dials["dialled_on"])})
    met = asked.merge(known, on="Id")
    met = met[met["dialled_on"] >= met["contact"] - np.timedelta64(1, "D")]
    first = met[["dialled_on", "contact"]].max(axis=1).groupby(met["row"]).min()
    return Worked(
        contact=contact,
        first_dial=_days(first.reindex(asked["row"])),
        called_on=_days(leads["called_on"]),
        log_begins=begins[0].astype(object) if len(begins) else None,
    )


def _days(column: "pd.Series[Any]") -> np.ndarray:
    found: np.ndarray = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
    return found
