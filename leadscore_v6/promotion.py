"""A challenger against the champion, on leads that neither was made from: what R31 is decided on, and the promotion.

Belongs here: getting the leads, the two models and their figures together. Does not belong here: the comparison
(monitoring/champion.py), the conditions and the ledger's line (gates/champions.py), commands (cli_production.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import verify
from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.model.data import contract_version, model_columns, read_training_data, reason_words
from leadscore_v6.assets.training_set import LABEL_WINDOW_DAYS
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates import champions
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.bench import open_bench, read_ledger, require_home
from leadscore_v6.gates.champions import Reign, champion
from leadscore_v6.gates.decisions import TRAINING
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.models import KnownModel, blocks_of, folder_of, manifest_digest, model_of
from leadscore_v6.modeling.columns import checked
from leadscore_v6.modeling.data import CONTACT, ID, TrainingData
from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.modeling.splits import Rows
from leadscore_v6.monitoring.champion import Contender, Decision, Evidence, Holdout, decide
from leadscore_v6.monitoring.comparable import Came, Comparable, comparable
from leadscore_v6.monitoring.settings import monitoring_settings
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.sql import render

Progress = Callable[[str], None]
Pair = tuple[LeadScorer, LeadScorer]  # champion and challenger
Floats = NDArray[np.float64]
# What a model was fitted or calibrated on: leads of these blocks, and their advisors, say nothing about it.
_LEARNED = ("training", "calibration")


def promote(settings: Settings, version: str, by: str, reason: str, progress: Progress) -> Reign:
    """Make a model champion, past every condition. Raises as `gates.champions.promote`; UsageError on no such model."""
    require_home(settings)
    with open_bench(settings, "leadscore promote", progress) as bench:
        model = model_of(bench.ledger, version)
        decision = against_champion(bench, model, progress)
        return champions.promote(bench, model, decision, by, reason)


def obstacles(settings: Settings, version: str) -> list[str]:
    """What keeps a model from being champion, before it is compared with the one that there is. For a reader."""
    ledger, _ = read_ledger(settings)
    return champions.obstacles(ledger, model_of(ledger, version))


def against_champion(bench: Bench, challenger: KnownModel, progress: Progress = lambda _line: None) -> Decision | None:
    """R31's decision about a validated model; None where there is no champion, or nothing to compare yet.

    Both score the leads of the challenger's holdout that are later than both cut-offs, by advisors that neither learned
    from; where the champion's order chose whom to dial, those alone that both would have had dialled. A champion that
    is as published and that this program cannot read any more (another contract, another series of xgboost) is a
    condition that does not hold. Raises InputError when files are not what was published.
    """
    reign = champion(bench.ledger)
    if reign is None or not challenger.validated or reign.version == challenger.version:
        return None
    table = _training_table(challenger)
    if not bench.warehouse.exists(f"{bench.warehouse.dataset}.{table}"):
        raise UsageError(f"The training set of model {challenger.version} has expired ({table}): train again.")
    progress(f"scoring leads later than {reign.version} and {challenger.version} were made from, with both")
    contenders = _contender(reign.model), _contender(challenger)
    verify(bench.folders.path(folder_of(reign.calibrated)), reign.digest)
    try:
        serving = _scorer(bench.folders, reign.model)
    except InputError as unreadable:
        holdout: Holdout | str = unreadable.what
        found: Comparable | None = None
    else:
        data = read_training_data(bench.warehouse, table)
        scorers = serving, _scorer(bench.folders, challenger)
        cut_off = max(one.cut_off for one in contenders)
        rows = _unseen(bench.folders, data, (reign.model, challenger), cut_off)
        rows, found = _comparable(bench, challenger, data, rows, scorers, cut_off)
        scores = _scores(scorers, data.features.iloc[rows])
        holdout = Holdout(data.label[rows], data.advisors[rows], data.contact[rows], *scores)
    settings = monitoring_settings()
    evidence = Evidence(holdout, _shadow_holds(bench.ledger, challenger), found)
    return decide(contenders, evidence, contenders[1].as_of, settings.champion, settings.seed)


def _training_table(model: KnownModel) -> str:
    return f"{TRAINING}_{model.trained.facts['dataset_version']}"


def _unseen(folders: FolderStore, data: TrainingData, models: tuple[KnownModel, ...], cut_off: date) -> Rows:
    learned = np.isin(data.lead_ids.astype(str), [lead for one in models for lead in _leads(folders, one, _LEARNED)])
    is_later = data.contact > np.datetime64(cut_off, "D")
    holdout = np.isin(data.lead_ids.astype(str), _leads(folders, models[-1], ("holdout",)))
    known_advisor = np.isin(data.advisors, data.advisors[learned])
    return np.flatnonzero(holdout & is_later & ~known_advisor)


def _comparable(
    bench: Bench, challenger: KnownModel, data: TrainingData, rows: Rows, scorers: Pair, cut_off: date
) -> tuple[Rows, Comparable | None]:
    """Of these rows those that favour neither model, told by all leads that came when they did, dialled or not (R50).

    None, and all rows, where the table of those has expired, or there is no row.
    """
    training = bench.ledger.serving(f"{bench.warehouse.dataset}.{_training_table(challenger)}")
    assert training is not None, "it was read just now"
    staging = training.facts["staging"]
    if not len(rows) or not bench.warehouse.exists(staging):
        return rows, None
    params = {
        "as_of": date.fromisoformat(training.facts["as_of"]),
        "label_window_days": LABEL_WINDOW_DAYS,
        "entry_lag_days": -LABEL_WINDOW_DAYS,
        "after": cut_off,
        "until": data.contact[rows].max().astype(object),
    }
    came = bench.warehouse.frame(render(f"{TRAINING}/came.sql", {"staging": staging}), params)
    # Of whom nobody can tell whether they were dialled: neither in the training set, nor in the shares here (R50).
    came = came[came["dial_source"] != "unknown"]
    features = pd.DataFrame({column.name: checked(came[column.name], column) for column in model_columns()})
    contact = pd.to_datetime(came[CONTACT]).to_numpy().astype("datetime64[D]")
    dialled = (came["dial_source"] != "none").to_numpy(dtype=bool)
    found = comparable(Came(contact, dialled, *_scores(scorers, features)))
    is_in = np.isin(data.lead_ids[rows].astype(str), came[ID].to_numpy(dtype=str)[found.leads])
    return rows[is_in], found


def _scores(scorers: Pair, features: pd.DataFrame) -> tuple[Floats, Floats]:
    """By champion and challenger, of the same leads."""
    champion, challenger = (scorer.predict_proba(features)[:, 1] for scorer in scorers)
    return champion, challenger


def _leads(folders: FolderStore, model: KnownModel, blocks: tuple[str, ...]) -> list[str]:
    content = blocks_of(folders, model)
    return [lead for block in blocks for lead in content[block]]


def _contender(model: KnownModel) -> Contender:
    assert model.calibrated is not None, "it is validated"
    facts, figures = model.trained.facts, model.trained.figures
    (calibration,) = (block for block in facts["blocks"] if block["block"] == "calibration")
    return Contender(
        version=model.version,
        as_of=date.fromisoformat(facts["as_of"]),
        cut_off=date.fromisoformat(calibration["to"]),
        ece=float(model.calibrated.figures["ece"]),
        train_test_gap=float(figures["train_test_gap"]),
        cv_coefficient=float(figures["cv_coefficient"]),
    )


def _scorer(folders: FolderStore, model: KnownModel) -> LeadScorer:
    """The calibrated model; its files are verified before one is read."""
    assert model.calibrated is not None, "it is validated"
    made = model.calibrated
    folder = folders.path(folder_of(made))
    return load_scorer(folder, manifest_digest(made), str(made.version), reason_words(), contract_version())


def _shadow_holds(ledger: Ledger, model: KnownModel) -> bool | None:
    shadow = champions.shadow_of(ledger, model)
    return None if shadow is None else shadow.state == "published" and not ledger.blocking(shadow)
