"""Step 5.1: seven days of shadow scores in a row, judged together, and the path put under stress."""

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from leadscore_v6.artifacts.folders import PREFIX
from leadscore_v6.artifacts.manifest import seal, unverified
from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.shadow.data import (
    SCORES,
    SHADOW,
    LoadedModel,
    champion_word,
    load_model,
    newest_model,
    open_serving,
    scoring_code_hash,
    scoring_settings,
)
from leadscore_v6.assets.shadow.scores import read_scores
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.models import KnownModel
from leadscore_v6.monitoring.settings import monitoring_settings
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.serving import SingleLeadPath
from leadscore_v6.serving.settings import ShadowSettings
from leadscore_v6.serving.stress import stress
from leadscore_v6.serving.week import Row, available, beside, by_day, pooled, reasons


@dataclass(frozen=True)
class Window:
    """The days that are judged. missing: those that do not count, each with the reason; in_a_row: up to the last."""

    days: tuple[date, ...]
    missing: Mapping[date, str]
    models: frozenset[str]

    @property
    def in_a_row(self) -> int:
        """Days that count, back from the newest, until one does not."""
        return next((number for number, day in enumerate(reversed(self.days)) if day in self.missing), len(self.days))


@plan_asset(SHADOW)
def shadow_scoring(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """The newest seven consecutive days of the newest model, and the same path under stress."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, SHADOW, None)
        work = _work(bench)
    yield from carry_out(context, warehouse, options, work, Told())


def window(ledger: Ledger, model: KnownModel, days: int) -> Window:
    """The `days` days up to the newest that was ever attempted. Raises UsageError when none was."""
    attempted = ledger.keys(SCORES)
    if not attempted:
        raise UsageError("No day has shadow scores yet: `leadscore shadow` scores the last days of the CRM extract.")
    last = snapshot_day(str(attempted[-1]))
    wanted = tuple(last - timedelta(days=back) for back in reversed(range(days)))
    missing, models = {}, set()
    for day in wanted:
        attempt = ledger.latest(SCORES, f"{day:%Y%m%d}")
        if attempt is None:
            missing[day] = "never scored"
            continue
        by = str(attempt.facts.get("model_version", ""))
        models |= {by} if by else set()
        if attempt.state != "published" or ledger.blocking(attempt):
            missing[day] = f"attempt {attempt.key} does not hold"
        elif attempt.facts.get("model_manifest") != model.digest:
            missing[day] = f"scored by model {by}, not by {model.version} as its files are now"
    return Window(wanted, missing, frozenset(models))


def _work(bench: Bench) -> Work:
    settings, known = scoring_settings().shadow, newest_model(bench)
    judged = window(bench.ledger, known, settings.days)
    kept: list[tuple[str, Row]] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        ((name, candidate),) = candidates.items()
        model = load_model(bench, known, settings.top_features)
        rows = _rows(bench, judged)
        facts = {**_facts(rows, judged, model), "stress": _stress(bench, rows, model, settings)}
        facts["champion_version"] = champion_word(bench, known)
        facts["champion_unreadable"] = _champion_unreadable(bench.ledger, judged)
        path = bench.folders.begin(candidate)
        _write_metrics(path / metrics_file(_version(name)), facts)
        digest = seal(
            path, candidate.rpartition("__")[2], {"model": model.version, "dataset": facts["dataset_version"]}
        )
        kept.append((digest, facts))
        return {**facts, "manifest_sha256": digest}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        ((name, candidate),) = candidates.items()
        digest, facts = kept.pop()
        missing = unverified(bench.folders.path(candidate), digest, (metrics_file(_version(name)),))
        return {**_figures(facts, judged), "files_unverified": len(missing)}

    inputs = {
        "days": judged.days,
        "missing": {day.isoformat(): why for day, why in judged.missing.items()},
        "model": known.digest,
        "settings": [asdict(settings), asdict(monitoring_settings().health)],
        "code": scoring_code_hash(),
    }
    name = f"{PREFIX}{SHADOW}_v6_{{version}}"
    return Work(SHADOW, None, inputs, (name,), build, measure, version=known.version)


def _champion_unreadable(ledger: Ledger, judged: Window) -> str | None:
    """Why the champion could not be loaded, by the newest of the days that say so; None where none does."""
    attempts = (ledger.latest(SCORES, f"{day:%Y%m%d}") for day in reversed(judged.days))
    said = (attempt.facts.get("champion_unreadable") for attempt in attempts if attempt is not None)
    return next((why for why in said if why), None)


def metrics_file(version: str) -> str:
    """The plan's name of the figures by day."""
    return f"shadow_scoring_metrics_v6_{version}.csv"


def _version(name: str) -> str:
    return name.rpartition("_v6_")[2]


def _rows(bench: Bench, judged: Window) -> pd.DataFrame:
    """The scores of the days that count."""
    table = f"{bench.warehouse.dataset}.{SCORES}"
    rows = read_scores(bench, table, judged.days[0], judged.days[-1])
    return rows[~rows["score_date"].astype(str).str[:10].isin({str(day) for day in judged.missing})]


def _facts(rows: pd.DataFrame, judged: Window, model: LoadedModel) -> Row:
    counted = [day.isoformat() for day in judged.days if day not in judged.missing]
    return {
        "model_version": model.version,
        "model_manifest": model.known.digest,
        "dataset_version": str(model.known.trained.facts["dataset_version"]),
        "first_day": judged.days[0].isoformat(),
        "last_day": judged.days[-1].isoformat(),
        "missing_days": {day.isoformat(): why for day, why in judged.missing.items()},
        "models": sorted(judged.models),
        "by_day": by_day(rows, counted),
        "pooled": pooled(rows),
        "latencies_ms": _spread(rows),
        "skipped_by": reasons(rows, "skipped"),
        "failed_by": reasons(rows, "failed"),
        "availability": available(rows, model.top, monitoring_settings().health),
        "baseline": beside(rows, "baseline_probability"),
        "champion": beside(rows, "champion_probability"),
    }


def _spread(rows: pd.DataFrame) -> list[float]:
    """Latencies of up to 500 leads, evenly spaced by rank: what a plot needs."""
    latency = sorted(rows["latency_ms"].dropna().astype(float))
    return [round(value, 4) for value in latency[:: max(1, len(latency) // 500)]]


def _stress(bench: Bench, rows: pd.DataFrame, model: LoadedModel, settings: ShadowSettings) -> list[Row]:
    """The scenarios, on the newest of the days' scored leads, looked up in the published copy."""
    crds = rows.loc[rows["outcome"] == "scored", "FA_CRD__c"].tolist()[-settings.stress_leads :]
    with open_serving(bench) as copy:
        path = SingleLeadPath(copy, model.scorer, tuple(model.top))
        found = stress(path, crds, tuple(model.top), model.scorer.segment_column, settings.seed)
    return [result.as_dict() for result in found]


def _figures(facts: Row, judged: Window) -> Row:
    features = facts["availability"]
    return {
        **facts["pooled"],
        "days_in_a_row": judged.in_a_row,
        "model_versions": len(judged.models),
        "worst_missing_points": features[0]["points"] if features else None,
        "features_unavailable": sum(row["beyond_chance"] for row in features) if features else None,
        "stress_failed": sum(row["failed"] for row in facts["stress"]) if facts["stress"] else None,
    }


def _write_metrics(path: Path, facts: Row) -> None:
    rows = [*facts["by_day"], {"score_date": "all", **facts["pooled"]}]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
