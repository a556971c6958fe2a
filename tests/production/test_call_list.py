"""Call lists: one line an advisor, the rules, the cap, and lists that promise the same."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore_v6.call_list import _csv as as_csv
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.production.call_list import COLUMNS, EXCLUDED, IN_TEST, call_list, spread
from leadscore_v6.production.crm_import import crm_table, require_fields
from leadscore_v6.production.settings import CallListSettings, CrmImportSettings

DAY = date(2025, 11, 3)
SETTINGS = CallListSettings(7, 2, 50, 90, 30, 21, 365)
ASSOCIATES = ["Ann", "Bob"]
FIELDS = CrmImportSettings("FA_CRD__c", {"FA_CRD__c": "FA_CRD__c", "Owner__c": "associate", "Why__c": "reasons"}, 20)


def advisor(crd: str, probability: float = 0.05, **changes: Any) -> dict[str, Any]:
    """A prospect of a firm of their own, never called, unless told otherwise."""
    base = {
        **dict.fromkeys(COLUMNS),
        "FA_CRD__c": crd,
        "kind": "prospect",
        "RIAFirmCRD": f"9{crd}",
        "outcome": "scored",
        "probability": probability,
        "percentile": 80,
        "decile": 8,
        "last_contact_on": pd.NaT,
        "last_dial_on": pd.NaT,
        "last_call_on": pd.NaT,
        "crm_records": 1,
    }
    return {**base, **changes}


def ago(days: int) -> pd.Timestamp:
    return pd.Timestamp(DAY - timedelta(days=days))


def listed(
    *advisors: dict[str, Any], settings: CallListSettings = SETTINGS, excluded: frozenset[str] = frozenset()
) -> Any:
    return call_list(pd.DataFrame(advisors), ASSOCIATES, {EXCLUDED: excluded}, DAY, settings)


# --- one row an advisor -----------------------------------------------------------------------------------------------


def test_an_advisor_with_several_leads_is_called_once_by_the_newest() -> None:
    made = listed(
        advisor("1", kind="lead", Id="old", last_contact_on=ago(20)),
        advisor("1", kind="lead", Id="new", last_contact_on=ago(5)),
        advisor("1", kind="lead", Id="never", last_contact_on=pd.NaT),
        advisor("2"),
    )
    assert made.rows[["FA_CRD__c", "Id"]].to_numpy().tolist() == [["1", "new"], ["2", None]]
    assert tuple(made.rows.columns) == COLUMNS


def test_who_has_no_score_or_no_crd_is_on_no_list() -> None:
    made = listed(advisor("1", outcome="failed"), advisor("2", FA_CRD__c=None), advisor("3"))
    assert made.rows["FA_CRD__c"].tolist() == ["3"]


# --- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"percentile": 20}, "below the lowest percentile"),
        ({"last_contact_on": ago(89)}, "a prospect whose last lead is too young"),
        ({"last_dial_on": ago(29)}, "dialled too lately"),
        ({"kind": "lead", "Id": "x", "last_dial_on": ago(29)}, "dialled too lately"),
        # Through another of his leads, since the day of the scores too
        ({"kind": "lead", "Id": "x", "last_call_on": ago(365)}, "scheduled a call already"),
        ({"kind": "lead", "Id": "x", "last_call_on": ago(-2)}, "scheduled a call already"),
        ({"last_call_on": ago(1)}, "scheduled a call already"),
    ],
)
def test_who_may_not_be_called_now_is_counted_with_the_reason(changes: dict[str, Any], why: str) -> None:
    made = listed(advisor("1", **changes), advisor("2"))
    assert made.rows["FA_CRD__c"].tolist() == ["2"]
    assert made.left_out == {why: 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"percentile": 21},
        {"last_contact_on": ago(90)},
        {"kind": "lead", "Id": "x", "last_contact_on": ago(1)},
        {"last_dial_on": ago(30)},
        {"last_call_on": ago(366)},
    ],
)
def test_who_may_is(changes: dict[str, Any]) -> None:
    assert listed(advisor("1", **changes)).rows["FA_CRD__c"].tolist() == ["1"]


def test_the_exclusion_list_comes_before_all_else() -> None:
    made = listed(advisor("1", percentile=1), advisor("2", 0.9), excluded=frozenset({"1", "2"}))
    assert made.rows.empty
    assert made.left_out == {"on the exclusion list": 2}


def test_who_is_in_a_running_test_is_left_out_and_counted_apart() -> None:
    """The exclusion list comes first: what a person asked for is told as that."""
    barred = {EXCLUDED: frozenset({"1"}), IN_TEST: frozenset({"1", "2", "3"})}
    rows = pd.DataFrame([advisor("1"), advisor("2", 0.9), advisor("3", kind="lead"), advisor("4")])
    made = call_list(rows, ASSOCIATES, barred, DAY, SETTINGS)
    assert list(made.rows["FA_CRD__c"]) == ["4"]
    assert made.left_out == {EXCLUDED: 1, IN_TEST: 2}


def test_of_one_firm_only_the_best_up_to_the_cap() -> None:
    same = [advisor(str(crd), 0.01 * crd, RIAFirmCRD="7") for crd in range(1, 5)]
    unknown = [advisor(str(crd), 0.001, RIAFirmCRD=None) for crd in range(5, 8)]
    made = listed(*same, *unknown, settings=CallListSettings(7, 3, 2, 90, 30, 21, 365))
    assert set(made.rows["FA_CRD__c"]) == {"4", "3", "5", "6", "7"}
    assert made.left_out == {"beyond the cap of the firm": 2}


@pytest.mark.parametrize(
    ("per_associate", "left_out"),
    [
        # Four places: 9 and 8 take those of the firm, 7 is passed over for 6 and 5; 4 and 3 come too late for any.
        (2, {"beyond the cap of the firm": 1, "no place left": 2}),
        (5, {"beyond the cap of the firm": 2}),
    ],
)
def test_the_cap_keeps_from_a_place_who_would_have_had_one(per_associate: int, left_out: dict[str, int]) -> None:
    firms = {9: "7", 8: "7", 7: "7", 6: "1", 5: "2", 4: "3", 3: "7"}
    asked = [advisor(str(crd), 0.01 * crd, RIAFirmCRD=firm) for crd, firm in firms.items()]
    made = listed(*asked, settings=CallListSettings(7, per_associate, 2, 90, 30, 21, 365))
    assert made.left_out == left_out
    assert len(made.rows) + sum(left_out.values()) == len(firms)


def test_the_best_get_the_places_and_equal_ones_by_the_lower_number() -> None:
    made = listed(*(advisor(crd) for crd in ("10", "9", "11", "100", "8")), advisor("7", 0.9))
    assert sorted(made.rows["FA_CRD__c"], key=int) == ["7", "8", "9", "10"]
    assert made.left_out == {"no place left": 2}


def test_no_order_of_rows_decides() -> None:
    people = [advisor("3", 0.3), advisor("1", 0.1), advisor("2", 0.3), advisor("2", 0.3, kind="lead", Id="a")]
    lists = {listed(*order).rows.to_csv() for order in permutations(people)}
    assert len(lists) == 1


# --- even lists -------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=120).map(lambda found: sorted(found, reverse=True)),
    st.integers(1, 15),
)
def test_lists_differ_by_no_more_than_one_round_does(probability: list[float], associates: int) -> None:
    whole = len(probability) // associates * associates
    given_to = spread(np.array(probability), associates)
    counts = np.bincount(given_to, minlength=associates)
    assert counts.max() - counts.min() <= 1
    if whole:
        sums = np.bincount(given_to[:whole], weights=probability[:whole], minlength=associates)
        rounds = np.array(probability[:whole]).reshape(-1, associates)
        assert sums.max() - sums.min() <= (rounds[:, 0] - rounds[:, -1]).max() + 1e-9


def test_lists_of_a_real_size_promise_the_same_within_a_thousandth() -> None:
    probability = np.sort(np.random.default_rng(5).beta(0.6, 16, size=2800))[::-1]
    sums = np.bincount(spread(probability, 14), weights=probability)
    assert sums.max() / sums.min() < 1.001
    # Dealt in turn, as cards are, the first would always have the better one.
    in_turn = np.bincount(np.arange(2800) % 14, weights=probability)
    assert in_turn.max() / in_turn.min() > 1.01


def test_positions_run_from_the_best_down_in_each_list() -> None:
    made = listed(*(advisor(str(crd), 0.01 * crd) for crd in range(1, 5)))
    for _, rows in made.rows.groupby("associate"):
        assert rows["position"].tolist() == [1, 2]
        assert rows["probability"].is_monotonic_decreasing
    assert made.expected == {"Ann": pytest.approx(0.05), "Bob": pytest.approx(0.05)}
    assert made.unevenness == pytest.approx(0)


@pytest.mark.parametrize("place", [87, 87.0, np.float64(87), Decimal("87.000000000")])
def test_places_are_whole_numbers_in_both_files_whatever_an_engine_gives(place: Any) -> None:
    unscored = advisor("2", outcome="failed", percentile=None, decile=None)
    rows = listed(advisor("1", percentile=place, decile=place // 10 + 1), unscored).rows
    fields = {"FA_CRD__c": "FA_CRD__c", "Percentile__c": "percentile", "Decile__c": "decile"}
    for table in (rows[["percentile", "decile"]], crm_table(rows, CrmImportSettings("FA_CRD__c", fields, 20))):
        assert "87,9" in as_csv(table)


def test_nobody_to_call_is_an_empty_list() -> None:
    made = listed(advisor("1", percentile=1))
    assert made.rows.empty
    assert made.expected == {"Ann": 0.0, "Bob": 0.0}


# --- the CRM's file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "fields", "says"),
    [
        ("FA_CRD__c", {"FA_CRD__c": "FA_CRD__c", "Score__c": "score"}, "no column for Score__c .of 'score'"),
        ("Id", {"FA_CRD__c": "FA_CRD__c"}, "is 'Id', which is none of its fields"),
        ("Owner__c", {"Owner__c": "associate"}, "tells no record from another"),
    ],
)
def test_a_field_map_that_does_not_fit_is_refused(key: str, fields: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        require_fields(CrmImportSettings(key, fields, 255))


def test_the_crms_fields_hold_what_the_map_says_and_no_text_that_is_too_long() -> None:
    rows = listed(advisor("1", reasons="for: " + "a" * 30), advisor("2", reasons="for: b")).rows
    table = crm_table(rows, FIELDS)
    assert table.to_dict("records") == [
        {"FA_CRD__c": "1", "Owner__c": "Ann", "Why__c": "for: aaaaaaaaaaaaa …"},
        {"FA_CRD__c": "2", "Owner__c": "Bob", "Why__c": "for: b"},
    ]


def test_a_line_without_the_key_is_refused() -> None:
    rows = listed(advisor("1")).rows
    with pytest.raises(InputError, match="1 lines of the call list have no Lead__c"):
        crm_table(rows, CrmImportSettings("Lead__c", {"Lead__c": "Id"}, 255))
