"""A folder is published whole or not at all, and a published name is never replaced (R24, R39)."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import seal
from leadscore_v6.errors import LeadscoreError

NAME, CANDIDATE = "artifacts/trained_model_v6_20261125", "artifacts/candidate__trained_model_v6_20261125__abc123"


def built(folders: FolderStore, attempt: str = "abc123", content: str = "trees") -> None:
    folder = folders.begin(CANDIDATE)
    (folder / "model.ubj").write_text(content)
    seal(folder, attempt, {})


@pytest.fixture
def folders(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "artifacts")


def test_a_folder_without_a_manifest_is_not_there(folders: FolderStore) -> None:
    folder = folders.begin(CANDIDATE)
    (folder / "model.ubj").write_text("trees")
    assert not folders.exists(CANDIDATE)
    assert folders.names() == []


def test_publishing_gives_the_name_and_leaves_the_candidate_until_it_is_dropped(folders: FolderStore) -> None:
    built(folders)
    folders.publish(CANDIDATE, NAME)
    assert folders.names() == [CANDIDATE, NAME]
    assert (folders.path(NAME) / "model.ubj").read_text() == "trees"
    folders.drop(CANDIDATE)
    folders.drop(CANDIDATE)
    assert folders.names() == [NAME]


def test_what_a_crash_left_of_the_same_attempt_is_made_anew(folders: FolderStore) -> None:
    built(folders)
    folders.publish(CANDIDATE, NAME)
    (folders.path(NAME) / "model.ubj").write_text("half")
    folders.publish(CANDIDATE, NAME)
    assert (folders.path(NAME) / "model.ubj").read_text() == "trees"


def test_the_name_of_another_attempt_is_never_taken(folders: FolderStore) -> None:
    built(folders)
    folders.publish(CANDIDATE, NAME)
    built(folders, attempt="def456", content="other trees")
    with pytest.raises(LeadscoreError, match="published by attempt abc123"):
        folders.publish(CANDIDATE, NAME)
    assert (folders.path(NAME) / "model.ubj").read_text() == "trees"


def test_beginning_again_starts_empty(folders: FolderStore) -> None:
    built(folders)
    assert list(folders.begin(CANDIDATE).iterdir()) == []
