"""A folder is verified before it is read: whatever was altered, cut off or exchanged is found (R24)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leadscore_v6.artifacts.manifest import MANIFEST, read_manifest, seal, unverified, verify
from leadscore_v6.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.ubj").write_bytes(b"trees" * 100)
    (tmp_path / "calibrator.json").write_text('{"slope": 1.0}')
    return tmp_path


def test_a_sealed_folder_verifies_and_tells_what_it_holds(folder: Path) -> None:
    digest = seal(folder, "abc123", {"xgboost": "3.2.0"})
    assert digest == hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    manifest = verify(folder, digest)
    assert manifest.attempt == "abc123"
    assert manifest.about == {"xgboost": "3.2.0"}
    assert manifest.files["model.ubj"] == (500, hashlib.sha256(b"trees" * 100).hexdigest())
    assert read_manifest(folder) == manifest


def test_the_same_files_give_the_same_manifest(folder: Path, tmp_path: Path) -> None:
    first = seal(folder, "abc123", {"b": 1, "a": 2})
    assert seal(folder, "abc123", {"a": 2, "b": 1}) == first


def flipped(folder: Path) -> None:
    content = bytearray((folder / "model.ubj").read_bytes())
    content[250] ^= 1
    (folder / "model.ubj").write_bytes(content)


def truncated(folder: Path) -> None:
    (folder / "model.ubj").write_bytes((folder / "model.ubj").read_bytes()[:-1])


def exchanged_with_its_manifest(folder: Path) -> None:
    (folder / "model.ubj").write_bytes(b"other" * 100)
    seal(folder, "abc123", {})


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flipped, "model.ubj was altered"),
        (truncated, "model.ubj has 499 bytes where 500 were published"),
        (lambda folder: (folder / "calibrator.json").unlink(), "calibrator.json is missing"),
        (exchanged_with_its_manifest, "manifest.json is not the manifest that was published"),
        (lambda folder: (folder / MANIFEST).unlink(), "manifest.json is missing"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "manifest.json is not the manifest"),
    ],
)
def test_damage_is_found_before_anything_is_loaded(folder: Path, damage: Callable[[Path], None], says: str) -> None:
    digest = seal(folder, "abc123", {})
    damage(folder)
    with pytest.raises(InputError, match=says) as refused:
        verify(folder, digest)
    assert refused.value.exit_code == 2
    assert "it was not loaded" in str(refused.value)
    assert unverified(folder, digest, ()) == [refused.value.what]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"format": 1, "attempt": "a", "about": {}, "files": {"x": 3}}',
        '{"format": 2, "attempt": "a", "about": {}, "files": {}}',
        json.dumps({"format": 1, "attempt": "a", "about": {}, "files": {"../x": {"bytes": 1, "sha256": "0"}}}),
    ],
)
def test_a_manifest_that_is_none_is_refused_whatever_its_digest(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=MANIFEST):
        verify(folder, hashlib.sha256(text.encode()).hexdigest())


def test_what_the_plan_asks_for_and_was_not_written_is_named(folder: Path) -> None:
    (folder / "empty.csv").write_text("")
    digest = seal(folder, "abc123", {})
    assert unverified(folder, digest, ("model.ubj", "feature_order_v6_20261125.json")) == [
        "feature_order_v6_20261125.json was not written",
        "empty.csv is empty",
    ]
