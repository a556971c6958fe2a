"""Two buckets to test with: one in memory, which numbers generations as gs:// does, and Google's own API over HTTP.

The second is a published emulator, spoken to by the real gcsfs. It has no IAM: what a person is told without permission
is tested on answers made by hand (doctor/).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import register_implementation
from upath.implementations.memory import MemoryPath
from upath.registry import register_implementation as register_path

from leadscore_v6.locations import Location

NUMBERED = "numbered"


class NumberedMemory(MemoryFileSystem):
    """A bucket in memory: every upload of an object gives it the next generation. `opened` lists what was read."""

    protocol = NUMBERED
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    generations: ClassVar[dict[str, int]] = {}
    opened: ClassVar[list[str]] = []
    _next = itertools.count(1_700_000_000_000_000)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace(f"{NUMBERED}://", "memory://")))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        super().pipe_file(path, value, mode=mode, **kwargs)
        self.generations[self._strip_protocol(path)] = next(self._next)

    def _open(self, path: str, mode: str = "rb", *rest: Any, **kwargs: Any) -> Any:
        if mode == "rb":
            self.opened.append(path.rpartition("/")[2])
        return super()._open(path, mode, *rest, **kwargs)

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        found = super().info(path, **kwargs)
        return found | {"generation": str(self.generations[found["name"]])} if found["type"] == "file" else found

    @classmethod
    def empty(cls) -> None:
        """Forget every object."""
        for kept in (cls.store, cls.generations, cls.opened):
            kept.clear()


register_implementation(NUMBERED, NumberedMemory, clobber=True)
register_path(NUMBERED, MemoryPath, clobber=True)


def upload(folder: Location, name: str, content: bytes) -> Location:
    """Put an object into a bucket, whole; returns its path."""
    path = folder / name
    assert not isinstance(path, Path)
    path.fs.pipe_file(path.path, content)
    return path


@contextmanager
def storage_emulator(bucket: str) -> Iterator[str]:
    """Cloud Storage at a local address, with one empty bucket; what STORAGE_EMULATOR_HOST is to be."""
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=bucket)
    server.start()
    # It would print a stack trace whenever a client closes a file before its end.
    server._api._httpd.handle_error = lambda *_: None
    try:
        host, port = server._api._httpd.server_address[:2]
        yield f"http://{host}:{port}"
    finally:
        server.stop()
