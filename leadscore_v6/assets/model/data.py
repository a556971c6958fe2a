"""What the model's steps read: the promoted training set, the contract that says what a feature is, the settings.

Belongs here: from warehouse and configuration to values of modeling/. Does not belong here: fitting or judging.
"""

import hashlib
import json
from functools import lru_cache

from leadscore_v6.artifacts.models import libraries
from leadscore_v6.assets.code import code_digest
from leadscore_v6.contracts import contract, feature_columns, load_document, pii_droplist
from leadscore_v6.gates.decisions import PROMOTED
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.modeling.data import TrainingData, training_data
from leadscore_v6.modeling.explain import REASON_WORDS_FILE, Words
from leadscore_v6.modeling.settings import MODEL_FILE, ModelSettings
from leadscore_v6.paths import config_root
from leadscore_v6.warehouse.protocol import Warehouse
from leadscore_v6.warehouse.sql import render

# What decides a model's content besides its data and settings.
_MODEL_PATH = ("modeling/*.py", "artifacts/*.py", "assets/model/*.py")


def read_training_data(warehouse: Warehouse, table: str = PROMOTED) -> TrainingData:
    """The promoted view (plan, step 4.1), or `table`, the version that a model was made from.

    Raises InputError where it cannot be trained on.
    """
    name = f"{warehouse.dataset}.{table}"
    sql = render(f"{PROMOTED}/rows.sql", {"training": name}, promoted_columns(warehouse, table))
    return training_data(warehouse.frame(sql), model_columns(), pii_droplist())


def promoted_columns(warehouse: Warehouse, table: str = PROMOTED) -> dict[str, list[str]]:
    """What the texts that read the promoted view (or `table`) list: the contract's columns, in its order and spelling.

    A rollback may serve a version of an older contract: what that one lacks is not asked for, and is missed by whoever
    needs it, by name.
    """
    there = {column.name.lower() for column in warehouse.columns(f"{warehouse.dataset}.{table}")}
    return {"contract_columns": [name for name in contract("training").names if name.lower() in there]}


def model_columns() -> tuple[FeatureColumn, ...]:
    """The contract's columns of role feature, in its order; none of them on the PII droplist (R8, R23)."""
    agreed = contract("training")
    known = {column.name: column for column in agreed.columns}
    return tuple(FeatureColumn(name, known[name].bq_type, known[name].description) for name in feature_columns(agreed))


def dropped_columns() -> list[str]:
    """Columns of the training set that are on the PII droplist: what plan step 4.2 wants named when it is left out."""
    dropped = {name.lower() for name in pii_droplist()}
    return [name for name in contract("training").names if name.lower() in dropped]


def contract_version() -> str:
    """Twelve digits that change when what a model may see does: a feature's name or type, or their order.

    Audit columns are no part of it: a champion goes on scoring when the training set says more about itself.
    """
    agreed = [(column.name, column.type) for column in model_columns()]
    return hashlib.sha256(json.dumps(agreed).encode()).hexdigest()[:12]


def model_settings() -> ModelSettings:
    """`config/v6_model.yaml`, checked. Raises InputError with file and line, UsageError on shares that cannot be."""
    return ModelSettings.of(load_document(config_root() / MODEL_FILE, "model"))


def reason_words() -> Words:
    """`config/v6_reason_words.yaml`, checked: families of features, and how a value is said to a person."""
    return Words.of(load_document(config_root() / REASON_WORDS_FILE, "reason_words"))


@lru_cache(maxsize=1)
def model_code_hash() -> str:
    """Digest of the code and the libraries that decide a model's content (R38)."""
    return code_digest(_MODEL_PATH, libraries())
