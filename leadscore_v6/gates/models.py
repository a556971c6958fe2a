"""Which models there are and how far each has come, as the ledger has it: trained, calibrated, backtested.

Belongs here: finding a model by its version. Does not belong here: loading one (artifacts/models.py), or how a list of
them looks (reports/models.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import verify
from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates.judge import Verdict
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.reports.model_list import ModelLine

TRAINED, CALIBRATED, BACKTEST = "trained_model", "calibrated_model", "backtest"


@dataclass(frozen=True)
class KnownModel:
    """One training attempt and what was made from it; an attempt that is None was not reached."""

    trained: Attempt
    calibrated: Attempt | None
    backtest: Attempt | None

    @property
    def version(self) -> str:
        """`YYYYMMDD`, a second one of a day `_2` (R39)."""
        return str(self.trained.version)

    @property
    def digest(self) -> str | None:
        """SHA-256 of the manifest of what scores are made by, which tells it from any other; None before 4.3."""
        return None if self.calibrated is None else manifest_digest(self.calibrated)

    @property
    def furthest(self) -> Attempt:
        """Its latest step."""
        return self.backtest or self.calibrated or self.trained

    @property
    def validated(self) -> bool:
        """Whether it passed every gate of 4.1 to 4.4, or was waved through."""
        return self.backtest is not None and self.backtest.state == "published"


def known_models(ledger: Ledger) -> list[KnownModel]:
    """Every model that was ever judged, newest first, those that were stopped too."""
    trained = [attempt for attempt in ledger.attempts.values() if attempt.asset == TRAINED and attempt.version]
    trained = [attempt for attempt in trained if attempt.state in ("judged", "published")]
    return [_known(ledger, attempt) for attempt in sorted(trained, key=lambda attempt: attempt.seq, reverse=True)]


def model_of(ledger: Ledger, version: str | None) -> KnownModel:
    """The model of that version; by default the newest that is validated.

    Raises UsageError where there is none of that name, or none at all; GateBlocked when each that there is was stopped.
    """
    models = known_models(ledger)
    if version is not None:
        for model in models:
            if model.version == version:
                return model
        there = ", ".join(model.version for model in models) or "none"
        raise UsageError(f"There is no model {version!r}; there are {there}.")
    for model in models:
        if model.validated:
            return model
    if models:
        reasons = "\n".join(f"  - {verdict}" for verdict in stopping(ledger, models[0]))
        raise GateBlocked(
            f"No model has passed every gate. The newest, {models[0].version}, was stopped at "
            f"{models[0].furthest.asset}:\n{reasons}\n  what to do: `leadscore model show {models[0].version}`."
        )
    raise UsageError("No model has been trained here yet: `leadscore train`, or `leadscore run … --through model`.")


def stopping(ledger: Ledger, model: KnownModel) -> list[Verdict]:
    """The verdicts that keep a model from going on; none for one that is validated."""
    return ledger.blocking(model.furthest)


def manifest_digest(attempt: Attempt) -> str:
    """SHA-256 of the manifest of the folder that an attempt made; what it holds is checked against this (R24)."""
    return str(attempt.facts["manifest_sha256"])


def folder_of(attempt: Attempt) -> str:
    """Full name of the folder that it published, or of its candidate when a gate stopped it."""
    ((name, candidate),) = attempt.outputs.items()
    return name if attempt.state == "published" else candidate


def blocks_of(folders: FolderStore, model: KnownModel) -> Mapping[str, list[str]]:
    """Ids of the leads that trained it, calibrated it and were held out (R16), by block; its folder is verified first.

    Raises InputError when a file of it was altered.
    """
    folder = folders.path(folder_of(model.trained))
    verify(folder, manifest_digest(model.trained))
    text = (folder / f"cv_fold_indices_v6_{model.version}.json").read_text(encoding="utf-8")
    content: Mapping[str, list[str]] = json.loads(text)
    return content


def holdout_auc_pr(model: KnownModel) -> float | None:
    """AUC-PR on its holdout, of the scores that ship: the calibrator's; before there is one, those of step 4.1."""
    calibrated = model.calibrated.facts.get("estimates", {}).get("auc_pr") if model.calibrated else None
    found = calibrated[0] if calibrated else model.trained.figures.get("holdout_average_precision")
    return None if found is None else float(found)


def model_line(ledger: Ledger, model: KnownModel, role: str = "") -> ModelLine:
    """What `leadscore model list` says of a model; `role`: what the model ledger says of it."""
    stopped = [verdict.gate.name for verdict in stopping(ledger, model)]
    calibrated = model.calibrated.figures if model.calibrated else {}
    return ModelLine(
        version=model.version,
        state="validated" if model.validated else f"stopped at {model.furthest.asset}" if stopped else "not finished",
        stopped_by=", ".join(stopped),
        cv_auc_pr=model.trained.figures.get("cv_average_precision"),
        holdout_auc_pr=holdout_auc_pr(model),
        ece=calibrated.get("ece"),
        dataset=str(model.trained.facts.get("dataset_version")),
        as_of=str(model.trained.facts.get("as_of")),
        trained_at=f"{model.trained.started_at:%Y-%m-%d %H:%M}" if model.trained.started_at else "",
        role=role,
    )


def _known(ledger: Ledger, trained: Attempt) -> KnownModel:
    calibrated = _made_from(ledger, CALIBRATED, trained)
    backtest = _made_from(ledger, BACKTEST, calibrated) if calibrated else None
    return KnownModel(trained, calibrated, backtest)


def _made_from(ledger: Ledger, asset: str, parent: Attempt) -> Attempt | None:
    """The newest judged attempt at `asset` that was made from the content of `parent`, and from its very attempt."""
    made = [
        attempt
        for attempt in ledger.attempts.values()
        if attempt.asset == asset
        and attempt.state in ("judged", "published")
        and attempt.facts.get("made_from") == parent.key
    ]
    return max(made, key=lambda attempt: attempt.seq, default=None)
