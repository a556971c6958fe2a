"""Leads beside the dialler's log: when each was first dialled, and whether the model's queue had chosen it (R50).

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
    """Id, first_dial, by_model (0/1), log_begins of every lead that was dialled by `day`; no row without a log."""
    sql = render(DIALS, {"crm_dials": f"{warehouse.dataset}.crm_dials"})
    return warehouse.frame(sql, {"as_of": day}).reindex(columns=["Id", "first_dial", "by_model", "log_begins"])


def worked_of(leads: pd.DataFrame, dials: pd.DataFrame) -> Worked:
    """Days of `leads` (Id, contact_date, called_on), with those of `dials`."""
    first = pd.Series(_days(dials["first_dial"]), index=dials["Id"].to_numpy(dtype=object))
    begins = _days(dials["log_begins"])
    return Worked(
        contact=_days(leads["contact_date"]),
        first_dial=_days(leads["Id"].map(first)),
        called_on=_days(leads["called_on"]),
        log_begins=begins[0].astype(object) if len(begins) else None,
    )


def _days(column: "pd.Series[Any]") -> np.ndarray:
    found: np.ndarray = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
    return found
