"""Where the product's own files are: the SQL and the configuration that ship with the code.

Belongs here: finding `sql/` and `config/`. Does not belong here: where a user's data or home is (the CLI's business).

A checkout keeps both folders beside the package; an installed wheel carries them inside it, as `_data/`. The checkout
wins, so that an edit in the working tree is what runs.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def sql_root() -> Path:
    """Folder of the SQL files: one folder per table or view, and `macros.sql`."""
    return _root("sql")


def config_root() -> Path:
    """Folder of the contracts, the PII droplist, `gates.yaml` and, in `schemas/`, their JSON Schemas."""
    return _root("config")


def dagster_template() -> Path:
    """The `dagster.yaml` that a new home starts with."""
    checkout = _PACKAGE.parent / "dagster.yaml"
    return checkout if (_PACKAGE.parent / "pyproject.toml").is_file() else _PACKAGE / "_data" / "dagster.yaml"


def _root(name: str) -> Path:
    # pyproject.toml tells a checkout from a site-packages folder that happens to hold another project's "config".
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    packaged = _PACKAGE / "_data" / name
    if packaged.is_dir():
        return packaged
    if (checkout / name).is_dir():
        return checkout / name
    raise FileNotFoundError(f"the installation is incomplete: no {name}/ beside or inside {_PACKAGE.name}")
