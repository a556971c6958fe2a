"""Step 5.1: the shadow scores of one day, each lead by the single-lead path, held against the batch."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.recipe import contract_violations, layout_of, table_facts
from leadscore_v6.assets.shadow.data import (
    SCORES,
    LoadedModel,
    champion_beside,
    champion_word,
    column_types,
    features_of_day,
    load_baseline_of,
    load_model,
    named,
    newest_model,
    open_serving,
    scoring_code_hash,
    scoring_settings,
    served_day,
)
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.contracts import compare, contract
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.champions import Reign
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.guard import guard
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.serving import UNMATCHED, Answer, ServingCopy, SingleLeadPath, write_copy
from leadscore_v6.serving.copy import KEY
from leadscore_v6.serving.settings import ScoringSettings
from leadscore_v6.serving.week import pooled, reasons
from leadscore_v6.warehouse.sql import render

Row = dict[str, Any]
SERVED, JOINED = "serving copy", "point in time"


@plan_asset(SCORES)
def shadow_scores_v6(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Every lead that entered Contacting on the day: scored, skipped or failed, with the time that it took (R25)."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, SCORES, context.partition_key)
        day = snapshot_day(context.partition_key)
        _require_extracted(bench, day)
        work = _work(bench, day)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract("shadow_scores")))


def _require_extracted(bench: Bench, day: date) -> None:
    extracted = extract_day(bench.ledger)
    if day > extracted:
        raise UsageError(
            f"{day} lies after the CRM extract ({extracted}): its leads are not known yet.\n"
            f"  what to do: bring a newer Lead.csv (`leadscore shadow --data DIR`), or choose a day up to {extracted}."
        )


def _work(bench: Bench, day: date) -> Work:
    settings, known = scoring_settings(), newest_model(bench)
    table = f"{bench.warehouse.dataset}.{SCORES}${day:%Y%m%d}"
    agreed = contract("shadow_scores")
    kept: list[tuple[LoadedModel, pd.DataFrame]] = []
    reign = champion_beside(bench, known)
    champion, unreadable = _champion(bench, reign, settings)

    def build(candidates: Candidates) -> Mapping[str, Any]:
        (candidate,) = candidates.values()
        model = load_model(bench, known, settings.shadow.top_features)
        features = features_of_day(bench, day)
        source = SERVED if day >= served_day(bench) else JOINED
        with _copy(bench, source, features) as copy:
            path = SingleLeadPath(copy, model.scorer, tuple(model.top))
            rows = _scored(bench, day, (model, champion), settings, path)
        frame = pd.DataFrame([{**row, "features_from": source} for row in rows], columns=list(agreed.names))
        bench.warehouse.write_frame(candidate, frame, column_types(agreed), layout_of(SCORES, agreed))
        kept.append((model, features))
        return {
            **table_facts(bench.warehouse, candidate),
            "day": day.isoformat(),
            "features_from": source,
            "model_version": model.version,
            "model_manifest": model.known.digest,
            "champion": champion_word(bench, known),
            "champion_unreadable": unreadable,
            "scores_sha256": scores_digest(frame),
            "pooled": pooled(frame),
            "skipped_by": reasons(frame, "skipped"),
            "failed_by": reasons(frame, "failed"),
        }

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        (candidate,) = candidates.values()
        violations = len(contract_violations(bench.warehouse, candidate, agreed))
        # The checks are written for the contract's columns and types; of others they can say nothing.
        if compare(agreed, bench.warehouse.columns(candidate)).violations:
            return {"contract_violations": violations}
        sql = render(f"{SCORES}/checks.sql", {"candidate": candidate, "crm": f"{bench.warehouse.dataset}.crm_leads"})
        (figures,) = bench.warehouse.query(sql, {"day": day})
        model, features = kept.pop()
        rows = read_scores(bench, candidate, day, day)
        return {
            **figures,
            "contract_violations": violations,
            "scores_differing": scores_differing(model, features, rows),
        }

    inputs = {
        "day": day,
        "model": known.digest,
        "champion": unreadable or (reign.digest if reign else champion_word(bench, known)),
        "settings": settings.as_dict(),
        "code": scoring_code_hash(),
    }
    return Work(SCORES, f"{day:%Y%m%d}", inputs, (table,), build, measure)


def _champion(
    bench: Bench, reign: Reign | None, settings: ScoringSettings
) -> tuple[LoadedModel | None, str | None]:
    """The champion beside; or why it cannot be loaded: its own days are production's, the challenger's go on."""
    if reign is None:
        return None, None
    try:
        return load_model(bench, reign.model, settings.shadow.top_features), None
    except InputError as unreadable:
        return None, unreadable.what


@contextmanager
def _copy(bench: Bench, source: str, features: pd.DataFrame) -> Iterator[ServingCopy]:
    """The published copy; for a day before its newest snapshot one of the same form, of that day's leads (R2)."""
    if source == SERVED:
        with open_serving(bench) as copy:
            yield copy
        return
    with (
        TemporaryDirectory() as folder,
        ServingCopy(write_copy(Path(folder), features, column_types(contract("serving")))) as copy,
    ):
        yield copy


def _scored(
    bench: Bench,
    day: date,
    models: tuple[LoadedModel, LoadedModel | None],
    settings: ScoringSettings,
    path: SingleLeadPath,
) -> list[Row]:
    """A row per lead of the day, in order of arrival. `models`: the one in the shadow, and the champion beside it."""
    model, champion = models
    baseline = load_baseline_of(bench, model.known)
    leads = bench.warehouse.query(
        render(f"{SCORES}/leads.sql", {"crm": f"{bench.warehouse.dataset}.crm_leads"}), {"day": day}
    )
    provenance = model.scorer.provenance
    same: Row = {
        "score_date": day,
        "model_version": model.version,
        "model_digest": provenance.model,
        "features_digest": provenance.features,
        "dataset_digest": provenance.dataset,
        "dataset_version": str(model.known.trained.facts["dataset_version"]),
    }
    # The first answer loads what later ones find loaded; a service would have done so before its first lead.
    path.score(UNMATCHED)
    rows, scored = [], []
    for lead in leads:
        row = {**same, "Id": lead["lead_id"], "FA_CRD__c": lead["crd"]}
        rows.append(row)
        if why := settings.why_skipped(lead):
            row |= {"outcome": "skipped", "why": why}
            continue
        answer = path.score(str(lead["crd"]))
        row |= _told(answer)
        if answer.score is not None and answer.known is not None:
            scored.append((row, answer.known.features))
    if scored:
        frame = pd.DataFrame([features for _, features in scored])
        others = {"baseline_probability": baseline.probability(frame)}
        if champion is not None:
            others["champion_probability"] = champion.scorer.score_leads(frame)["probability"].to_numpy()
        for name, probabilities in others.items():
            for (row, _), probability in zip(scored, probabilities, strict=True):
                row[name] = float(probability)
    return rows


def _told(answer: Answer) -> Row:
    """A lead's own columns, as the path answered."""
    told: Row = {"outcome": "failed", "why": answer.error, "latency_ms": answer.latency_ms}
    if answer.known is not None:
        seen = answer.known.features["rep_snapshot_at"]
        told["rep_snapshot_at"] = date.fromisoformat(seen) if seen else None
    if answer.score is not None:
        told |= {
            "outcome": "scored",
            "why": None,
            "probability": answer.score.probability,
            "percentile_rank": answer.score.rank,
            "missing_top_features": len(answer.missing),
            "missing_names": ", ".join(answer.missing) or None,
            "warnings": "; ".join(answer.warnings) or None,
        }
    return told


def read_scores(bench: Bench, table: str, first: date, last: date) -> pd.DataFrame:
    """Rows of some days, in the order of day and Id."""
    lists = {"contract_columns": contract("shadow_scores").names}
    sql = render(f"{SCORES}/query.sql", {"scores": table}, lists)
    frame = bench.warehouse.frame(sql, {"first_day": first, "last_day": last})
    return named(frame, contract("shadow_scores"))


def scores_differing(model: LoadedModel, features: pd.DataFrame, rows: pd.DataFrame) -> int:
    """Scored leads whose row has another probability, to the last bit, than the batch gives on a join made anew."""
    scored = rows[rows["outcome"] == "scored"]
    if scored.empty:
        return 0
    by_crd = features.set_index(KEY)
    # An advisor that the join does not know at all would be a lead without a row.
    batch = model.scorer.score_leads(by_crd.reindex(scored["FA_CRD__c"]))
    return int((batch["probability"].to_numpy() != scored["probability"].astype(float).to_numpy()).sum())


def scores_digest(frame: pd.DataFrame) -> str:
    """SHA-256 of the rows without the time that each took: the same day scored again gives the same digest."""
    rows = frame.drop(columns="latency_ms").astype(object).where(frame.drop(columns="latency_ms").notna(), None)
    text = json.dumps(rows.sort_values("Id").to_dict("records"), default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
