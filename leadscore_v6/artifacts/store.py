"""Writing artifacts so that nobody ever sees half of one.

Belongs here: where an artifact goes and how it gets there. Does not belong here: what it says (reports/).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ArtifactStore:
    """Artifacts under one root folder."""

    root: Path

    def write(self, name: str, content: str | bytes) -> Path:
        """Write an artifact whole, in place of an older one of the same name; returns its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
        return path
