"""What monitoring holds the present against: the champion, the bins frozen from its training set, leads of a window.

Belongs here: from ledger, folders and warehouse to values of monitoring/. Does not belong here: judging them.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.code import code_digest
from leadscore_v6.assets.model.data import (
    contract_version,
    model_columns,
    promoted_columns,
    read_training_data,
    reason_words,
)
from leadscore_v6.assets.training_set import LABEL_WINDOW_DAYS, tie_breakers
from leadscore_v6.contracts import contract
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.champions import Reign
from leadscore_v6.gates.decisions import PROMOTED, TRAINING
from leadscore_v6.gates.models import blocks_of, folder_of, manifest_digest
from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.monitoring.cohorts import ASSUMED, DIALLED
from leadscore_v6.monitoring.psi import SCORE, Reference, freeze, freeze_numbers
from leadscore_v6.monitoring.settings import DriftSettings
from leadscore_v6.paths import sql_root
from leadscore_v6.warehouse.protocol import Warehouse
from leadscore_v6.warehouse.sql import render

LEADS = "feature_drift_v6/leads.sql"
# What decides a row of drift or performance besides the champion, the leads and the configuration: of the model's code
# what scores, and what measures.
_CODE = ("monitoring/*.py", "assets/monitoring/*.py", "assets/tables.py", "modeling/*.py", "artifacts/models.py")
_TABLES = ("feature_drift", "model_performance")


def champion_scorer(bench: Bench, reign: Reign) -> LeadScorer:
    """The champion, verified and loaded. Raises InputError when its files are not what was published."""
    made = reign.calibrated
    folder = bench.folders.path(folder_of(made))
    return load_scorer(folder, manifest_digest(made), str(made.version), reason_words(), contract_version())


@dataclass(frozen=True)
class Frozen:
    """Bins of the champion's features from the leads that trained it, and of its score from the holdout's (R30).

    features_of, score_of: whose they are, DIALLED (by the log) or ASSUMED (everybody contacted, before there was one):
    who is dialled is chosen, by score if the model's queue is followed, so that one kind says nothing of the other.
    """

    features: tuple[Reference, ...]
    score: Reference
    features_of: str
    score_of: str


def references(bench: Bench, reign: Reign, scorer: LeadScorer, settings: DriftSettings) -> Frozen:
    """Freeze them from the champion's training set; a block with leads of both kinds gives those of the greater.

    Raises UsageError when its training set has expired, InputError when a file of the model was altered.
    """
    table = f"{TRAINING}_{reign.model.trained.facts['dataset_version']}"
    if not bench.warehouse.exists(f"{bench.warehouse.dataset}.{table}"):
        raise UsageError(
            f"The training set of the champion {reign.version} has expired ({table}): nothing can be held against it.\n"
            "  what to do: restore it from a backup (`leadscore restore`), or renew the model (`leadscore refresh`)."
        )
    data, blocks = read_training_data(bench.warehouse, table), blocks_of(bench.folders, reign.model)
    ids = data.lead_ids.astype(str)
    is_logged = np.isin(ids, _logged(bench.warehouse, table))
    trained, features_of = of_one_kind(np.flatnonzero(np.isin(ids, blocks["training"])), is_logged)
    held_out, score_of = of_one_kind(np.flatnonzero(np.isin(ids, blocks["holdout"])), is_logged)
    # As in the month that is held against it: an advisor with two leads would make a common level of its own rare one.
    trained, held_out = (rows[newest_of_each(data.advisors[rows])] for rows in (trained, held_out))
    of_model = set(map(str, scorer.get_feature_names_out()))
    columns = [column for column in model_columns() if column.name in of_model]
    scores = scorer.predict_proba(data.features.iloc[held_out])[:, 1]
    frozen = freeze(data.features.iloc[trained], columns, settings)
    return Frozen(frozen, freeze_numbers(scores, SCORE, settings), features_of, score_of)


def of_one_kind(rows: np.ndarray, is_logged: np.ndarray) -> tuple[np.ndarray, str]:
    """Of `rows` those whose dial is in the log, or those of which it is assumed, whichever are more; and which."""
    logged = is_logged[rows]
    return (rows[logged], DIALLED) if 2 * logged.sum() > len(rows) else (rows[~logged], ASSUMED)


def _logged(warehouse: Warehouse, table: str) -> np.ndarray:
    """Ids of the training set's leads whose dial was in the log; none in one of an older contract."""
    if "dial_source" not in promoted_columns(warehouse, table)["contract_columns"]:
        return np.empty(0, dtype=str)
    name, asked = f"{warehouse.dataset}.{table}", ["Id", "dial_source"]
    found = warehouse.frame(render(f"{PROMOTED}/rows.sql", {"training": name}, {"contract_columns": asked}))
    logged: np.ndarray = found.loc[found["dial_source"] == "logged", "Id"].to_numpy(dtype=str)
    return logged


@dataclass(frozen=True)
class Entered:
    """Leads that entered Contacting in a window, and what the champion says of each.

    frame: Id, FA_CRD__c, contact_date, days_to_conversion, the model's features and called_on, in order of contact;
    score (n,).
    """

    frame: pd.DataFrame
    score: np.ndarray


def entered(bench: Bench, scorer: LeadScorer, first: date, last: date) -> Entered:
    """Leads contacted from `first` to `last`, with what was known of each on its day and of calls by `last` (R9)."""
    frame = bench.warehouse.frame(leads_sql(bench, scorer), _params(first, last))
    names = ["Id", "FA_CRD__c", "contact_date", "days_to_conversion", *_features(scorer)]
    # Without rows an engine may give no columns; engines differ in case.
    frame = frame.set_axis(names, axis=1) if len(frame.columns) else pd.DataFrame(columns=names)
    score = scorer.predict_proba(frame)[:, 1] if len(frame) else np.empty(0)
    until_call = pd.to_timedelta(pd.to_numeric(frame["days_to_conversion"]).astype(float), unit="D")
    return Entered(frame.assign(called_on=pd.to_datetime(frame["contact_date"]) + until_call), score)


def leads_sql(bench: Bench, scorer: LeadScorer) -> str:
    """The text that reads them."""
    dataset = bench.warehouse.dataset
    tables = {
        "crm": f"{dataset}.crm_leads",
        "reps_vintages": f"{dataset}.v_discovery_reps_all_vintages",
        "firms_vintages": f"{dataset}.v_discovery_firms_all_vintages",
    }
    return render(LEADS, tables, {"tie_breakers": tie_breakers(), "features": _features(scorer)})


@lru_cache(maxsize=1)
def monitoring_code_hash() -> str:
    """Digest of the code, the SQL with its checks, and the contracts that decide a row and its verdicts (R38)."""
    texts = [file for table in _TABLES for file in sorted((sql_root() / f"{table}_v6").glob("*.sql"))]
    return code_digest(_CODE, files=[*texts, *(contract(table).path for table in _TABLES)])


def earlier_months(bench: Bench, asset: str, key: str) -> dict[str, str]:
    """Content of the published months before `key`, the newest twelve: a page shows them beside it."""
    attempts = {str(one): bench.ledger.latest(asset, one) for one in bench.ledger.keys(asset) if str(one) < key}
    known = {one: made.content_key for one, made in attempts.items() if made is not None and made.state == "published"}
    return dict(sorted(known.items())[-12:])


def newest_of_each(advisors: pd.Series | np.ndarray) -> np.ndarray:
    """Places of each advisor's newest lead; `advisors` are of leads in order of contact."""
    places: np.ndarray = np.flatnonzero(~pd.Series(advisors).duplicated(keep="last").to_numpy())
    return places



def days_before(day: date, count: int) -> tuple[date, date]:
    """First and last of the `count` days before `day`."""
    return day - timedelta(days=count), day - timedelta(days=1)


def _features(scorer: LeadScorer) -> list[str]:
    return list(dict.fromkeys([*map(str, scorer.get_feature_names_out()), scorer.segment_column]))


def _params(first: date, last: date) -> dict[str, object]:
    return {
        "first_day": first,
        "as_of": last,
        "label_window_days": LABEL_WINDOW_DAYS,
        "entry_lag_days": -LABEL_WINDOW_DAYS,
    }
