"""Artifacts are there whole or not at all, in a folder and in a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.errors import UsageError
from leadscore_v6.locations import Location, generation, location

NAME = "20240107/report.md"


@pytest.fixture(params=["folder", "bucket", "gcs"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where artifacts go: on this machine, in memory, over HTTP."""
    return tmp_path / "artifacts" if request.param == "folder" else request.getfixturevalue(request.param)


def test_what_is_written_is_read(root: Location) -> None:
    store = ArtifactStore(root)
    for content in ("Größe\n", "shorter", b"\x89PNG\x00"):
        path = store.write(NAME, content)
        assert path == root / NAME
        assert store.read(NAME) == (content.encode() if isinstance(content, str) else content)
    assert [file.name for file in (root / "20240107").iterdir()] == ["report.md"], "nothing else is left there"


def test_what_was_never_written_is_not_there(root: Location) -> None:
    with pytest.raises(FileNotFoundError):
        ArtifactStore(root).read(NAME)


def test_several_are_written_together_or_none_is(root: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ArtifactStore(root)
    paths = store.write_together({"list.csv": "1\n", "crm.csv": "1\n"})
    assert list(paths) == ["list.csv", "crm.csv"]
    assert all(store.read(name) == b"1\n" for name in paths)
    write = ArtifactStore.write

    def refused(self: ArtifactStore, name: str, content: str | bytes) -> Location:
        if "crm" in name:
            raise UsageError("no space")
        return write(self, name, content)

    monkeypatch.setattr(ArtifactStore, "write", refused)
    other = ArtifactStore(root / "other")
    with pytest.raises(UsageError, match="no space"):
        other.write_together({"list.csv": "2\n", "crm.csv": "2\n"})
    left = [path.name for path in other.root.iterdir()] if other.root.exists() else []
    assert left == []


def test_together_none_takes_the_place_of_an_older_one_when_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ArtifactStore(tmp_path)
    store.write_together({"list.csv": "1\n", "crm.csv": "1\n"})
    write = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if "crm" in self.name:
            raise OSError(28, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_together({"list.csv": "2\n", "crm.csv": "2\n"})
    assert store.read("list.csv") == b"1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crm.csv", "list.csv"]


def test_together_a_rename_that_fails_puts_the_older_ones_back(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    store.write_together({"list.csv": "1\n", "crm.csv": "1\n"})
    (tmp_path / "page.md").mkdir()
    with pytest.raises(UsageError, match="cannot be written: Is a directory"):
        store.write_together({"new.csv": "2\n", "list.csv": "2\n", "crm.csv": "2\n", "page.md": "2\n"})
    assert store.read("list.csv") == store.read("crm.csv") == b"1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crm.csv", "list.csv", "page.md"]


@pytest.mark.parametrize(
    ("place", "why"),
    [("a_file", r"\S*a_file is no folder"), ("a_file/below", "Not a directory"), ("a_folder", "Is a directory")],
)
def test_a_place_that_cannot_be_written_is_said_and_nothing_is_left(tmp_path: Path, place: str, why: str) -> None:
    (tmp_path / "a_file").write_text("mine")
    (tmp_path / "a_folder" / "page.html").mkdir(parents=True)
    store = ArtifactStore(tmp_path / place)
    for write in (lambda: store.write("page.html", "1\n"), lambda: store.write_together({"page.html": "1\n"})):
        with pytest.raises(UsageError, match=rf"{place}(/\S+)? cannot be written: {why}"):
            write()
    assert (tmp_path / "a_file").read_text() == "mine"
    assert [path.name for path in tmp_path.rglob("*") if path.suffix == ".tmp"] == []


def test_a_write_that_is_cut_off_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ArtifactStore(tmp_path)
    store.write(NAME, "older")
    write = Path.write_bytes

    def half(path: Path, data: bytes) -> int:
        write(path, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        store.write(NAME, "newer and longer")
    assert store.read(NAME) == b"older"


def test_in_a_bucket_an_artifact_is_one_upload(bucket: Location) -> None:
    store = ArtifactStore(bucket)
    store.write(NAME, "older")
    before = generation(bucket / NAME)
    store.write(NAME, "newer")
    assert int(generation(bucket / NAME).split("-")[1]) == int(before.split("-")[1]) + 1


def test_a_bucket_that_cannot_be_written_is_said(bucket: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Forbidden: no storage.objects.create")

    monkeypatch.setattr(bucket.fs.__class__, "pipe_file", refuse)
    with pytest.raises(UsageError, match=r"20240107/report.md cannot be reached: Forbidden"):
        ArtifactStore(bucket).write(NAME, "content")


def test_a_bucket_that_is_not_there_is_said(gcs: Location) -> None:
    with pytest.raises((UsageError, FileNotFoundError)):
        ArtifactStore(location("gs://no-such-bucket/artifacts")).write(NAME, "content")
