"""The golden schema contracts of the plan's Step 0: one file per table, an array of columns in table order.

Belongs here: what a contract says. Does not belong here: whether a table keeps it (`comparison.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from leadscore_v6.contracts.document import read_document
from leadscore_v6.errors import UsageError
from leadscore_v6.paths import config_root

# The two names that the plan gives are the plan's; the others follow their pattern.
CONTRACT_FILES = {
    "feed": "v6_raw_contract.json",
    "lead": "v6_lead_contract.json",
    "crm_leads": "v6_crm_leads_contract.json",
    "dials": "v6_dials_contract.json",
    "crm_dials": "v6_crm_dials_contract.json",
    "associates": "v6_associates_contract.json",
    "crm_associates": "v6_crm_associates_contract.json",
    "ab_test_power": "v6_ab_test_power_contract.json",
    "ab_test_assignments": "v6_ab_test_assignments_contract.json",
    "ab_test_queue": "v6_ab_test_queue_contract.json",
    "ab_test_daily_metrics": "v6_ab_test_daily_metrics_contract.json",
    "reps": "v6_feature_contract.json",
    "firms": "v6_firm_feature_contract.json",
    "staging": "v6_staging_contract.json",
    "training": "v6_training_contract.json",
    "serving": "v6_serving_contract.json",
    "shadow_scores": "v6_shadow_scores_contract.json",
    "production_scores": "v6_production_scores_contract.json",
    "feature_drift": "v6_feature_drift_contract.json",
    "model_performance": "v6_model_performance_contract.json",
}


@dataclass(frozen=True)
class ContractColumn:
    """One column: its GoogleSQL type, whether NULL may occur, and its role.

    Roles are feature, label, audit, identifier, pii, and reference (kept to look things up, never a feature). `typed`
    is what raw text is read as where the column is text: crd, int64, float64, timestamp (R34, R35, R37); `words` are
    the documented values of a column of words (R36).
    """

    name: str
    bq_type: str
    nullable: bool
    role: str
    description: str
    typed: str | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """The columns of one table, in order; names are unique whatever their case."""

    columns: tuple[ContractColumn, ...]
    path: Path

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in contract order."""
        return tuple(column.name for column in self.columns)

    def with_role(self, role: str) -> tuple[str, ...]:
        """Names of the columns of one role, in contract order."""
        return tuple(column.name for column in self.columns if column.role == role)


def contract(name: str) -> Contract:
    """The contract of one of the product's own tables: a key of `CONTRACT_FILES`. Raises UsageError on another name."""
    if name not in CONTRACT_FILES:
        raise UsageError(f"There is no contract {name!r}; there are {', '.join(CONTRACT_FILES)}.")
    path = config_root() / CONTRACT_FILES[name]
    return _loaded(path, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=len(CONTRACT_FILES))
def _loaded(path: Path, _changed: int) -> Contract:
    """Read again only when the file has changed: a run asks for its contracts dozens of times."""
    return load_contract(path)


def load_contract(path: Path) -> Contract:
    """The contract in `path`. Raises InputError naming file and line if it is malformed, or names a column twice.

    Names that differ only by case are the same column to BigQuery and to DuckDB (R13).
    """
    document = read_document(path, "contract")
    seen: dict[str, str] = {}
    for index, entry in enumerate(document.content):
        name = entry["name"]
        if name.lower() in seen:
            raise document.refusal(f"column {name} is there already, as {seen[name.lower()]}", [index, "name"])
        seen[name.lower()] = name
    return Contract(tuple(_column(entry) for entry in document.content), path)


def _column(entry: dict[str, Any]) -> ContractColumn:
    return ContractColumn(
        name=entry["name"],
        bq_type=entry["bq_type"],
        nullable=entry["nullable"],
        role=entry["role"],
        description=entry["description"],
        typed=entry.get("typed"),
        words=tuple(entry.get("words", ())),
    )
