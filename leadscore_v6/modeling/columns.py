"""What a column of a frame holds, checked, in the one form that modeling works on: float64, or categories of text.

Belongs here: refusing what a feature cannot be, naming the column. Does not belong here: what training froze of a
column (`features.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError


@dataclass(frozen=True)
class FeatureColumn:
    """One column of role `feature` in the training contract; `type` is INT64, FLOAT64, BOOL or STRING."""

    name: str
    type: str
    description: str = ""


def checked(column: pd.Series[Any], of: FeatureColumn) -> pd.Series[Any]:
    """The column in modeling's form: NULL is missing. Raises InputError as `numbers` and `places` do."""
    if of.type == "STRING":
        codes, levels = places(column, of.name)
        return pd.Series(pd.Categorical.from_codes(codes, levels), index=column.index)
    return pd.Series(numbers(column, of.name), index=column.index)


def numbers(column: pd.Series[Any], name: str) -> NDArray[np.float64]:
    """(n,) values of a numeric column as float64, NULL as NaN. Raises InputError on text and on infinite values."""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        values: NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    elif column.dtype == object:
        known = column.notna().to_numpy()
        values = np.full(len(column), np.nan)
        values[known] = [number(value, name) for value in column[known]]
    else:
        raise other_type(name, "a number", str(column.dtype))
    # A comparison, since a NaN is neither: the range is float32's, the matrix's own.
    if (np.abs(values) > _LARGEST).any():
        row = int(np.flatnonzero(np.abs(values) > _LARGEST)[0])
        raise InputError("An infinite or too large value.", column=name, row=row, remedy=_FINITE)
    return values


def number(value: Any, name: str) -> float:
    """One known value as `numbers` takes it. Raises InputError as it does."""
    try:
        # float() reads text too, which no number of the training contract is.
        found = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if found != found:  # noqa: PLR0124 - NaN is not itself; a missing value does not come here
        raise other_type(name, "a number", type(value).__name__)
    if not -_LARGEST <= found <= _LARGEST:
        raise InputError("An infinite or too large value.", column=name, remedy=_FINITE)
    return found


def places(column: pd.Series[Any], name: str) -> tuple[NDArray[np.intp], list[str]]:
    """(n,) the place of each value of a text column among its levels, −1 where missing; and the levels.

    Raises InputError on anything that is not text.
    """
    codes, levels = pd.factorize(column, use_na_sentinel=True)
    texts = list(levels)
    strange = next((level for level in texts if not isinstance(level, str)), None)
    if strange is not None:
        raise other_type(name, "text", type(strange).__name__)
    return codes, texts


def other_type(name: str, expected: str, got: str) -> InputError:
    """The error of a column that holds something else than it did in training."""
    return InputError(
        f"The column holds {got} where training had {expected}.",
        column=name,
        remedy="give the column the type that the training contract says",
    )


_LARGEST: Final = float(np.finfo(np.float32).max)
_FINITE: Final = "an unknown value is NULL; correct the column where it is computed"
