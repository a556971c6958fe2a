"""Writing artifacts so that nobody ever sees half of one.

Belongs here: where an artifact goes and how it gets there. Does not belong here: what it says (reports/).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from leadscore_v6.locations import Location, reaching, writing


@dataclass(frozen=True)
class ArtifactStore:
    """Artifacts under one root: a local folder, or a prefix of a bucket."""

    root: Location

    def write(self, name: str, content: str | bytes) -> Location:
        """Write an artifact whole, in place of an older one of the same name; returns its path.

        Locally it is written beside its place and renamed into it; in a bucket it is one object, which is there when
        its upload is complete, and the older one until then. Raises UsageError if the place cannot be written.
        """
        path, data = self.root / name, content.encode() if isinstance(content, str) else content
        if isinstance(path, Path):
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
                try:
                    temporary.write_bytes(data)
                    temporary.replace(path)
                finally:
                    temporary.unlink(missing_ok=True)
        else:
            with reaching(path):
                path.fs.pipe_file(path.path, data)
        return path

    def exists(self, name: str) -> bool:
        """Whether there is an artifact of that name."""
        path = self.root / name
        with reaching(path):
            return path.is_file()

    def write_together(self, files: Mapping[str, str | bytes]) -> dict[str, Location]:
        """Write several artifacts that are of no use without one another; their paths by name.

        All are written beside their places before the first is renamed into its own, and the older ones are kept until
        the last is, so that whatever keeps one from its place keeps them all from being changed. In a bucket, where
        nothing is renamed, those that were uploaded are removed again when a later one fails. Raises as `write`.
        """
        if isinstance(self.root, Path):
            beside = {name: f".{name}.{os.getpid()}.tmp" for name in files}
            try:
                for name, content in files.items():
                    self.write(beside[name], content)
                with writing(self.root):
                    return _take_places({self.root / name: self.root / beside[name] for name in files})
            finally:
                for name in beside.values():
                    with suppress(NotADirectoryError):  # the root is a file: what is said of that is said already
                        (self.root / name).unlink(missing_ok=True)
        done: dict[str, Location] = {}
        try:
            for name, content in files.items():
                done[name] = self.write(name, content)
        except BaseException:
            for path in done.values():
                with suppress(OSError):
                    path.unlink()
            raise
        return done

    def read(self, name: str) -> bytes:
        """An artifact's content. Raises FileNotFoundError if there is none of that name."""
        path = self.root / name
        with reaching(path):
            return path.read_bytes()


def _take_places(beside: Mapping[Path, Path]) -> dict[str, Location]:
    """Rename new files into their places, all or none: older ones are copied, and put back when a rename fails."""
    older: dict[Path, Path] = {}
    taken: list[Path] = []
    try:
        for place, new in beside.items():
            if place.is_file():
                older[place] = Path(shutil.copy2(place, new.with_suffix(".old")))
            new.replace(place)
            taken.append(place)
    except BaseException:
        for place in taken:
            if place in older:
                older.pop(place).replace(place)
            else:
                place.unlink()
        raise
    finally:
        for copy in older.values():
            copy.unlink(missing_ok=True)
    return {place.name: place for place in beside}
