"""The contracts as they are, and malformed ones, which are refused with the line."""

from __future__ import annotations

import json

import pytest

from leadscore_v6.contracts import CONTRACT_FILES, Contract, contract, load_contract
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.paths import config_root

COLUMN = {"name": "RepCRD", "bq_type": "STRING", "nullable": False, "role": "identifier", "description": "CRD"}
OTHER = {**COLUMN, "name": "Owner", "role": "feature", "nullable": True, "words": ["Yes", "No"]}


def lines(*columns) -> str:
    return "[\n" + ",\n".join(json.dumps(column) for column in columns) + "\n]\n"


def load(folder, text) -> Contract:
    path = folder / "contract.json"
    path.write_text(text)
    return load_contract(path)


def test_a_contract_is_its_columns_in_order(tmp_path):
    found = load(tmp_path, lines(COLUMN, {**OTHER, "typed": "int64"}))
    assert found.names == ("RepCRD", "Owner")
    assert found.with_role("identifier") == ("RepCRD",)
    first, second = found.columns
    assert (first.bq_type, first.nullable, first.typed, first.words) == ("STRING", False, None, ())
    assert (second.typed, second.words, second.nullable) == ("int64", ("Yes", "No"), True)


def without(column, key):
    return {name: value for name, value in column.items() if name != key}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (lines(COLUMN, COLUMN), 3, "RepCRD is there already, as RepCRD"),
        (lines(COLUMN, OTHER, {**COLUMN, "name": "REPCRD"}), 4, "REPCRD is there already, as RepCRD"),
        *((lines(COLUMN, without(OTHER, key)), 3, f"'{key}' is a required") for key in COLUMN),
        (lines(COLUMN, {**OTHER, "bq_type": "VARCHAR"}), 3, "VARCHAR"),
        (lines(COLUMN, {**OTHER, "role": "target"}), 3, "target"),
        (lines(COLUMN, {**OTHER, "nullable": "yes"}), 3, "'yes'"),
        (lines(COLUMN, {**OTHER, "name": "Series 7"}), 3, "Series 7"),
        (lines(COLUMN, {**OTHER, "name": "7Series"}), 3, "7Series"),
        (lines(COLUMN, {**OTHER, "type": "STRING"}), 3, "'type'"),
        (lines(COLUMN, {**OTHER, "words": []}), 3, "non-empty"),
        (lines(COLUMN, {**OTHER, "typed": "number"}), 3, "number"),
        (lines(COLUMN, "Owner"), 3, "Owner"),
        ("[]", 1, "non-empty"),
        (json.dumps(COLUMN), 1, "not of type 'array'"),
        (lines(COLUMN, OTHER)[:-4], 3, "not JSON"),
        (lines(COLUMN, OTHER).replace('"role"', '"role": "pii", "role"', 1), 2, "'role' is already on line 2"),
    ],
)
def test_a_malformed_contract_is_refused_with_file_and_line(tmp_path, text, line, says):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert caught.value.file == str(tmp_path / "contract.json")
    assert f"line {line}:" in caught.value.what
    assert says in caught.value.what


@pytest.mark.parametrize("name", CONTRACT_FILES)
def test_the_products_contracts_hold(name):
    assert len(contract(name).columns) == len(json.loads((config_root() / CONTRACT_FILES[name]).read_text()))


def test_every_contract_in_config_has_a_name():
    assert set(CONTRACT_FILES.values()) == {path.name for path in config_root().glob("*_contract.json")}


def test_an_unknown_contract_is_refused_with_the_known_names():
    with pytest.raises(UsageError, match="training"):
        contract("trainings")


def test_the_raw_feed_is_text_only_and_may_be_null_everywhere():
    assert {(column.bq_type, column.nullable) for column in contract("feed").columns} == {("STRING", True)}
