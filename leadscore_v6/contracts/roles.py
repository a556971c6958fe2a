"""Which columns a model may see: an allow-list of role `feature`, with the PII droplist asserted on top (R8, R23).

Belongs here: column names. Does not belong here: dropping columns from a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from leadscore_v6.contracts.contract import Contract
from leadscore_v6.contracts.document import load_document
from leadscore_v6.errors import InputError
from leadscore_v6.paths import config_root

DROPLIST_FILE = "v6_pii_droplist.json"


def pii_droplist(path: Path | None = None) -> tuple[str, ...]:
    """Names that may never be a feature, from `config/v6_pii_droplist.json` (plan step 4.2).

    Raises InputError naming file and line if the file is malformed.
    """
    path = path or config_root() / DROPLIST_FILE
    return _loaded(path, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=2)
def _loaded(path: Path, _changed: int) -> tuple[str, ...]:
    """Read again only when the file has changed, as contracts are: every table that is audited is held against it."""
    return tuple(load_document(path, "pii_droplist"))


def feature_columns(training: Contract, droplist: Iterable[str] | None = None) -> tuple[str, ...]:
    """The model's columns: role `feature` of the training contract, in contract order.

    An allow-list: a column that the contract does not know, or knows under another role, is not in it. Raises
    InputError if a feature is on the droplist (by default the product's own).
    """
    features = training.with_role("feature")
    assert_no_pii(features, pii_droplist() if droplist is None else droplist, file=str(training.path))
    return features


def assert_no_pii(columns: Iterable[str], droplist: Iterable[str], file: str | None = None) -> None:
    """Raise InputError naming every column that is on the droplist, whatever its case (R23)."""
    dropped = {name.lower() for name in droplist}
    leaked = [name for name in columns if name.lower() in dropped]
    if leaked:
        raise InputError(
            f"Columns of the PII droplist would reach the model: {', '.join(leaked)}.",
            file=file,
            remedy="give them another role than feature in the contract",
        )
