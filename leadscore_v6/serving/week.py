"""Days of shadow scores as figures: success, latency, errors, availability, and the model beside the baseline.

Belongs here: pure arithmetic on the rows of `shadow_scores_v6`. Does not belong here: which days they are (assets/),
thresholds (config/gates.yaml), what is beyond chance (monitoring/health.py), drawing (reports/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore_v6.monitoring.health import availability
from leadscore_v6.monitoring.settings import HealthSettings

Row = dict[str, Any]
# Bins of a score's histogram: twenty of equal width in log-odds, where scores of rare events are told apart.
_EDGES = np.linspace(-7, 3, 21)
_TOP_SHARE = 0.1


def pooled(rows: pd.DataFrame) -> Row:
    """Figures of some leads together: rates are of all leads, latencies of those that went down the single-lead path.

    Rates and latencies are None where there is no lead to take them of.
    """
    outcome = rows["outcome"].value_counts()
    leads = len(rows)
    latency = rows["latency_ms"].dropna().astype(float)
    scored = rows[rows["outcome"] == "scored"]
    found: Row = {"leads": leads}
    found |= {word: int(outcome.get(word, 0)) for word in ("scored", "skipped", "failed")}
    found["success_rate"] = found["scored"] / leads if leads else None
    found["error_rate"] = found["failed"] / leads if leads else None
    found["unmatched"] = int(scored["rep_snapshot_at"].isna().sum())
    found["mean_latency_ms"] = float(latency.mean()) if len(latency) else None
    for percent in (50, 95, 99):
        found[f"p{percent}_latency_ms"] = float(np.percentile(latency, percent)) if len(latency) else None
    for kind in ("probability", "baseline_probability", "champion_probability"):
        known = scored[kind].dropna().astype(float)
        found[f"mean_{kind}"] = float(known.mean()) if len(known) else None
    missing = scored["missing_top_features"].astype(float)
    found["mean_missing_top_features"] = float(missing.mean()) if len(missing) else None
    return found


def by_day(rows: pd.DataFrame, days: Sequence[str]) -> list[Row]:
    """`pooled` of each day (`YYYY-MM-DD`), one without leads too."""
    of = rows["score_date"].astype(str).str[:10]
    return [{"score_date": day, **pooled(rows[of == day])} for day in days]


def reasons(rows: pd.DataFrame, outcome: str) -> dict[str, int]:
    """How many leads ended so for which reason, most first."""
    counts = rows.loc[rows["outcome"] == outcome, "why"].value_counts()
    return {str(why): int(count) for why, count in sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))}


def available(rows: pd.DataFrame, training: Mapping[str, float], settings: HealthSettings) -> list[Row]:
    """Per top feature its share of missing values among scored leads, in training, and the difference in points (R40).

    `training`: missing share by feature. beyond_chance: over the points that are allowed, by more than chance explains.
    Worst first; no rows without a scored lead.
    """
    scored = rows[rows["outcome"] == "scored"]
    if scored.empty:
        return []
    counts = scored["missing_names"].fillna("").str.split(", ").explode().value_counts()
    missing = {name: int(counts.get(name, 0)) for name in training}
    found = [
        {
            "feature": one.feature,
            "training": one.training,
            "shadow": one.now,
            "points": 100 * (one.now - one.training),
            "beyond_chance": one.is_unavailable,
        }
        for one in availability(missing, len(scored), training, settings)
    ]
    return sorted(found, key=lambda row: (-row["points"], row["feature"]))


def beside(rows: pd.DataFrame, other: str) -> Row:
    """The model's scores beside those of the column `other` on the same leads: rank agreement and histograms.

    `overlap`: share of the model's best tenth that is in the other's best tenth too. Empty without two such leads.
    """
    both = rows.loc[rows["outcome"] == "scored", ["Id", "probability", other]].dropna()
    if len(both) < 2:
        return {}
    model, compared = both["probability"].astype(float), both[other].astype(float)
    best = max(1, round(_TOP_SHARE * len(both)))
    tops = [
        set(both.assign(score=score).sort_values(["score", "Id"], ascending=[False, True])["Id"].iloc[:best])
        for score in (model, compared)
    ]
    return {
        "leads": len(both),
        "spearman": float(model.rank().corr(compared.rank())) if model.nunique() > 1 < compared.nunique() else None,
        "mean_difference": float((model - compared).mean()),
        "overlap": len(tops[0] & tops[1]) / best,
        "edges": _EDGES.tolist(),
        "model": _histogram(model),
        "other": _histogram(compared),
    }


def _histogram(scores: pd.Series[Any]) -> list[int]:
    inside = np.clip(scores.to_numpy(), 1e-12, 1 - 1e-12)
    odds = np.clip(np.log(inside / (1 - inside)), _EDGES[0], _EDGES[-1])
    return [int(count) for count in np.histogram(odds, _EDGES)[0]]
