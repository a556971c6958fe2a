"""Folders by path or URL: what is taken, what an object is known by, what is said of a bucket that is not there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.locations import Location, generation, is_local, location, make_folder, reaching, sha256, writing
from leadscore_v6.settings import from_environment
from tests.buckets import upload


def test_a_path_stays_a_path_and_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert location("feed") == tmp_path / "feed"
    assert type(location("feed")) is type(Path())
    assert is_local(location("feed"))


@pytest.mark.parametrize("text", ["gs://bucket/some/prefix", "gs://bucket/some/prefix/"])
def test_a_url_keeps_its_slashes(text: str) -> None:
    place = location(text)
    assert not is_local(place)
    assert str(place / "Lead.csv") == "gs://bucket/some/prefix/Lead.csv"


@pytest.mark.parametrize("text", ["gs://", "gs:///", "://bucket", "nonesuch://bucket/feed"])
def test_a_url_that_names_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no"):
        location(text)


def test_settings_take_urls_for_inputs_and_artifacts(tmp_path: Path) -> None:
    settings = from_environment({"LEADSCORE_DATA": "gs://b/in", "LEADSCORE_ARTIFACTS": "gs://b/out"}, home=tmp_path)
    assert (str(settings.data), str(settings.artifacts)) == ("gs://b/in", "gs://b/out")
    assert from_environment({}, home=tmp_path).artifacts == tmp_path / "artifacts"


def test_every_upload_is_another_generation_even_of_the_same_content(bucket: Location) -> None:
    first = generation(upload(bucket, "Lead.csv", b"a"))
    again = generation(upload(bucket, "Lead.csv", b"a"))
    assert first.startswith("generation-")
    assert again != first
    assert generation(bucket / "Lead.csv") == again


def test_the_real_store_numbers_generations_too(gcs: Location) -> None:
    first = generation(upload(gcs, "Lead.csv", b"a"))
    assert generation(upload(gcs, "Lead.csv", b"a")) != first
    with pytest.raises(FileNotFoundError):
        generation(gcs / "nowhere.csv")


def test_a_listing_is_as_of_now(gcs: Location) -> None:
    """The sensor lives for months in one process; a listing that fsspec remembers would hide what has come since."""
    upload(gcs, "one", b"1")
    assert [path.name for path in gcs.iterdir()] == ["one"]
    with_another_client = gcs.fs.__class__(token="anon", endpoint_url=gcs.fs._endpoint, skip_instance_cache=True)
    with_another_client.pipe_file("leadscore-test/feed/two", b"2")
    assert sorted(path.name for path in gcs.iterdir()) == ["one", "two"]
    assert (gcs / "two").is_file()


def test_a_store_without_generations_is_refused() -> None:
    with pytest.raises(UsageError, match="numbers no generations"):
        generation(upload(location("memory://bucket/feed"), "Lead.csv", b"a"))


def test_a_digest_is_that_of_the_content(bucket: Location, tmp_path: Path) -> None:
    content = b"some,content\n" * 1000
    (tmp_path / "file").write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()
    assert sha256(tmp_path / "file") == sha256(upload(bucket, "file", content)) == expected


class DefaultCredentialsError(Exception):
    """As google-auth names it."""


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (DefaultCredentialsError("not found.\nSee there."), "not found. (DefaultCredentialsError)\n  what to do: give"),
        (OSError("Forbidden"), "Forbidden (OSError)\n  what to do: `leadscore doctor`"),
        (RuntimeError(), "RuntimeError (RuntimeError)"),
        (
            ImportError("Please install gcsfs"),
            "(ImportError)\n  what to do: install what speaks to that store; for gs://",
        ),
    ],
)
def test_a_bucket_that_cannot_be_reached_is_said_with_what_to_do(error: Exception, says: str) -> None:
    place = location("gs://somebody/feed")
    with pytest.raises(UsageError) as told, reaching(place):
        raise error
    assert str(told.value).startswith("gs://somebody/feed cannot be reached: ")
    assert says in str(told.value)
    assert told.value.__cause__ is error


@pytest.mark.parametrize("error", [FileNotFoundError("x"), InputError("x"), UsageError("x")])
def test_what_has_a_meaning_of_its_own_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as told, reaching(location("gs://somebody/feed")):
        raise error
    assert told.value is error


def test_local_errors_pass_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), reaching(tmp_path):
        raise PermissionError("no")


def test_a_folder_of_this_machine_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "a_file").write_text("mine")
    for place, why in (("a_file", r"\S*a_file is no folder"), ("a_file/below", "Not a directory")):
        with pytest.raises(UsageError, match=rf"{place} cannot be written: {why}"):
            make_folder(tmp_path / place)
    make_folder(tmp_path / "a" / "folder")
    make_folder(tmp_path / "a" / "folder")
    with pytest.raises(OSError, match="No space"), writing(tmp_path):
        raise OSError(28, "No space left on device")
