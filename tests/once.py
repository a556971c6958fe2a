"""Worlds that take long to make are made once for all of pytest's workers, by the first that comes for one.

Belongs here: where, and who makes it. Does not belong here: what is made.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of this run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once(folder: Path, make: Callable[[], object]) -> None:
    """Have `folder` filled by the first who comes; the others wait. Nobody may change it afterwards."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            make()
            (folder / "done").touch()
