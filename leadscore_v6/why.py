"""One lead or one model, asked about by a person: how it scores and why, what it was made from, whether it is intact.

Belongs here: finding the lead's row and the model's files, and putting the answer together. Does not belong here:
scoring and reasons (modeling/), how gates hold (gates/), commands (cli_model.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import read_manifest, verify
from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.model.data import contract_version, promoted_columns, reason_words
from leadscore_v6.assets.training_set import LABEL_WINDOW_DAYS
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.champions import champion, history, role
from leadscore_v6.gates.decisions import PROMOTED, TRAINING
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.models import KnownModel, blocks_of, folder_of, manifest_digest, model_line, model_of
from leadscore_v6.gates.status import attempt_lines
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.warehouse.protocol import Warehouse
from leadscore_v6.warehouse.sql import render

REASONS = 5
Answer = dict[str, Any]


# --- a lead ---------------------------------------------------------------------------------------------------------


def ask(settings: Settings, lead_id: str, version: str | None) -> Answer:
    """How a lead scores, and why: plain JSON data.

    The lead is taken as it stands in the promoted training set; one that is too young for it, from the staging table of
    the same version, through the same SQL. `version` None: the champion, by whose scores people are called; where none
    serves, the newest validated model. Raises UsageError when neither has it, or there is no such model;
    GateBlocked when no model passed its gates; InputError when the model's files are not what was published.
    """
    ledger, _ = read_ledger(settings)
    reign = champion(ledger)
    known = model_of(ledger, version or (reign.version if reign else None))
    calibrated = known.calibrated
    if calibrated is None or calibrated.state != "published":
        raise UsageError(f"Model {known.version} has no calibrator that passed its gates: it gives no probabilities.")
    folder = FolderStore(settings.model_folders).path(folder_of(calibrated))
    scorer = load_scorer(
        folder, manifest_digest(calibrated), str(calibrated.version), reason_words(), contract_version()
    )
    with open_warehouse(settings, read_only=True) as warehouse:
        lead, source = _row(warehouse, ledger, lead_id)
    scored = scorer.score_lead(lead, reasons=REASONS)
    return {
        "lead": lead_id,
        "contacted": str(lead["contact_date"]),
        "features_from": source,
        "probability": scored.probability,
        "rank": scored.rank,
        "reasons": [asdict(reason) for reason in scored.reasons],
        "warnings": list(scored.warnings),
        "in_sample": _block(settings, known, lead_id),
        "model": {"version": known.version, "role": role(ledger, known), **asdict(scored.provenance)},
    }


def render_answer(answer: Answer) -> str:
    """The answer for a person; reasons in plain words, the strongest first."""
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
    lines += ["", f"{named} (sha256: {digests}). The lead's features: {answer['features_from']}."]
    return "\n".join(lines)


def _row(warehouse: Warehouse, ledger: Ledger, lead_id: str) -> tuple[Mapping[str, Any], str]:
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
    raise UsageError(
        f"There is no lead {lead_id!r} in the promoted training set (version {serving.facts['promoted_version']}), nor "
        "among the younger ones. Leads without a contact or a CRD are not scored."
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
    return list(_blocks(settings, known)["holdout"]), float(known.trained.figures["holdout_average_precision"])


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
