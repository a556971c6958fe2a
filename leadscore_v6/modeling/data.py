"""The training set as a model may see it: features by allow-list, and beside them what splits and audits need (R8).

Belongs here: taking a frame of the training view apart, and refusing one that cannot be trained on.
Does not belong here: encoding (`features.py`), splitting (`splits.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.columns import FeatureColumn, checked

ID: Final = "Id"
ADVISOR: Final = "FA_CRD__c"
CONTACT: Final = "contact_date"
DIALLED: Final = "dialled_on"
LABEL: Final = "target_label"
AUDIT: Final = (
    *("days_to_conversion", "Stage_Entered_Contacting__c"),
    *(CONTACT, DIALLED, "rep_snapshot_at", "firm_snapshot_at"),
)

# R19: segments are AUM tiers where AUM is known at all, else the size of the firm.
TIER: Final = "firm_size_tier"
_SIZE: Final = "firm_rep_count_bin"
UNKNOWN: Final = "missing"

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class TrainingData:
    """n matured leads, one per row, in order of contact (ties by Id).

    features   (n, p) frame of the allow-listed columns in contract order, and nothing else: float64, or categories of
               text, checked once (`columns.checked`)
    label      (n,) int8, 1 if a call was scheduled within the label window
    lead_ids   (n,) str, unique
    advisors   (n,) int64 codes, equal for equal advisors
    contact    (n,) datetime64[D], UTC day of contact
    dialled    (n,) datetime64[D], UTC day from which the label window runs: of the first dial where dials are logged
               (R50), else of contact, as in a frame without the column
    segments   (n,) str, the segment of R19; `segment_column` names the column it comes from
    audit      (n, …) label and audit columns, for leak canaries only
    """

    columns: tuple[FeatureColumn, ...]
    features: pd.DataFrame
    label: NDArray[np.int8]
    lead_ids: NDArray[np.object_]
    advisors: NDArray[np.int64]
    contact: Days
    dialled: Days
    segments: NDArray[np.object_]
    segment_column: str
    audit: pd.DataFrame

    def __len__(self) -> int:
        """Leads."""
        return len(self.label)

    @property
    def positives(self) -> int:
        """Leads of label 1."""
        return int(self.label.sum())


def training_data(frame: pd.DataFrame, columns: Sequence[FeatureColumn], droplist: Iterable[str]) -> TrainingData:
    """Take the training view apart.

    `frame` is the promoted training set; `columns` the contract's columns of role feature, in order; `droplist` the PII
    names of plan step 4.2, asserted on top of the allow-list (R8, R23).

    Raises InputError naming the column: a feature, label, Id, advisor or time column that is not there; a feature that
    is on the droplist or is a label, audit or identifier column; a feature of another type, or infinite; a NULL or an
    Id twice where there may be none; a label other than 0 and 1; one class only; a snapshot later than the contact it
    is used for.
    """
    _refuse_forbidden([column.name for column in columns], droplist)
    for name in (ID, ADVISOR, CONTACT, LABEL, *(column.name for column in columns)):
        if name not in frame.columns:
            raise InputError(_missing(name), column=name, remedy="build and promote the training set again")
    if frame.empty:
        raise InputError("The training set has no leads.", remedy="build and promote a training set with leads")
    for name in (ID, ADVISOR, CONTACT, LABEL, *({DIALLED} & set(frame.columns))):
        if frame[name].isna().any():
            raise InputError(f"{int(frame[name].isna().sum())} leads have no {name}.", column=name)
    contact = _days(frame[CONTACT])
    ids = frame[ID].astype(str).to_numpy(dtype=object)
    order = np.lexsort((ids.astype(str), contact))
    frame, contact, ids = frame.iloc[order].reset_index(drop=True), contact[order], ids[order]
    if len(np.unique(ids.astype(str))) < len(ids):
        raise InputError("The training set has more than one row for a lead.", column=ID)
    _refuse_future(frame, contact)
    segments, segment_column = segments_of(frame)
    return TrainingData(
        columns=tuple(columns),
        features=pd.DataFrame({column.name: checked(frame[column.name], column) for column in columns}),
        label=_label(frame[LABEL]),
        lead_ids=ids,
        advisors=pd.factorize(frame[ADVISOR].astype(str))[0].astype(np.int64),
        contact=contact,
        dialled=_days(frame[DIALLED]) if DIALLED in frame.columns else contact,
        segments=segments,
        segment_column=segment_column,
        audit=frame[[name for name in (LABEL, *AUDIT) if name in frame.columns]],
    )


def segments_of(frame: pd.DataFrame) -> tuple[NDArray[np.object_], str]:
    """The segment of each lead (R19), and the column it is read from: AUM tier where any is known, else firm size."""
    column = TIER if TIER in frame.columns and frame[TIER].notna().any() else _SIZE
    if column not in frame.columns:
        return np.full(len(frame), UNKNOWN, dtype=object), column
    values = frame[column].astype(object)
    return values.where(values.notna(), UNKNOWN).astype(str).to_numpy(dtype=object), column


def _missing(name: str) -> str:
    if name == CONTACT:
        return "The training set has no time column: without it there are no splits in time, and random ones lie (R16)."
    return f"The training set has no column {name}."


def _refuse_forbidden(names: Sequence[str], droplist: Iterable[str]) -> None:
    forbidden = {name.lower() for name in (*droplist, *AUDIT, ID, ADVISOR, LABEL, "as_of", "dial_source")}
    reached = [name for name in names if name.lower() in forbidden]
    if reached:
        raise InputError(
            f"Columns that may never be a feature would reach the model: {', '.join(reached)}.",
            column=reached[0],
            remedy="give them another role than feature in the training contract",
        )


def _days(column: pd.Series[Any]) -> Days:
    days: Days = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
    return days


def _label(column: pd.Series[Any]) -> NDArray[np.int8]:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    if not np.isin(values, (0, 1)).all():
        raise InputError("The label has other values than 0 and 1.", column=LABEL)
    label: NDArray[np.int8] = values.astype(np.int8)
    if label.min() == label.max():
        raise InputError(
            f"All {len(label)} leads have the label {label[0]}: one class cannot be told from another.", column=LABEL
        )
    return label


def _refuse_future(frame: pd.DataFrame, contact: Days) -> None:
    """The gates of 3.2 hold this already; a model trained on the future would look too good to ever be doubted."""
    for name in ("rep_snapshot_at", "firm_snapshot_at"):
        if name in frame.columns:
            late = int((_days(frame[name]) > contact).sum())
            if late:
                raise InputError(f"{late} leads have features of a snapshot after their contact.", column=name)
