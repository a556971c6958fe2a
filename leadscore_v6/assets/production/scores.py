"""Step 6.1: the scores of one day by the champion: leads and prospects in one batch, a sample one by one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.model.data import model_code_hash, reason_words
from leadscore_v6.assets.production.alarms import raise_alerts
from leadscore_v6.assets.production.data import (
    PRODUCTION,
    champion_model,
    compared_with,
    percentiles_then,
    production_code_hash,
    production_settings,
    require_day,
    subjects,
)
from leadscore_v6.assets.production.health import health_figures
from leadscore_v6.assets.recipe import contract_violations, layout_of, table_facts
from leadscore_v6.assets.shadow.data import LoadedModel, column_types, open_serving, scoring_settings
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.contracts import contract
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.caveats import too_old
from leadscore_v6.gates.champions import require_champion
from leadscore_v6.gates.guard import guard
from leadscore_v6.modeling.explain import Reason
from leadscore_v6.monitoring.health import Availability, feature_availability
from leadscore_v6.monitoring.settings import monitoring_settings
from leadscore_v6.production.ranking import deciles, percentiles, trends
from leadscore_v6.production.settings import ProductionSettings, ScoreSettings
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.serving import SingleLeadPath
from leadscore_v6.serving.path import ERRORS, NO_SNAPSHOT
from leadscore_v6.serving.settings import EXCLUDED, ScoringSettings
from leadscore_v6.warehouse.protocol import DAY_COLUMN
from leadscore_v6.warehouse.sql import render

# So many are scored at a time, which bounds the memory that their features take.
_CHUNK = 50_000


@plan_asset(PRODUCTION)
def production_scores_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Open leads and prospects of the day by the model that serves (R51): percentile, trend, reasons, warnings."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, PRODUCTION, context.partition_key)
        day = snapshot_day(context.partition_key)
        require_day(bench, day)
        work = _work(bench, day)
    try:
        yield from carry_out(context, warehouse, options, work, Told(contract=contract("production_scores")))
    finally:
        _tell(bench, warehouse, context.partition_key)


def _tell(bench: Bench, warehouse: WarehouseResource, key: str) -> None:
    """Health of the day, and the champion's age, to whom it concerns, whether or not the day's gates hold.

    Of a day that was not judged nothing is said.
    """
    figures = health_figures(bench.ledger, key, monitoring_settings().health)
    if figures is None:
        return
    day = snapshot_day(key)
    raise_alerts(bench, warehouse.settings, "health", figures, about_day=day)
    reign = require_champion(bench.ledger)
    is_old = too_old(reign, day) is not None
    figures, about = {"champion_too_old": int(is_old)}, {"champion_too_old": (reign.version,)}
    raise_alerts(bench, warehouse.settings, "champion", figures, about, day)


@dataclass(frozen=True)
class _Judged:
    """What the gates need beyond the table: the sample's latencies and disagreements, features of the day's leads."""

    latency_ms: np.ndarray
    differing: int
    availability: tuple[Availability, ...]


def _work(bench: Bench, day: date) -> Work:
    settings, rules = production_settings(), scoring_settings()
    reign = require_champion(bench.ledger)
    table = f"{bench.warehouse.dataset}.{PRODUCTION}${day:%Y%m%d}"
    agreed = contract("production_scores")
    then = compared_with(bench, reign.version, settings.scores.trend_days)
    kept: list[_Judged] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        (candidate,) = candidates.values()
        _, model = champion_model(bench)
        asked = [*model.scorer.get_feature_names_out(), model.scorer.segment_column]
        people = subjects(bench, day, list(dict.fromkeys(map(str, asked))), settings.population)
        digest = model.scorer.provenance.model
        scored = _scored(people, model, settings, rules, percentiles_then(bench, then, digest))
        kept.append(_judge(bench, people, scored, model, settings.scores))
        frame = _rows(day, scored, model)
        bench.warehouse.write_frame(candidate, frame, column_types(agreed), layout_of(PRODUCTION, agreed))
        told = {"day": day.isoformat(), "trend_against": snapshot_day(str(then.partition)) if then else None}
        return {**table_facts(bench.warehouse, candidate), **told, **_facts(frame, model, reign.since)}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        (candidate,) = candidates.values()
        violations = len(contract_violations(bench.warehouse, candidate, agreed))
        if violations:
            return {"contract_violations": violations}
        tables = {"candidate": candidate, "crm": f"{bench.warehouse.dataset}.crm_leads"}
        params = {"day": day, "open_lead_days": settings.population.open_lead_days}
        (figures,) = bench.warehouse.query(render(f"{PRODUCTION}/checks.sql", tables), params)
        judged = kept.pop()
        return {
            **figures,
            **_latency(judged.latency_ms),
            "contract_violations": violations,
            "scores_differing": judged.differing,
            "features_over_points": _count(judged.availability, "is_over"),
            "features_unavailable": _count(judged.availability, "is_unavailable"),
        }

    inputs = {
        "day": day,
        "champion": reign.digest,
        "settings": settings.of_scores(),
        "rules": rules.as_dict(),
        "health": asdict(monitoring_settings().health),
        "compared_with": then and [then.partition, then.content_key],
        "code": [production_code_hash(), model_code_hash()],
        "words": reason_words().features,
    }
    return Work(PRODUCTION, f"{day:%Y%m%d}", inputs, (table,), build, measure)


def _scored(
    people: pd.DataFrame,
    model: LoadedModel,
    settings: ProductionSettings,
    rules: ScoringSettings,
    before: "pd.Series[Any]",
) -> pd.DataFrame:
    """`people` with outcome, why, probability, percentile, decile, previous_percentile, trend, reasons, warnings."""
    why = _why_skipped(people, rules)
    outcomes = _outcomes(people[why.isna()], model).reindex(people.index)
    told = people.assign(
        outcome=outcomes["outcome"].fillna("skipped"),
        why=why.where(why.notna(), outcomes["why"]),
        probability=outcomes["probability"].astype(float),
        warnings=outcomes["warnings"],
        reasons=None,
    )
    is_scored = told["outcome"] == "scored"
    probability = told.loc[is_scored, "probability"].to_numpy(dtype=float)
    percentile = percentiles(probability)
    previous = told["FA_CRD__c"].map(before).astype(float)
    told = told.assign(previous_percentile=previous.where(is_scored), percentile=np.nan, decile=np.nan, trend=None)
    told.loc[is_scored, "percentile"] = percentile
    told.loc[is_scored, "decile"] = deciles(percentile)
    told.loc[is_scored, "trend"] = trends(percentile, previous[is_scored].to_numpy(), settings.scores.same_within)
    return _with_reasons(told, model, settings.scores)


def _why_skipped(people: pd.DataFrame, rules: ScoringSettings) -> "pd.Series[Any]":
    """Why each is not scored at all; None if it is. A prospect can only be excluded, and then is not told of."""
    leads = people["kind"] == "lead"
    why = pd.Series(data=None, index=people.index, dtype=object)
    asked = people.loc[leads, ["Id", "FA_CRD__c"]].itertuples(index=False)
    why[leads] = [
        rules.why_skipped({"lead_id": Id, "crd": crd if isinstance(crd, str) else None, "call_before_contact": 0})
        for Id, crd in asked
    ]
    why[~leads & people["FA_CRD__c"].isin(rules.advisors)] = EXCLUDED
    return why


def _outcomes(rows: pd.DataFrame, model: LoadedModel) -> pd.DataFrame:
    """outcome, why, probability and warnings of rows that are to be scored, by their index.

    Where a batch cannot be scored its halves are, down to the row that cannot: it has failed, and the others have not.
    """
    if len(rows) > _CHUNK:
        parts = [_outcomes(rows.iloc[first : first + _CHUNK], model) for first in range(0, len(rows), _CHUNK)]
        return pd.concat(parts)
    try:
        return _batch(rows, model)
    except ERRORS as error:
        if len(rows) > 1:
            half = len(rows) // 2
            return pd.concat([_outcomes(rows.iloc[:half], model), _outcomes(rows.iloc[half:], model)])
        # The first line, which names the column and no value of it (R57).
        why = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        return pd.DataFrame(
            {"outcome": "failed", "why": why, "probability": np.nan, "warnings": None}, index=rows.index
        )


def _batch(rows: pd.DataFrame, model: LoadedModel) -> pd.DataFrame:
    found = model.scorer.score_leads(rows)
    unknown = rows["rep_snapshot_at"].isna().to_numpy()
    warned = [
        "; ".join([NO_SNAPSHOT] * bool(none) + list(said)) or None
        for said, none in zip(found["warnings"], unknown, strict=True)
    ]
    columns = {"outcome": "scored", "why": None, "probability": found["probability"], "warnings": warned}
    return pd.DataFrame(columns, index=rows.index)


def _with_reasons(told: pd.DataFrame, model: LoadedModel, settings: ScoreSettings) -> pd.DataFrame:
    """Reasons of all leads and of the best prospects; of equal ones those with the lower CRD."""
    scored = told[told["outcome"] == "scored"]
    best = scored[scored["kind"] == "prospect"].sort_values(["probability", "FA_CRD__c"], ascending=[False, True])
    chosen = scored.index[scored["kind"] == "lead"].union(best.index[: settings.prospects_with_reasons])
    if len(chosen):
        found = model.scorer.score_leads(told.loc[chosen], reasons=settings.reasons)
        told.loc[chosen, "reasons"] = [said(reasons) for reasons in found["reasons"]]
    return told


def said(reasons: tuple[Reason, ...]) -> str | None:
    """`for: joined the firm 8 months ago; against: an owner`, strongest first. No sign: spreadsheets would compute."""
    return "; ".join(f"{'for' if one.log_odds > 0 else 'against'}: {one.text}" for one in reasons) or None


def _judge(
    bench: Bench, people: pd.DataFrame, scored: pd.DataFrame, model: LoadedModel, settings: ScoreSettings
) -> _Judged:
    """Some of the scored, evenly spaced, down the single-lead path; and what of the top features leads lack (R40)."""
    known = scored[scored["outcome"] == "scored"]
    sample = known.iloc[:: max(1, len(known) // settings.sample)].iloc[: settings.sample]
    latency, differing = [], 0
    with open_serving(bench) as copy:
        path = SingleLeadPath(copy, model.scorer, tuple(model.top))
        path.score("")  # what is loaded by the first lead, a service has loaded before it
        for crd, probability in zip(sample["FA_CRD__c"], sample["probability"], strict=True):
            answer = path.score(str(crd))
            latency.append(answer.latency_ms)
            differing += answer.score is None or answer.score.probability != probability
    leads, watched = people[people["kind"] == "lead"], monitoring_settings().health
    return _Judged(np.array(latency), int(differing), feature_availability(leads, list(model.top), model.top, watched))


def _count(availability: tuple[Availability, ...], which: str) -> int | None:
    """How many of the top features are so; None where there are too few leads to tell."""
    return sum(getattr(one, which) for one in availability) if availability else None


def _rows(day: date, scored: pd.DataFrame, model: LoadedModel) -> pd.DataFrame:
    """The table's columns. A prospect who is excluded is nobody's business: only leads are told why they have none."""
    is_told = (scored["kind"] == "lead") | (scored["outcome"] != "skipped")
    frame = scored[is_told].assign(
        **{DAY_COLUMN: pd.Timestamp(day)},
        model_version=model.version,
        model_digest=model.scorer.provenance.model,
        dataset_version=str(model.known.trained.facts["dataset_version"]),
    )
    return frame[list(contract("production_scores").names)].reset_index(drop=True)


def _latency(milliseconds: np.ndarray) -> dict[str, float | None]:
    if not len(milliseconds):
        return {"latency_mean_ms": None, "latency_p99_ms": None}
    return {
        "latency_mean_ms": float(milliseconds.mean()),
        "latency_p99_ms": float(np.quantile(milliseconds, 0.99, method="inverted_cdf")),
    }


def _facts(frame: pd.DataFrame, model: LoadedModel, since: object) -> dict[str, Any]:
    scored = frame[frame["outcome"] == "scored"]
    by_decile = scored.groupby(scored["decile"].astype(int))
    return {
        "model_version": model.version,
        "champion_since": str(since)[:16],
        "by_kind": {
            str(kind): {str(word): int(count) for word, count in rows["outcome"].value_counts().items()}
            for kind, rows in frame.groupby("kind")
        },
        "skipped_by": {str(why): int(count) for why, count in frame["why"].value_counts().items()},
        "trends": {str(word): int(count) for word, count in scored["trend"].value_counts().items()},
        "prospects_contacted": int((scored.loc[scored["kind"] == "prospect", "last_contact_on"].notna()).sum()),
        "with_reasons": int(scored["reasons"].notna().sum()),
        "with_warnings": int(scored["warnings"].notna().sum()),
        "deciles": [
            [int(number), len(rows), int((rows["kind"] == "lead").sum()), float(rows["probability"].mean())]
            for number, rows in by_decile
        ],
    }
