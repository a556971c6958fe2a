"""What scoring reads: a validated model with all that belongs to it, the serving copy, the leads of a day.

Belongs here: from ledger, folders and warehouse to values of serving/ and modeling/. Does not belong here: what a step
builds or judges. Production and the experiment score leads by the same functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import pandas as pd

from leadscore_v6.artifacts.folders import PREFIX
from leadscore_v6.artifacts.models import load_baseline, load_scorer
from leadscore_v6.assets.code import code_digest
from leadscore_v6.assets.model.data import contract_version, reason_words
from leadscore_v6.assets.training_set import LABEL_WINDOW_DAYS, tie_breakers
from leadscore_v6.contracts import Contract, contract, load_document
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.champions import Reign, champion
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.models import BACKTEST, KnownModel, folder_of, known_models, manifest_digest
from leadscore_v6.modeling.baseline import Baseline
from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.paths import config_root
from leadscore_v6.serving import ServingCopy, open_copy
from leadscore_v6.serving.settings import SCORING_FILE, ScoringSettings
from leadscore_v6.warehouse.sql import render

SERVING, SCORES, SHADOW = "serving_advisors_v6", "shadow_scores_v6", "shadow_scoring"
NO_CHAMPION, IS_CHAMPION = "none", "this model"
# What decides a score's row besides its model, its features and the configuration.
_SCORING_PATH = ("serving/*.py", "assets/shadow/*.py", "monitoring/health.py", "monitoring/holm.py")


@dataclass(frozen=True)
class LoadedModel:
    """A model that passed its gates, verified and ready to score.

    top: its features that move scores most, with their missing share in training, first things first (R40).
    """

    known: KnownModel
    scorer: LeadScorer
    top: Mapping[str, float]

    @property
    def version(self) -> str:
        """`YYYYMMDD`, as its folders have it."""
        return self.known.version


def newest_model(bench: Bench) -> KnownModel:
    """The model whose backtest is the latest: what the guard has asked."""
    backtest = bench.ledger.latest(BACKTEST)
    (known,) = (model for model in known_models(bench.ledger) if model.backtest is backtest)
    return known


def champion_beside(bench: Bench, known: KnownModel) -> Reign | None:
    """The model that serves, to be compared with; None while none does, and where it is this very one."""
    reign = champion(bench.ledger)
    return None if reign is None or reign.calibrated is known.calibrated else reign


def champion_word(bench: Bench, known: KnownModel) -> str:
    """The version of the champion that a model is compared with, or why there is none."""
    beside = champion_beside(bench, known)
    if beside is not None:
        return beside.version
    return NO_CHAMPION if champion(bench.ledger) is None else IS_CHAMPION


def load_model(bench: Bench, known: KnownModel, top: int) -> LoadedModel:
    """Load it from its verified folders; `top` features are watched. Raises InputError when a file was altered."""
    trained, calibrated = known.trained, known.calibrated
    assert calibrated is not None, "a validated model is a calibrated one"
    scorer = load_scorer(
        bench.folders.path(folder_of(calibrated)),
        manifest_digest(calibrated),
        str(calibrated.version),
        reason_words(),
        contract_version(),
    )
    shares = scorer.missing_shares
    first = [row["feature"] for row in trained.facts["importance"][:top]]
    return LoadedModel(known, scorer, {name: shares[name] for name in first})


def load_baseline_of(bench: Bench, known: KnownModel) -> Baseline:
    """The baseline that stands beside a model in the shadow, and nowhere else. Raises InputError as `load_baseline`."""
    trained = known.trained
    return load_baseline(bench.folders.path(folder_of(trained)), manifest_digest(trained), str(trained.version))


def open_serving(bench: Bench) -> ServingCopy:
    """The published serving copy, verified. Raises InputError when its file was altered."""
    attempt = latest(bench, SERVING)
    (folder,) = (name for name in attempt.outputs if name.startswith(PREFIX))
    return open_copy(bench.folders.path(folder), manifest_digest(attempt))


def served_day(bench: Bench) -> date:
    """The newest snapshot in the serving copy: from that day on it serves leads (R2)."""
    return date.fromisoformat(latest(bench, SERVING).facts["as_of"])


def features_sql(bench: Bench, text: str) -> str:
    """`query.sql` (all advisors) or `day.sql` (those of a day's leads) of the serving copy's folder, rendered."""
    dataset = bench.warehouse.dataset
    tables = {
        "reps_vintages": f"{dataset}.v_discovery_reps_all_vintages",
        "firms_vintages": f"{dataset}.v_discovery_firms_all_vintages",
        **({"crm": f"{dataset}.crm_leads"} if text == "day.sql" else {}),
    }
    lists = {"tie_breakers": tie_breakers(), "contract_columns": contract("serving").names}
    return render(f"{SERVING}/{text}", tables, lists)


def features_params(day: date) -> dict[str, Any]:
    """Parameters of both: known on `day`, and no lead too young."""
    return {"as_of": day, "label_window_days": LABEL_WINDOW_DAYS, "entry_lag_days": -LABEL_WINDOW_DAYS}


def features_of_day(bench: Bench, day: date) -> pd.DataFrame:
    """What was known on `day` of the advisors of that day's leads, and the unmatched row; joined anew (R2)."""
    frame = bench.warehouse.frame(features_sql(bench, "day.sql"), features_params(day))
    return named(frame, contract("serving"))


def named(frame: pd.DataFrame, agreed: Contract) -> pd.DataFrame:
    """A frame of a contract's columns in its order, named as the contract spells them: engines differ in case.

    Without rows an engine may give no columns either.
    """
    names = list(agreed.names)
    return frame.set_axis(names, axis=1) if len(frame.columns) else pd.DataFrame(columns=names)


def column_types(agreed: Contract) -> dict[str, str]:
    """GoogleSQL type by column, in contract order."""
    return {column.name: column.bq_type for column in agreed.columns}


def scoring_settings() -> ScoringSettings:
    """`config/v6_scoring.yaml`, checked. Raises InputError with file and line."""
    return ScoringSettings.of(load_document(config_root() / SCORING_FILE, "scoring"))


def latest(bench: Bench, asset: str, partition: str | None = None) -> Attempt:
    """The latest attempt at a step that the guard has asked."""
    attempt = bench.ledger.latest(asset, partition)
    assert attempt is not None, "the guard has passed"
    return attempt


@lru_cache(maxsize=1)
def scoring_code_hash() -> str:
    """Digest of the code that decides a score's row (R38); the model's own is in its content."""
    return code_digest(_SCORING_PATH)
