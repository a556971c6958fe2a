"""Digest of the code that decides a content (R38): what the steps put into their content keys.

Belongs here: turning patterns, libraries and files into one digest. Does not belong here: which code decides a step's
content; each group of steps names its own.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import leadscore_v6


def code_digest(patterns: Iterable[str], libraries: Mapping[str, str] | None = None, files: Iterable[Path] = ()) -> str:
    """SHA-256 over the package's files that match `patterns`, `files` beside them, and releases of `libraries`."""
    root = Path(leadscore_v6.__file__).parent
    digest = hashlib.sha256()
    for file in (*sorted({file for pattern in patterns for file in root.glob(pattern)}), *files):
        digest.update(file.name.encode() + file.read_bytes())
    for library, release in sorted((libraries or {}).items()):
        digest.update(f"{library} {release}".encode())
    return digest.hexdigest()
