"""One lead, advisor or model, asked about by a person: how it scores and why, what it was made from, is it intact.

Belongs here: finding the row and the model's files, and putting the answer together. Does not belong here: scoring and
reasons (modeling/), how gates hold (gates/), commands (cli_model.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import pandas as pd

from leadscore_v6.artifacts.folders import PREFIX, FolderStore
from leadscore_v6.artifacts.manifest import read_manifest, verify
from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.model.data import contract_version, promoted_columns, reason_words
from leadscore_v6.assets.production.data import PRODUCTION, production_settings, read_person
from leadscore_v6.assets.production.scores import said
from leadscore_v6.assets.shadow.data import SERVING
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.assets.training_set import LABEL_WINDOW_DAYS
from leadscore_v6.contracts import canonical_crd
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.champions import champion, history, role
from leadscore_v6.gates.decisions import PROMOTED, TRAINING
from leadscore_v6.gates.extract import days_reached
from leadscore_v6.gates.guard import obstacle_at
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.lineage import told, withdrawn_behind
from leadscore_v6.gates.models import (
    KnownModel,
    blocks_of,
    folder_of,
    holdout_auc_pr,
    manifest_digest,
    model_line,
    model_of,
)
from leadscore_v6.gates.status import attempt_lines
from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.reports.production import of_prospects
from leadscore_v6.serving import open_copy
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.warehouse.protocol import Warehouse
from leadscore_v6.warehouse.sql import render

REASONS = 5
Answer = dict[str, Any]


# --- who was scored -------------------------------------------------------------------------------------------------


def ask(settings: Settings, who: str, version: str | None = None, day: date | None = None) -> Answer:
    """How the lead of that Id, or the advisor of that CRD, scores, and why: plain JSON data.

    First as production scored them: the row as it is stored, of `day`, or of the newest day that counts. Who is not
    there is taken as a lead of the promoted training set, or one too young for it, and scored by `version` (None: the
    champion, else the newest validated model). With a `version`, production is not asked.

    Raises UsageError when nothing has them, or there is no such model or day; GateBlocked when no model passed its
    gates; InputError when a model is needed and its files are not what was published.
    """
    if version and day:
        raise UsageError("--day asks for scores that are stored, --model scores anew: give one of them.")
    ledger, _ = read_ledger(settings)
    days = [] if version else _days(ledger, day)
    if days:
        with open_warehouse(settings, read_only=True) as warehouse:
            rows = read_person(warehouse, days[-1], who, canonical_crd(who))
        if rows:
            return _as_scored(settings, ledger, rows)
    if day:
        raise UsageError(f"{who!r} is not among the leads and prospects of {day}. {_WHO_IS_SCORED}")
    return _as_trained(settings, ledger, who, version, days)


def render_answer(answer: Answer) -> str:
    """The answer for a person; reasons in plain words, the strongest first."""
    return "\n".join(_scored_lines(answer) if "kind" in answer else _trained_lines(answer))


# --- as production scored them --------------------------------------------------------------------------------------

_WHO_IS_SCORED = (
    "Scored are open leads, and as prospects the advisors of the newest snapshot, but for those who do not produce or "
    "scheduled a call lately (population in v6_production.yaml)."
)


def _days(ledger: Ledger, asked: date | None) -> list[date]:
    """Days that were scored, oldest first: `asked`, or those not after the extract with no withdrawn input behind."""
    keys = [str(key) for key in ledger.keys(PRODUCTION)]
    if asked:
        if f"{asked:%Y%m%d}" not in keys:
            newest = f"; the newest day is {snapshot_day(keys[-1])}" if keys else ""
            raise UsageError(f"{asked} has not been scored{newest}: `leadscore score --day`.")
        return [asked]
    latest = (ledger.latest(PRODUCTION, key) for key in days_reached(ledger, PRODUCTION))
    return [snapshot_day(str(one.partition)) for one in latest if one and not withdrawn_behind(ledger, one)]


def _as_scored(settings: Settings, ledger: Ledger, rows: Sequence[Mapping[str, Any]]) -> Answer:
    """The first of the rows: several leads of one advisor score alike."""
    row = {name: None if pd.isna(value) else value for name, value in rows[0].items()}
    known, is_scored = model_of(ledger, str(row["model_version"])), row["outcome"] == "scored"
    reasons, missing = _split(row["reasons"]), ""
    if is_scored and not reasons:
        reasons, missing = _reasons_again(settings, ledger, row, known)
    return {
        "lead": row["Id"],
        "crd": row["FA_CRD__c"],
        "kind": row["kind"],
        "scored_on": str(row["score_date"])[:10],
        "contacted": str(row["last_contact_on"])[:10] if row["last_contact_on"] else None,
        "other_leads": [str(other["Id"]) for other in rows[1:] if other["kind"] == "lead"],
        **{name: row[name] for name in ("outcome", "why", "probability", "trend")},
        # Whole numbers, which an engine that has none for some others gives as fractions.
        **{name: None if (place := row[name]) is None else int(place) for name in ("percentile", "decile")},
        "reasons": reasons,
        "warnings": [*(str(row["warnings"]).split("; ") if row["warnings"] else []), *([missing] if missing else [])],
        "in_sample": _in_sample(settings, known, row["Id"]) if is_scored else "",
        "of_the_day": _of_the_day(ledger, snapshot_day(str(row["score_date"])[:10].replace("-", ""))),
        "features_from": f"{PRODUCTION}, as stored",
        "model": {
            "version": known.version,
            "role": role(ledger, known),
            "model": row["model_digest"],
            "dataset": row["dataset_version"],
        },
    }


def _split(reasons: str | None) -> list[dict[str, str]]:
    """As a step of `said`: which way each goes, and its words, in which a semicolon may be."""
    parts = re.split("; (?=for: |against: )", reasons) if reasons else []
    return [dict(zip(("direction", "text"), part.split(": ", 1), strict=True)) for part in parts]


def _reasons_again(
    settings: Settings, ledger: Ledger, row: Mapping[str, Any], known: KnownModel
) -> tuple[list[dict[str, str]], str]:
    """Of a prospect with whom none are stored: by the serving copy, if that still gives the very score; or why not."""
    serving = ledger.latest(SERVING)
    if serving is None or serving.state != "published":
        return [], "no reasons are stored with this score, and there is no serving copy to find them by"
    (folder,) = (name for name in serving.outputs if name.startswith(PREFIX))
    try:
        with open_copy(FolderStore(settings.model_folders).path(folder), manifest_digest(serving)) as copy:
            features = copy.look_up(str(row["FA_CRD__c"])).features
        scored = _scorer(settings, known).score_lead(features, reasons=production_settings().scores.reasons)
    except InputError as error:
        return [], f"no reasons are stored with this score, and none can be found: {error.what}"
    if scored.probability != row["probability"]:
        return [], "no reasons are stored with this score, and what is known of the advisor has changed since"
    return _split(said(scored.reasons)), ""


def _in_sample(settings: Settings, known: KnownModel, lead: str | None) -> str:
    try:
        return _block(settings, known, lead) if lead else ""
    except InputError as error:
        return f"whether the model learned from this very lead cannot be told: {error.what}"


def _of_the_day(ledger: Ledger, day: date) -> list[str]:
    """What is against the day's scores, whoever they are of."""
    obstacle, attempt = obstacle_at(ledger, PRODUCTION, f"{day:%Y%m%d}"), ledger.latest(PRODUCTION, f"{day:%Y%m%d}")
    gone = withdrawn_behind(ledger, attempt) if attempt else []
    return [*([f"the day's scores do not hold: {obstacle}"] if obstacle else []), *map(told, gone)]


def _scored_lines(answer: Answer) -> list[str]:
    name = f"Lead {answer['lead']}" if answer["kind"] == "lead" else "Prospect"
    crd = f"CRD {answer['crd']}" if answer["crd"] else "without a CRD"
    contacted = f", last contacted on {answer['contacted']}" if answer["contacted"] else ""
    head, day = f"{name} ({crd}){contacted}", answer["scored_on"]
    lines = [f"{head}: no score on {day}, {answer['outcome']}: {answer['why']}."]
    if answer["outcome"] == "scored":
        by_when = f"within {LABEL_WINDOW_DAYS} days of a dial on {day}"
        likely = f"{answer['probability']:.1%} likely to schedule a call {by_when}"
        lines = [f"{head}: {likely}; percentile {answer['percentile']} of that day's scores (100 is best)."]
        if answer["reasons"]:
            said_so = (f"  {reason['direction'] + ':':<9}{reason['text']}" for reason in answer["reasons"])
            lines += ["", "What moves it, the strongest first:", *said_so]
    mind = [*answer["warnings"], *([answer["in_sample"]] if answer["in_sample"] else []), *answer["of_the_day"]]
    if answer["kind"] == "prospect" and answer["outcome"] == "scored":
        mind.append(of_prospects())
    if answer["other_leads"]:
        mind.append(f"open leads of the same advisor, which score alike: {', '.join(answer['other_leads'])}")
    if mind:
        lines += ["", "Mind:", *(f"  {one}" for one in mind)]
    model = answer["model"]
    named = f"Model {model['version']}" + (f", {model['role']}" if model["role"] else "")
    digest = f"sha256: model {model['model'][:12]}; training set {model['dataset']}"
    return [*lines, "", f"{named} ({digest}). The row is that of {PRODUCTION}, {day}, as it is stored."]


# --- a lead of the training set -------------------------------------------------------------------------------------


def _as_trained(settings: Settings, ledger: Ledger, who: str, version: str | None, days: Sequence[date]) -> Answer:
    """By a model, from what was known of the lead on its day of contact."""
    reign = champion(ledger)
    known = model_of(ledger, version or (reign.version if reign else None))
    scorer = _scorer(settings, known)
    with open_warehouse(settings, read_only=True) as warehouse:
        lead, source = _row(warehouse, ledger, who, days)
    scored = scorer.score_lead(lead, reasons=REASONS)
    return {
        "lead": who,
        "contacted": str(lead["contact_date"]),
        "features_from": source,
        "probability": scored.probability,
        "rank": scored.rank,
        "reasons": [asdict(reason) for reason in scored.reasons],
        "warnings": list(scored.warnings),
        "in_sample": _block(settings, known, who),
        "model": {"version": known.version, "role": role(ledger, known), **asdict(scored.provenance)},
    }


def _scorer(settings: Settings, known: KnownModel) -> LeadScorer:
    calibrated = known.calibrated
    if calibrated is None or calibrated.state != "published":
        raise UsageError(f"Model {known.version} has no calibrator that passed its gates: it gives no probabilities.")
    folder = FolderStore(settings.model_folders).path(folder_of(calibrated))
    return load_scorer(
        folder, manifest_digest(calibrated), str(calibrated.version), reason_words(), contract_version()
    )


def _trained_lines(answer: Answer) -> list[str]:
    likely = f"{answer['probability']:.1%} likely to schedule a call within {LABEL_WINDOW_DAYS} days"
    rank = f"rank {answer['rank']} of 100 (100 is best)"
    lines = [
        f"Lead {answer['lead']}, contacted {answer['contacted']}: {likely}; {rank}.",
        "",
        "What moves it, in log-odds:",
        *(f"  {reason['log_odds']:+.2f}  {reason['text']}" for reason in answer["reasons"]),
    ]
    warnings = [*answer["warnings"], *([answer["in_sample"]] if answer["in_sample"] else [])]
    if warnings:
        lines += ["", "Mind:", *(f"  {warning}" for warning in warnings)]
    model = answer["model"]
    digests = ", ".join(f"{name} {model[name][:12]}" for name in ("model", "dataset", "features"))
    named = f"Model {model['version']}" + (f", {model['role']}" if model["role"] else "")
    return [*lines, "", f"{named} (sha256: {digests}). The lead's features: {answer['features_from']}."]


def _row(
    warehouse: Warehouse, ledger: Ledger, lead_id: str, days: Sequence[date]
) -> tuple[Mapping[str, Any], str]:
    promoted = f"{warehouse.dataset}.{PROMOTED}"
    serving = ledger.serving(promoted)
    if serving is None or not warehouse.exists(promoted):
        raise UsageError("There is no promoted training set here: `leadscore run --data DIR` makes one.")
    sql = render(f"{PROMOTED}/lead.sql", {"training": promoted}, promoted_columns(warehouse))
    rows = warehouse.query(sql, {"lead": lead_id})
    if rows:
        return rows[0], "the promoted training set"
    staging = _training_attempt(ledger, serving).facts["staging"]
    if warehouse.exists(staging):
        # Every lead that was contacted by as_of, however young: the same features as training would give it.
        sql = render(f"{TRAINING}/young_lead.sql", {"staging": staging})
        params = {
            "as_of": date.fromisoformat(serving.facts["as_of"]),
            "label_window_days": LABEL_WINDOW_DAYS,
            "entry_lag_days": -LABEL_WINDOW_DAYS,
            "lead": lead_id,
        }
        rows = warehouse.query(sql, params)
        if rows:
            return rows[0], "the staging table, as a lead too young to train on, or not dialled"
    trained = f"in the promoted training set (version {serving.facts['promoted_version']}), nor among the younger ones"
    if days:
        raise UsageError(
            f"There is no lead or prospect {lead_id!r} among those scored on {days[-1]}, nor is there such a lead "
            f"{trained}. {_WHO_IS_SCORED} `--day` asks for another day."
        )
    raise UsageError(
        f"There is no lead {lead_id!r} {trained}. Leads without a contact or a CRD are not scored. Prospects are asked "
        "for by CRD once a day was scored in production (`leadscore score`)."
    )


def _training_attempt(ledger: Ledger, promoted: Attempt) -> Attempt:
    (attempt,) = (
        attempt
        for attempt in ledger.attempts.values()
        if attempt.asset == TRAINING and attempt.version == promoted.facts["promoted_version"]
    )
    return attempt


def _block(settings: Settings, known: KnownModel, lead_id: str) -> str:
    """A warning if the model learned from this very lead; empty if it did not."""
    blocks = _blocks(settings, known)
    for name, does in (("training", "was trained on"), ("calibration", "was calibrated on")):
        if lead_id in blocks[name]:
            return f"the model {does} this very lead: its score is in sample"
    return ""


def _blocks(settings: Settings, known: KnownModel) -> Mapping[str, list[str]]:
    return blocks_of(FolderStore(settings.model_folders), known)


# --- a model --------------------------------------------------------------------------------------------------------


def holdout_of(settings: Settings) -> tuple[list[str], float]:
    """Ids of the holdout leads of the newest validated model, and its AUC-PR (average precision) on them."""
    ledger, _ = read_ledger(settings)
    known = model_of(ledger, None)
    reached = holdout_auc_pr(known)
    assert reached is not None, "a validated model was measured"
    return list(_blocks(settings, known)["holdout"]), reached


def describe(settings: Settings, version: str | None) -> Answer:
    """Everything about one model, by default the newest validated one: plain JSON data. Its files are verified."""
    ledger, _ = read_ledger(settings)
    known = model_of(ledger, version)
    line = model_line(ledger, known, role(ledger, known))
    attempts = [attempt for attempt in (known.trained, known.calibrated, known.backtest) if attempt]
    return {
        "version": known.version,
        "state": line.state,
        "role": line.role,
        "reigns": history(ledger, known),
        "made_from": {
            "training set": f"{line.dataset}, as of {line.as_of}",
            "trained": line.trained_at,
            "contract": known.trained.facts["contract_version"],
        },
        "gates": [asdict(gate) for attempt in attempts for gate in attempt_lines(ledger, attempt)],
        "figures": {attempt.asset: attempt.figures for attempt in attempts},
        "folders": [_folder(settings, attempt) for attempt in attempts],
    }


def _folder(settings: Settings, attempt: Attempt) -> Answer:
    folder = FolderStore(settings.model_folders).path(folder_of(attempt))
    shown: Answer = {"path": str(folder), "intact": True, "damage": "", "files": []}
    try:
        shown["files"] = sorted(read_manifest(folder).files)
        verify(folder, manifest_digest(attempt))
    except InputError as error:
        shown |= {"intact": False, "damage": error.what}
    return shown
