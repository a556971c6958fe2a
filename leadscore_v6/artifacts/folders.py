"""Folders of files that are published as one: built as a candidate that nobody reads, judged, then given their name.

Belongs here: where such a folder is and how it gets there. Does not belong here: single files (store.py), or what a
folder's files must be to be trusted (manifest.py).

It goes the way of a table. Its full name begins with `artifacts/`, so that the ledger can tell it from a table's
(`Dataset.table`).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from leadscore_v6.artifacts.manifest import MANIFEST, read_manifest
from leadscore_v6.errors import LeadscoreError

PREFIX = "artifacts/"


@dataclass(frozen=True)
class FolderStore:
    """Sealed folders under one root, the `artifacts/` of a home."""

    root: Path

    def path(self, name: str) -> Path:
        """Where a folder is, by its full name (`artifacts/…`)."""
        return self.root / name.removeprefix(PREFIX)

    def begin(self, candidate: str) -> Path:
        """An empty folder for a candidate, in place of what a crash may have left there."""
        self.drop(candidate)
        path = self.path(candidate)
        path.mkdir(parents=True)
        return path

    def exists(self, name: str) -> bool:
        """Whether a sealed folder of that full name is there; one without a manifest was never finished."""
        return (self.path(name) / MANIFEST).is_file()

    def publish(self, candidate: str, name: str) -> None:
        """Give a sealed candidate its public name. The candidate stays until its attempt is in the ledger.

        Raises LeadscoreError when the name belongs to another attempt: a published name is never replaced (R39).
        """
        source, target = self.path(candidate), self.path(name)
        if target.exists():
            there, here = read_manifest(target), read_manifest(source)
            if there.attempt != here.attempt:
                raise LeadscoreError(
                    f"{target} is there already, published by attempt {there.attempt}, which this home's ledger does "
                    "not know. Nothing is ever written over a published name.\n"
                    "  what to do: move that folder away, or restore the warehouse that it belongs to; then run again."
                )
            # A crash after the rename and before the ledger's line: what it left is made anew.
            shutil.rmtree(target)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(source, temporary)
        temporary.rename(target)

    def drop(self, name: str) -> None:
        """Remove a folder; nothing happens if it is not there."""
        if self.path(name).is_dir():
            shutil.rmtree(self.path(name))

    def names(self) -> list[str]:
        """Full names of all sealed folders, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(PREFIX + manifest.parent.name for manifest in self.root.glob(f"[!.]*/{MANIFEST}"))
