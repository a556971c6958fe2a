"""The call list as the CRM imports it: its fields by the columns of the list.

Belongs here: checking the field map, and the table that it makes. Does not belong here: who is on the list.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.production.call_list import COLUMNS
from leadscore_v6.production.settings import PRODUCTION_FILE, CrmImportSettings

_CUT = " …"


def require_fields(settings: CrmImportSettings) -> None:
    """Raise UsageError naming every field of the map that has no column in a call list, or a key that is no field."""
    unknown = [f"{field} (of {column!r})" for field, column in settings.fields.items() if column not in COLUMNS]
    if unknown:
        raise UsageError(
            f"crm_import.fields of {PRODUCTION_FILE}: a call list has no column for {', '.join(unknown)}.\n"
            f"  what to do: use its columns: {', '.join(COLUMNS)}."
        )
    if settings.key not in settings.fields:
        raise UsageError(
            f"crm_import.key of {PRODUCTION_FILE} is {settings.key!r}, which is none of its fields: the CRM would not "
            "know which record a line is of."
        )
    if settings.fields[settings.key] not in ("FA_CRD__c", "Id"):
        raise UsageError(
            f"crm_import.key of {PRODUCTION_FILE} is made of {settings.fields[settings.key]!r}, which tells no record "
            "from another; FA_CRD__c or Id does."
        )


def crm_table(rows: pd.DataFrame, settings: CrmImportSettings) -> pd.DataFrame:
    """One line per line of the list, with the CRM's fields; texts that are too long for it end in an ellipsis.

    Raises UsageError on a bad field map, InputError when a line has no key, or two have the same.
    """
    require_fields(settings)
    table = pd.DataFrame({field: _fitting(rows[column], settings) for field, column in settings.fields.items()})
    key = table[settings.key]
    if key.isna().any():
        missing = int(key.isna().sum())
        raise InputError(
            f"{missing:,} lines of the call list have no {settings.key}: the CRM could not find their records",
            column=settings.key,
            remedy="let crm_import.key be made of FA_CRD__c, which every line has.",
        )
    if key.duplicated().any():
        raise InputError(f"{int(key.duplicated().sum()):,} lines have a {settings.key} twice", column=settings.key)
    return table


def _fitting(column: pd.Series[Any], settings: CrmImportSettings) -> pd.Series[Any]:
    def shortened(value: Any) -> Any:
        if not isinstance(value, str) or len(value) <= settings.longest_text:
            return value
        return value[: settings.longest_text - len(_CUT)] + _CUT

    return column.map(shortened) if column.dtype == object else column
