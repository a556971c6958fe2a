"""The matrix: frozen levels, counted strangers, reasons for what is dropped, one lead as in the batch."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.features import FeatureSpec, fit_features
from tests.modeling import worlds


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return worlds.frame(3000)


@pytest.fixture(scope="module")
def spec(frame: pd.DataFrame) -> FeatureSpec:
    return fit_features(frame, worlds.COLUMNS, 60)


def test_columns_are_in_contract_order_and_the_useless_ones_have_a_reason(spec: FeatureSpec) -> None:
    assert spec.names == tuple(column.name for column in worlds.COLUMNS if column.name not in {"nothing", "always"})
    assert spec.dropped == {"nothing": "NULL for all training leads", "always": "3 for all training leads"}


def test_rare_levels_are_one_and_unseen_ones_are_missing_and_counted(spec: FeatureSpec, frame: pd.DataFrame) -> None:
    state = next(feature for feature in spec.features if feature.name == "state")
    assert (state.levels, state.grouped) == (("CA", "NY", "TX"), ("WY",))
    changed = frame.head(4).assign(state=["TX", "WY", "ZZ", None])
    encoded = spec.encode(changed)
    column = encoded.matrix[:, spec.names.index("state")]
    np.testing.assert_array_equal(column, np.array([2, 3, np.nan, np.nan], dtype=np.float32))
    assert encoded.unseen_counts == {"state": 1}


def test_numbers_are_what_they_were(spec: FeatureSpec, frame: pd.DataFrame) -> None:
    encoded = spec.encode(frame).matrix
    wanted = np.array([np.nan if value is pd.NA else float(value) for value in frame["states"]], dtype=np.float32)
    np.testing.assert_array_equal(encoded[:, spec.names.index("states")], wanted)


def test_one_lead_is_encoded_as_in_the_batch_to_the_bit(spec: FeatureSpec, frame: pd.DataFrame) -> None:
    some = frame.head(200).copy()
    some.loc[some.index[3], "state"] = "ZZ"
    encoded = spec.encode(some)
    for place, lead in enumerate(some.to_dict("records")):
        row, unseen = spec.encode_lead(lead)
        assert row.tobytes() == encoded.matrix[place].tobytes()
        assert unseen == (("state",) if place == 3 else ())


def test_the_order_of_columns_in_the_frame_does_not_matter(spec: FeatureSpec, frame: pd.DataFrame) -> None:
    other = frame[sorted(frame.columns, reverse=True)]
    assert spec.encode(other).matrix.tobytes() == spec.encode(frame).matrix.tobytes()


def test_it_travels_as_json(spec: FeatureSpec) -> None:
    again = FeatureSpec.of(json.loads(json.dumps(spec.as_dict(), allow_nan=False)))
    assert again == spec
    assert again.digest == spec.digest
    assert spec.keep(["tenure"], "a reason").digest != spec.digest


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("tenure", "four", "str where training had a number"),
        ("tenure", np.inf, "infinite"),
        ("tenure", -np.inf, "infinite"),
        ("tenure", 1e39, "too large"),
        ("state", 7, "int where training had text"),
        ("states", "3", "str where training had a number"),
    ],
)
def test_another_type_or_an_infinite_value_is_refused(
    spec: FeatureSpec, frame: pd.DataFrame, column: str, value: object, message: str
) -> None:
    changed = frame.head(5).astype({column: object})
    changed.loc[changed.index[2], column] = value
    with pytest.raises(InputError, match=message) as caught:
        spec.encode(changed)
    assert caught.value.column == column
    with pytest.raises(InputError, match=message):
        spec.encode_lead(changed.iloc[2].to_dict())


def test_a_missing_column_is_refused_in_batch_and_alone(spec: FeatureSpec, frame: pd.DataFrame) -> None:
    less = frame.head(3).drop(columns="tenure")
    with pytest.raises(InputError, match="not there"):
        spec.encode(less)
    with pytest.raises(InputError, match="not there"):
        spec.encode_lead(less.iloc[0].to_dict())


def test_a_column_of_text_where_the_contract_says_number_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="str where training had a number"):
        fit_features(frame.assign(tenure=["a"] * len(frame)), worlds.COLUMNS, 60)


def test_decimals_and_booleans_are_numbers(spec: FeatureSpec, frame: pd.DataFrame) -> None:
    changed = frame.head(2).assign(tenure=[Decimal("1.5"), None], cfp=[True, False])
    encoded = spec.encode(changed).matrix
    np.testing.assert_array_equal(encoded[:, 0], np.array([1.5, np.nan], dtype=np.float32))
    assert encoded[:, spec.names.index("cfp")].tolist() == [1.0, 0.0]


def test_nothing_of_use_is_an_error(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="No feature"):
        fit_features(frame, worlds.COLUMNS[-2:], 60)
