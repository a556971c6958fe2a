"""Folders that are on this machine or in a bucket: one spelling, one kind of path.

Belongs here: from what a person writes (`feed/`, `gs://bucket/prefix`) to a path, what tells an object's content apart
without reading it, and what a person is told when a bucket cannot be reached. Does not belong here: which folder holds
what (settings.py), or what a file means (warehouse/landing, artifacts).

A local folder is a plain `Path`: nothing of fsspec is loaded, and nothing is slower for it. Anything else is a `UPath`,
which has the same methods.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from leadscore_v6.errors import LeadscoreError, UsageError, says_full

if TYPE_CHECKING:
    from upath import UPath

Location: TypeAlias = "Path | UPath"

_GCS = ("gs", "gcs")


def location(text: str | Path) -> Location:
    """The folder that a person named: a local path, made absolute, or a URL. Nothing is looked up yet.

    Raises UsageError for a URL that names no bucket, or an unknown kind of store.
    """
    if "://" not in str(text):
        return Path(text).absolute()
    protocol, _, rest = str(text).partition("://")
    if not protocol or not rest.strip("/"):
        raise UsageError(f"{str(text)!r} names no bucket; write gs://BUCKET/FOLDER, or the path of a local folder.")
    from upath import UPath

    try:
        bucket: UPath = UPath(str(text).rstrip("/"), **_options(protocol))
    except ValueError as error:
        raise UsageError(f"{text} names no kind of store that is known: {error}.") from None
    return bucket


def is_local(path: Location) -> TypeGuard[Path]:
    """Whether the path is one of this machine's file system."""
    return isinstance(path, Path)


def generation(path: UPath) -> str:
    """What a bucket calls this content of this object: another one after every upload, whatever was uploaded.

    Raises FileNotFoundError without such an object, UsageError if the store numbers no generations.
    """
    number = path.fs.info(path.path).get("generation")
    if number is None:
        raise UsageError(
            f"{path.protocol}:// does not tell one content of {path.name} from the next (it numbers no generations); "
            "use a gs:// bucket or a local folder."
        )
    return f"generation-{number}"


def open_object(path: UPath) -> Any:
    """The object as a binary file, of the size that it has now.

    Every request reads what is there then: who must not read two contents as one compares generations before and after.
    """
    return path.open("rb")


def sha256(path: Location) -> str:
    """The digest of a file's content, read from end to end; an object is downloaded for it."""
    with path.open("rb") if isinstance(path, Path) else open_object(path) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def reaching(path: Location) -> Iterator[None]:
    """What keeps a bucket from being read or written, as an error that says what to do; local errors pass as they are.

    A missing object stays FileNotFoundError: callers know what its absence means.
    """
    try:
        yield
    except (LeadscoreError, FileNotFoundError):
        raise
    except Exception as error:
        # gcsfs, aiohttp and google-auth have no error in common that a bucket's trouble could be told by.
        if is_local(path):
            raise
        raise UsageError(_trouble(path, error)) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What keeps a place on this machine from being written, as an error that names it. A full disk passes as it is."""
    try:
        yield
    except OSError as error:
        if says_full(str(error)):
            raise
        # What mkdir says of a file where it was to make a folder.
        why = f"{error.filename} is no folder" if isinstance(error, FileExistsError) else error.strerror or str(error)
        raise UsageError(
            f"{path} cannot be written: {why}.\n"
            "  what to do: name another place, or see to the permissions of this one; then run the same command again."
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder of this machine, and those that it lies in, where it is not there. Raises UsageError naming it."""
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


def _options(protocol: str) -> dict[str, Any]:
    """How fsspec is to reach a store."""
    # A listing must be as of now: the sensor lives for months in one process.
    options: dict[str, Any] = {"use_listings_cache": False}
    if protocol in _GCS:
        # gcsfs would ask another service, over gRPC and for up to a minute, whether a bucket is of a kind that we
        # do not need: one more permission, and one more address to reach. It reads this when it is imported.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        # Without this gcsfs goes on to ask anonymously when there are no credentials, and the answer blames the bucket.
        options["token"] = "anon" if os.environ.get("STORAGE_EMULATOR_HOST") else "google_default"
    return options


def _trouble(path: Location, error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    name = type(error).__name__
    if isinstance(error, ImportError):
        remedy = "install what speaks to that store; for gs:// it is the extra gcs: pip install 'leadscore-v6[gcs]'"
    elif name in {"DefaultCredentialsError", "RefreshError"}:
        remedy = "give this machine credentials (ADC); `leadscore doctor` says which are missing"
    else:
        remedy = "`leadscore doctor` checks credentials, bucket and permissions"
    return f"{path} cannot be reached: {first} ({name})\n  what to do: {remedy}"
