"""The manifest of a folder of files: what is in it, by SHA-256, so that nothing altered is ever loaded (R24).

Belongs here: sealing a folder, and verifying it before any of its files is opened by a library. The manifest's own
digest is kept in the ledger: whoever changes a file and the manifest with it is found out too.
Does not belong here: what the files mean (models.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadscore_v6.errors import InputError

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a folder holds. `files`: size in bytes and SHA-256 by name; `about`: plain facts, as of library releases."""

    attempt: str
    files: Mapping[str, tuple[int, str]]
    about: Mapping[str, Any]


def seal(folder: Path, attempt: str, about: Mapping[str, Any]) -> str:
    """Write the manifest of everything in `folder`; returns the SHA-256 of the manifest itself."""
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    entries = {path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)} for path in files}
    document = {"format": FORMAT, "attempt": attempt, "about": dict(about), "files": entries}
    text = json.dumps(document, indent=2, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest as it stands, not verified. Raises InputError when there is none, or it is none of ours."""
    return _parse(folder, _read(folder))


def verify(folder: Path, digest: str) -> Manifest:
    """The manifest, once it and every file that it names are byte for byte what was sealed.

    digest: SHA-256 of the manifest, as the ledger has it. Raises InputError naming the first file that is missing,
    truncated or altered; nothing but sizes and digests of the files has been read by then.
    """
    content = _read(folder)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _damaged(folder / MANIFEST, "is not the manifest that was published with it")
    manifest = _parse(folder, content)
    for name, (size, sha256) in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise _damaged(path, "is missing")
        if path.stat().st_size != size:
            raise _damaged(path, f"has {path.stat().st_size:,} bytes where {size:,} were published")
        if _digest(path) != sha256:
            raise _damaged(path, "was altered: its SHA-256 is not the published one")
    return manifest


def unverified(folder: Path, digest: str, expected: tuple[str, ...]) -> list[str]:
    """What is wrong with a folder, in words: for the gate that asks whether there is anything (none: an empty list)."""
    try:
        manifest = verify(folder, digest)
    except InputError as error:
        return [error.what]
    missing = [f"{name} was not written" for name in expected if name not in manifest.files]
    return missing + [f"{name} is empty" for name, (size, _) in manifest.files.items() if size == 0]


def _read(folder: Path) -> bytes:
    try:
        return (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise _damaged(folder / MANIFEST, "is missing") from None


def _parse(folder: Path, content: bytes) -> Manifest:
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise _damaged(folder / MANIFEST, f"has format {document['format']}, and this version reads {FORMAT}")
        files = {name: (int(entry["bytes"]), str(entry["sha256"])) for name, entry in document["files"].items()}
        if any(Path(name).name != name for name in files):
            raise _damaged(folder / MANIFEST, "names a file outside of its folder")
        return Manifest(str(document["attempt"]), files, document["about"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(folder / MANIFEST, "cannot be read as a manifest") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, what: str) -> InputError:
    return InputError(
        f"{path.name} {what}; it was not loaded",
        file=str(path),
        remedy="restore the home from a backup: `leadscore restore ARCHIVE --home NEW`. Where the champion is a model "
        "whose files are not whole, a former one serves by `leadscore rollback --model FORMER --by NAME --reason WHY`; "
        "`leadscore train --rebuild` makes a new one, which does not serve by that.",
    )
