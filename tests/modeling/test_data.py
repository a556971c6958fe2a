"""What may reach a model, and what is refused (issue, "Bad input")."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.contracts import contract, feature_columns, pii_droplist
from leadscore_v6.errors import InputError
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.modeling.data import segments_of, training_data
from tests.modeling import worlds


def test_leads_are_in_order_of_contact_whatever_the_order_of_rows() -> None:
    frame = worlds.frame(500)
    one = training_data(frame, worlds.COLUMNS, worlds.DROPLIST)
    other = training_data(frame.sample(frac=1, random_state=5), worlds.COLUMNS, worlds.DROPLIST)
    assert one.lead_ids.tolist() == other.lead_ids.tolist()
    assert one.contact.tolist() == sorted(frame["contact_date"].dt.date)
    by_id = frame.set_index("Id")
    assert one.label.tolist() == by_id.loc[one.lead_ids, "target_label"].tolist()
    pd.testing.assert_series_equal(
        one.features["tenure"], by_id.loc[one.lead_ids, "tenure"], check_index=False, check_names=False
    )


@pytest.mark.parametrize(
    "name", ["target_label", "days_to_conversion", "contact_date", "Id", "FA_CRD__c", "rep_snapshot_at", "FIRSTNAME"]
)
def test_no_label_audit_identifier_or_pii_column_is_let_in(name: str) -> None:
    frame = worlds.frame(300).assign(FIRSTNAME="x")
    with pytest.raises(InputError, match=name):
        training_data(frame, (*worlds.COLUMNS, FeatureColumn(name, "STRING")), worlds.DROPLIST)


def test_the_product_contract_lets_only_features_in() -> None:
    of = contract("training")
    names = feature_columns(of)
    columns = [FeatureColumn(name, "FLOAT64") for name in names]
    frame = pd.DataFrame({name: [0.0, 1.0] for name in of.names})
    frame["Id"], frame["contact_date"], frame["target_label"] = ["a", "b"], pd.Timestamp("2024-05-05"), [0, 1]
    frame[["rep_snapshot_at", "firm_snapshot_at"]] = pd.NaT
    data = training_data(frame, columns, pii_droplist())
    assert tuple(data.features.columns) == names
    others = {column.name for column in of.columns if column.role != "feature"}
    assert not others & set(data.features.columns)


def broken(frame: pd.DataFrame, how: str) -> pd.DataFrame:
    changes = {
        "no leads": lambda: frame.iloc[:0],
        "one class": lambda: frame.assign(target_label=0),
        "label of 2": lambda: frame.assign(target_label=[2] * len(frame)),
        "no feature": lambda: frame.drop(columns="tenure"),
        "twice": lambda: pd.concat([frame, frame.iloc[:1]]),
        "no advisor": lambda: frame.assign(FA_CRD__c=None),
        "future": lambda: frame.assign(rep_snapshot_at=frame["contact_date"] + pd.Timedelta(days=1)),
    }
    return changes[how]()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no leads", "no leads"),
        ("one class", "label 0"),
        ("label of 2", "other values than 0 and 1"),
        ("no feature", "no column tenure"),
        ("twice", "more than one row"),
        ("no advisor", "have no FA_CRD__c"),
        ("future", "after their contact"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(how: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        training_data(broken(worlds.frame(300), how), worlds.COLUMNS, worlds.DROPLIST)


def test_the_segment_is_the_tier_where_any_is_known_else_the_size() -> None:
    frame = pd.DataFrame({"firm_rep_count_bin": ["1", None], "firm_size_tier": [None, None]})
    segments, column = segments_of(frame)
    assert (segments.tolist(), column) == (["1", "missing"], "firm_rep_count_bin")
    segments, column = segments_of(frame.assign(firm_size_tier=["small", np.nan]))
    assert (segments.tolist(), column) == (["small", "missing"], "firm_size_tier")
