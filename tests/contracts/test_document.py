"""A config file that is malformed is refused with its line, whatever is wrong with it."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from leadscore_v6.contracts import load_document
from leadscore_v6.errors import InputError
from leadscore_v6.paths import config_root

GATES = """\
# a comment
gates:
  - name: raw_has_rows
    step: "1.3"
    asset: snapshot_reps_raw
    says: Not empty.
    figure: rows_read
    op: ">="
    value: 1
  - name: firms_band
    step: "1.6"
    asset: snapshot_firms
    says: Reasonable.
    figure: firms
    op: between
    value: [30000, 40000]
    combine: companion_replaces
    companion:
      figure: rows_per_firm
      op: between
      value: [5, 20]
"""


def write(folder, text, name="gates.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path, schema) -> str:
    with pytest.raises(InputError) as caught:
        load_document(path, schema)
    assert caught.value.file == str(path)
    return caught.value.what


def test_a_clean_file_is_its_content(tmp_path):
    gates = load_document(write(tmp_path, GATES), "gates")["gates"]
    assert [gate["name"] for gate in gates] == ["raw_has_rows", "firms_band"]
    assert gates[1]["companion"]["value"] == [5, 20]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('op: ">="', "op: about", 8, "'about'"),
        ("value: 1\n", "value: [1, 2]\n", 9, "not of type 'number'"),
        ("value: 1\n", "value: one\n", 9, "'one'"),
        ("[5, 20]", "[5]", 21, "too short"),
        ("[5, 20]", "5", 21, "not of type 'array'"),
        ("    says: Not empty.\n", "", 3, "'says' is a required property"),
        ("    says: Not empty.\n", "    says: Not empty.\n    sais: Twice.\n", 7, "sais"),
        ("    says: Not empty.\n", "    says: Not empty.\n    says: Twice.\n", 7, "already on line 6"),
        ("      op: between\n", "      op: between\n      unit: firms\n", 21, "unit"),
        ('step: "1.3"', "step: 1.3", 4, "not of type 'string'"),
        ("asset: snapshot_firms", "asset: Snapshot Firms", 12, "Snapshot Firms"),
        ("    combine: companion_replaces\n", "    combine: either\n", 17, "either"),
        ("    companion:\n      figure: rows_per_firm\n      op: between\n      value: [5, 20]\n", "", 10, "companion"),
        ("    value: 1\n", "    value: 1\n    waivable: maybe\n", 10, "waivable"),
        ("    value: 1\n", "    value: 1\n    severity: fatal\n", 10, "severity"),
        ("gates:", "gates: [", 3, "not YAML"),
        ("    says: Reasonable.", "    says: {Reasonable.", 14, "not YAML"),
        ("    says: Reasonable.", "\tsays: Reasonable.", 13, "not YAML"),
    ],
)
def test_a_malformed_gates_file_is_refused_with_its_line(tmp_path, old, new, line, says):
    assert GATES.count(old) == 1 or old.startswith("      op")
    what = refused(write(tmp_path, GATES.replace(old, new, 1)), "gates")
    assert f"line {line}:" in what
    assert says in what


@pytest.mark.parametrize("text", ["", "# nothing\n", "gates: []\n", "[]\n", "other: 1\n"])
def test_a_gates_file_without_gates_is_refused(tmp_path, text):
    assert "line 1" in refused(write(tmp_path, text), "gates")


def test_the_first_of_several_faults_is_told_and_the_others_counted(tmp_path):
    text = GATES.replace('op: ">="', "op: about").replace("asset: snapshot_firms", "asset: Firms!")
    what = refused(write(tmp_path, text), "gates")
    assert "line 8:" in what
    assert "1 more" in what


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('["A",\n "B",\n]', 3, "not JSON"),
        ('["A",\n "B"', 2, "not JSON"),
        ('["A",\n\t"B",\n\t7]', 3, "not of type 'string'"),
        ('["A",\n "B b"]', 2, "does not match"),
        ('["A",\n "A"]', 1, "non-unique"),
        ("[]", 1, "non-empty"),
        ('{"A":\n 1, "A": 2}', 2, "already on line 1"),
    ],
)
def test_a_malformed_json_file_is_refused_with_its_line(tmp_path, text, line, says):
    what = refused(write(tmp_path, text, "list.json"), "pii_droplist")
    assert f"line {line}:" in what
    assert says in what


def test_bytes_that_are_no_utf8_are_refused_with_their_line(tmp_path):
    path = tmp_path / "list.json"
    path.write_bytes('["A",\n "é"]'.encode("latin-1"))
    assert "line 2: not UTF-8" in refused(path, "pii_droplist")


def test_a_byte_order_mark_is_accepted(tmp_path):
    assert load_document(write(tmp_path, '\ufeff["A"]', "list.json"), "pii_droplist") == ["A"]


def test_a_missing_file_is_named(tmp_path):
    assert "missing" in refused(tmp_path / "gates.yaml", "gates")


@pytest.mark.parametrize("path", sorted((config_root() / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_the_schemas_are_themselves_schemas(path):
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["title"]
