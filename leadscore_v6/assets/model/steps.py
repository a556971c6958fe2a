"""Steps 4.1, 4.3 and 4.4 on the promoted training set: train, calibrate, backtest.

A model is a folder of files: built as a candidate, read back and judged, published whole (artifacts/folders.py).
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from leadscore_v6.artifacts.folders import PREFIX
from leadscore_v6.artifacts.manifest import verify
from leadscore_v6.artifacts.models import (
    Origin,
    backtest_files,
    calibrated_files,
    load_trained,
    save_backtest,
    save_calibrated,
    save_trained,
    trained_files,
)
from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.model import audit
from leadscore_v6.assets.model.data import (
    contract_version,
    dropped_columns,
    model_code_hash,
    model_settings,
    read_training_data,
    reason_words,
)
from leadscore_v6.assets.model.facts import backtest_facts, calibration_facts, training_facts
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.decisions import PROMOTED, TRAINING
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.models import BACKTEST, CALIBRATED, TRAINED, folder_of, manifest_digest
from leadscore_v6.modeling.backtest import backtest as refit_over_time
from leadscore_v6.modeling.calibrated import calibrate
from leadscore_v6.modeling.scorer import build_scorer
from leadscore_v6.modeling.splits import membership
from leadscore_v6.modeling.training import train
from leadscore_v6.resources import RunOptions, WarehouseResource

Progress = Callable[[str], None]
_log = logging.getLogger(__name__)


@plan_asset(TRAINED)
def trained_model(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Step 4.1: XGBoost and a logistic baseline, cross-validated in time, judged on a holdout later than both."""
    with stops():
        guard(warehouse.bench.ledger, TRAINED, None)
        _require_intact(warehouse.bench, *([] if options.rebuild else [TRAINED]))
        work = _training(warehouse.bench, _progress(context), _workers(warehouse))
    yield from carry_out(context, warehouse, options, work, Told())


@plan_asset(CALIBRATED)
def calibrated_model(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Step 4.3: calibrators on the block after training, judged on the holdout after that."""
    with stops():
        guard(warehouse.bench.ledger, CALIBRATED, None)
        _require_intact(warehouse.bench, TRAINED, *([] if options.rebuild else [CALIBRATED]))
        work = _calibration(warehouse.bench, _progress(context), _workers(warehouse))
    yield from carry_out(context, warehouse, options, work, Told())


@plan_asset(BACKTEST)
def backtest(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """Step 4.4: model and calibrator fitted anew in every period, each judged on the period after it."""
    with stops():
        guard(warehouse.bench.ledger, BACKTEST, None)
        _require_intact(warehouse.bench, TRAINED, CALIBRATED, *([] if options.rebuild else [BACKTEST]))
        work = _backtest(warehouse.bench, _progress(context), _workers(warehouse))
    yield from carry_out(context, warehouse, options, work, Told())


def _training(bench: Bench, progress: Progress, workers: int) -> Work:
    settings, words = model_settings(), reason_words()
    promoted = _latest(bench, PROMOTED)
    kept: list[tuple[Any, Any]] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        origin, folder = _origin(bench, candidates), _begin(bench, candidates)
        progress("reading the promoted training set")
        data = read_training_data(bench.warehouse)
        training = train(data, settings, workers=workers, progress=progress)
        digest = save_trained(folder, data, training, settings, origin)
        kept.append((data, training))
        facts = training_facts(data, training, settings, words)
        dropped = dropped_columns()
        progress(f"left out by the PII droplist: {', '.join(dropped)}")
        made = _made(origin, promoted, digest)
        return {**made, "as_of": promoted.facts["as_of"], "on_the_droplist": dropped, **facts}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        (data, training), folder = kept.pop(), _path(bench, candidates)
        digest, version = audit.manifest_of(folder), _version(candidates)
        return {
            **training.figures(),
            **audit.split_figures(folder, version, data, training),
            **audit.trained_figures(folder, version, data, training),
            "files_unverified": len(audit.unverified(folder, digest, trained_files(version))),
        }

    inputs = {"code": model_code_hash(), "settings": settings.as_dict(), "contract": contract_version()}
    return Work(TRAINED, None, inputs, (_name(TRAINED),), build, measure, version=f"{bench.clock():%Y%m%d}")


def _calibration(bench: Bench, progress: Progress, workers: int) -> Work:
    trained, words = _latest(bench, TRAINED), reason_words()
    kept: list[tuple[Any, Any]] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        origin, folder = _origin(bench, candidates), _begin(bench, candidates)
        progress("reading the promoted training set, and the trained model as its manifest has it")
        data = read_training_data(bench.warehouse)
        loaded = load_trained(
            bench.folders.path(folder_of(trained)), manifest_digest(trained), str(trained.version), data
        )
        progress("calibrators of the segments, and the null of their error")
        calibration = calibrate(data, loaded.split, loaded.model, loaded.settings, workers=workers)
        scorer = build_scorer(
            loaded.model, calibration, words, dataset=origin.dataset, contract_version=origin.contract_version
        )
        digest = save_calibrated(folder, scorer, origin)
        kept.append((data, calibration))
        facts = calibration_facts(data, calibration, loaded.model, loaded.settings, words)
        blocks = {"calibration": _block(trained, "calibration")}
        return {**_made(origin, trained, digest), **blocks, **facts}

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        (data, calibration), folder = kept.pop(), _path(bench, candidates)
        digest, version = audit.manifest_of(folder), _version(candidates)
        membership_of = bench.folders.path(folder_of(trained))
        return {
            **calibration.figures(),
            "leads_in_two_blocks": audit.leads_in_two_blocks(membership_of, str(trained.version)),
            "scores_differing": audit.scores_differing(folder, version, data, calibration.holdout, words),
            "files_unverified": len(audit.unverified(folder, digest, calibrated_files(version))),
        }

    inputs = {"code": model_code_hash()}
    return Work(CALIBRATED, None, inputs, (_name(CALIBRATED),), build, measure, version=trained.version)


def _backtest(bench: Bench, progress: Progress, workers: int) -> Work:
    calibrated, trained = _latest(bench, CALIBRATED), _latest(bench, TRAINED)
    settings = model_settings()

    kept: list[Any] = []

    def build(candidates: Candidates) -> Mapping[str, Any]:
        origin, folder = _origin(bench, candidates), _begin(bench, candidates)
        data = read_training_data(bench.warehouse)
        found = refit_over_time(data, settings, workers=workers, progress=progress)
        periods = membership(data, tuple(fold.block for fold in found.folds))
        digest = save_backtest(folder, found.business_impact(), periods, origin)
        kept.append(found)
        return {
            **_made(origin, calibrated, digest),
            **backtest_facts(data, found, settings),
            "dials": _dials(bench, origin),
            "trained": trained.facts,
            "calibrated": calibrated.facts,
            "verdicts": {attempt.asset: attempt.figures for attempt in (trained, calibrated)},
        }

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        digest = audit.manifest_of(_path(bench, candidates))
        missing = audit.unverified(_path(bench, candidates), digest, backtest_files(_version(candidates)))
        return {**kept.pop().figures(), "files_unverified": len(missing)}

    inputs = {"code": model_code_hash(), "settings": settings.as_dict()}
    return Work(BACKTEST, None, inputs, (_name(BACKTEST),), build, measure, version=calibrated.version)


def _require_intact(bench: Bench, *assets: str) -> None:
    """Raise InputError when a published folder is not what was published: it must not be taken for known (R24)."""
    for asset in assets:
        attempt = bench.ledger.latest(asset)
        if attempt is not None and attempt.state == "published" and bench.folders.exists(folder_of(attempt)):
            verify(bench.folders.path(folder_of(attempt)), manifest_digest(attempt))


# --- pieces ---------------------------------------------------------------------------------------------------------


def _latest(bench: Bench, asset: str) -> Attempt:
    attempt = bench.ledger.latest(asset)
    assert attempt is not None, "the guard has passed"
    return attempt


def _name(asset: str) -> str:
    return f"{PREFIX}{asset}_v6_{{version}}"


def _version(candidates: Candidates) -> str:
    (name,) = candidates
    return name.rpartition("_v6_")[2]


def _path(bench: Bench, candidates: Candidates) -> Any:
    (candidate,) = candidates.values()
    return bench.folders.path(candidate)


def _begin(bench: Bench, candidates: Candidates) -> Any:
    (candidate,) = candidates.values()
    return bench.folders.begin(candidate)


def _origin(bench: Bench, candidates: Candidates) -> Origin:
    (candidate,) = candidates.values()
    version = str(_latest(bench, PROMOTED).facts["promoted_version"])
    key = candidate.rpartition("__")[2]
    content = _training_set(bench, version).content_key
    return Origin(key, _version(candidates), content, version, contract_version())


def _training_set(bench: Bench, version: str) -> Attempt:
    attempts = bench.ledger.attempts.values()
    (found,) = (attempt for attempt in attempts if attempt.asset == TRAINING and attempt.version == version)
    return found


def _dials(bench: Bench, origin: Origin) -> dict[str, int]:
    """What the log of dials said of the training set's leads (R50): whose dial it has, and who was left out by it."""
    training = _training_set(bench, origin.dataset_version)
    staging = bench.ledger.serving(training.facts["staging"])
    assert staging is not None, "the training set was made from it"
    return {
        "logged": int(staging.figures["leads_dial_logged"]),
        "undialled": int(training.figures["dropped_undialled"]),
        "unknown": int(training.figures["dropped_dial_unknown"]),
    }


def _made(origin: Origin, parent: Attempt, digest: str) -> dict[str, Any]:
    """What every folder's attempt keeps: what it was made from, and the digest that its files are checked against."""
    return {
        "dataset_version": origin.dataset_version,
        "dataset": origin.dataset,
        "contract_version": origin.contract_version,
        "made_from": parent.key,
        "manifest_sha256": digest,
    }


def _block(trained: Attempt, name: str) -> Mapping[str, Any]:
    (found,) = (block for block in trained.facts["blocks"] if block["block"] == name)
    return dict(found)


def _progress(context: dg.AssetExecutionContext) -> Progress:
    def tell(line: str) -> None:
        context.log.info(line)
        # The command line shows these; Dagster's own lines stay in its log.
        _log.info(line)

    return tell


def _workers(warehouse: WarehouseResource) -> int:
    return warehouse.settings.threads or os.cpu_count() or 1
