"""Call lists: whom each sales associate is to dial, best first, and equally promising lists for all of them.

Belongs here: one row an advisor, the rules of who may be called, the cap per firm, the spread over associates. Does not
belong here: scores, reading files, what the CRM takes (`crm_import.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.production.settings import CallListSettings

# The list's columns, in order; `probability` is the expected conversion of one dial.
COLUMNS = tuple(
    """
    associate position FA_CRD__c Id kind RIAFirmCRD percentile decile probability trend reasons warnings last_contact_on
    last_dial_on crm_records model_version score_date
    """.split()
)
# Why an advisor is not on a list, in the order in which it is asked.
EXCLUDED, IN_TEST, SCHEDULED, LOW, CONTACTED, DIALLED, FIRM_FULL, NO_PLACE = (
    "on the exclusion list",
    "in the running experiment, which has a queue of its own",
    "scheduled a call already",
    "below the lowest percentile",
    "a prospect whose last lead is too young",
    "dialled too lately",
    "beyond the cap of the firm",
    "no place left",
)


@dataclass(frozen=True)
class CallList:
    """The list, and what became of all others.

    rows: `COLUMNS`, by associate and position. left_out: advisors by reason. expected: by associate the sum of the
    probabilities: of leads the number of calls to be expected of one dial each, of prospects what it would be of leads
    like them (R51).
    """

    rows: pd.DataFrame
    left_out: Mapping[str, int]
    expected: Mapping[str, float]

    @property
    def unevenness(self) -> float:
        """Largest minus smallest expected number of calls."""
        return max(self.expected.values()) - min(self.expected.values()) if self.expected else 0.0


def call_list(
    scores: pd.DataFrame,
    associates: Sequence[str],
    barred: Mapping[str, frozenset[str]],
    day: date,
    settings: CallListSettings,
) -> CallList:
    """The list of `day` from its scored rows.

    Beside the table's columns they have `last_dial_on` and `last_call_on`, an advisor's newest dial and scheduled call
    of whichever lead (NaT: never), and `crm_records`, of how many leads that is.

    1. One row an advisor: a lead before a prospect, then the newest contact, then the lowest Id.
    2. Rules (`settings`, `barred`: canonical CRDs by reason) take out who may not be called now.
    3. The best first; of one firm no more than the cap (an advisor of no known firm is under no cap).
    4. As many as the associates have places for, spread by `spread`.
    """
    one_each = _one_each(scores)
    why = _why_not(one_each, barred, day, settings)
    left = _best_first(one_each[why.isna()])
    is_over = left["RIAFirmCRD"].notna() & (left.groupby("RIAFirmCRD").cumcount() >= settings.firm_cap)
    fitting = left[~is_over]
    chosen = fitting.iloc[: settings.per_associate * len(associates)]
    counts = {str(reason): int(count) for reason, count in why.value_counts().items()}
    # The cap kept those from a place who stand before the last that was given; the others would have had none anyway.
    reached = np.flatnonzero(~is_over)[len(chosen) - 1] + 1 if len(chosen) < len(fitting) else len(left)
    passed_over = int(is_over.iloc[:reached].sum())
    counts |= {FIRM_FULL: passed_over, NO_PLACE: len(left) - len(chosen) - passed_over}
    places = spread(chosen["probability"].to_numpy(dtype=float), len(associates))
    names = np.array(associates, dtype=object)[places]
    # Within a list the order is that of the best first, which `chosen` has.
    rows = chosen.assign(associate=names, position=chosen.groupby(names).cumcount().to_numpy() + 1)
    rows = rows.sort_values(["associate", "position"])[list(COLUMNS)].reset_index(drop=True)
    # All are scored; an engine that has no score for some others gives whole numbers as fractions, or as decimals.
    rows = rows.astype({"percentile": "int64", "decile": "int64"})
    expected = {name: float(rows.loc[rows["associate"] == name, "probability"].sum()) for name in associates}
    return CallList(rows, {reason: count for reason, count in counts.items() if count}, expected)


def spread(probability: NDArray[np.float64], associates: int) -> NDArray[np.intp]:
    """(n,) which associate gets each of n advisors, who are sorted best first.

    In rounds of one advisor each: the best of a round goes to whom the rounds before gave least, and so on. Two lists
    that were d apart and get p and q are then at most max(d, |p - q|) apart. So what is expected of two lists with
    equally many advisors never differs by more than the best and the last of one round do.
    """
    totals = np.zeros(associates)
    given = np.empty(len(probability), dtype=np.intp)
    for first in range(0, len(probability), associates):
        found = probability[first : first + associates]
        # Stable: who stands first in the file of associates comes first where totals are equal.
        order = np.argsort(totals, kind="stable")[: len(found)]
        given[first : first + len(found)] = order
        totals[order] += found
    return given


def _one_each(scores: pd.DataFrame) -> pd.DataFrame:
    known = scores[(scores["outcome"] == "scored") & scores["FA_CRD__c"].notna()]
    ordered = known.assign(_prospect=(known["kind"] != "lead").astype(int)).sort_values(
        ["FA_CRD__c", "_prospect", "last_contact_on", "Id"], ascending=[True, True, False, True], na_position="last"
    )
    return ordered.drop_duplicates("FA_CRD__c").drop(columns="_prospect")


def _why_not(
    advisors: pd.DataFrame, barred: Mapping[str, frozenset[str]], day: date, settings: CallListSettings
) -> pd.Series[Any]:
    """The first rule that keeps each from being called, or None."""
    contacted, dialled, called = (
        _days_since(advisors[name], day) for name in ("last_contact_on", "last_dial_on", "last_call_on")
    )
    rules = (
        *((reason, advisors["FA_CRD__c"].isin(crds)) for reason, crds in barred.items()),
        (SCHEDULED, called <= settings.converted_days),
        (LOW, advisors["percentile"] < settings.lowest_percentile),
        (CONTACTED, (advisors["kind"] != "lead") & (contacted < settings.days_since_contact)),
        (DIALLED, dialled < settings.days_since_dial),
    )
    why = pd.Series(data=None, index=advisors.index, dtype=object)
    for reason, applies in reversed(rules):
        why[applies] = reason
    return why


def _days_since(column: pd.Series[Any], day: date) -> pd.Series[Any]:
    """Days from each date to `day`; NaN, which no rule is met by, where there is none."""
    return (pd.Timestamp(day) - pd.to_datetime(column)).dt.days


def _best_first(advisors: pd.DataFrame) -> pd.DataFrame:
    """By probability; equal ones by the lower CRD, as a number."""
    longer = advisors["FA_CRD__c"].str.len()
    ordered = advisors.assign(_length=longer).sort_values(
        ["probability", "_length", "FA_CRD__c"], ascending=[False, True, True]
    )
    return ordered.drop(columns="_length")
