"""What makes each gate of a day's production scores fail: other rows, or another measurement.

Belongs here: the cases. Does not belong here: that they hold (test_production.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from leadscore_v6.monitoring.health import Availability

Rows = Callable[[pd.DataFrame], pd.DataFrame]


def first(rows: pd.DataFrame, kind: str, count: int, **values: object) -> pd.DataFrame:
    """The first scored rows of a kind with other values."""
    changed = rows.copy()
    places = rows.index[(rows["outcome"] == "scored") & (rows["kind"] == kind)][:count]
    for name, value in values.items():
        changed[name] = changed[name].astype(object)
        changed.loc[places, name] = value
    return changed


def unscored(outcome: str, count: int) -> Rows:
    gone = {"outcome": outcome, "why": "x", "probability": None, "percentile": None, "decile": None}
    return lambda rows: first(rows, "lead", count, **gone)


SPOILED: dict[str, Rows] = {
    "production_success_rate": unscored("skipped", 20),
    "production_error_rate": unscored("failed", 7),
    "production_leads_have_crd": lambda rows: first(rows, "lead", 100, FA_CRD__c=None),
    "production_leads_accounted": lambda rows: rows.iloc[1:],
    "production_one_row_each": lambda rows: pd.concat([rows, rows.iloc[-1:]]),
    "production_outcomes_accounted": lambda rows: first(rows, "lead", 1, why="and yet"),
    "production_percentiles_complete": lambda rows: first(rows, "prospect", 1, percentile=100, decile=1),
    "production_no_future_snapshot": lambda rows: first(rows, "lead", 1, rep_snapshot_at=pd.Timestamp("2030-01-01")),
}
# What cannot but fail with it: places move with the rows, and what has no CRD is another lead's.
ALSO = {
    "production_success_rate": {"production_percentiles_complete"},
    "production_error_rate": {"production_percentiles_complete"},
    "production_leads_have_crd": {"production_leads_accounted"},
    "production_leads_accounted": {"production_percentiles_complete"},
    "production_one_row_each": {"production_percentiles_complete"},
}
JUDGED = {
    "production_latency": {"latency_ms": np.array([700.0])},
    "production_features_available": {"availability": (Availability("x", 0.1, 0.4, 1e-9, 1e-8, True, True),)},
    "production_no_skew": {"differing": 1},
}
HEARD_OF = {
    "production_success_rate": "scoring_success",
    "production_latency": "scoring_latency",
    "production_features_available": "feature_availability",
}
