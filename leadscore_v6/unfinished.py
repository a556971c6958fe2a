"""What is written beside its place until it is whole, and what of it a killed process has left there.

Belongs here: the archive of a backup and the folder of a restore while they are made, and removing those that nobody
makes any more. They hold personal data. Does not belong here: what is written into them (backup.py).

Each is locked by the process that makes it (flock): the kernel lets the lock go with the process, however that ends, so
that nothing has to be guessed from its name or age. On a disk without locks nothing is ever taken for left behind.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NAMES = re.compile(r"\..+\.[0-9]+\.backup\.tmp|\..+\.restoring\.[0-9]+")


def archive_of(file: Path) -> Path:
    """Where the archive `file` is written by this process."""
    return file.with_name(f".{file.name}.{os.getpid()}.backup.tmp")


def folder_of(home: Path) -> Path:
    """Where `home` is restored by this process."""
    return home.with_name(f".{home.name}.restoring.{os.getpid()}")


def new_file(path: Path) -> IO[bytes]:
    """A new file, locked until it is closed. Whatever the umask is, it is its owner's only: it holds personal data."""
    while True:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        if _locked(file.fileno(), path):
            return file
        file.close()


@contextmanager
def new_folder(path: Path) -> Iterator[None]:
    """A new folder, locked; gone when the block ends, unless it has got another name by then."""
    while True:
        path.mkdir()
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY)
            if _locked(descriptor, path):
                break
            os.close(descriptor)
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _locked(descriptor: int, path: Path) -> bool:
    """Lock what was just made; False if another process took it for left behind, and removed it, before that."""
    with suppress(OSError):  # a disk without locks: nobody can lock it to clear it away either
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def left_behind(folder: Path) -> list[Path]:
    """What backups and restores have left in a folder that no process makes any more. Changes nothing."""
    return [path for path in _unfinished(folder) if _is_nobodys(path)]


def clear_away(folder: Path, progress: Callable[[str], None]) -> None:
    """Remove that, and say so. What is being made is locked by its process, and stays; so does what is another's."""
    for path in _unfinished(folder):
        with suppress(OSError), _alone(path):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            progress(f"Removed {path}, which a backup or a restore that was killed had left there.")


def _unfinished(folder: Path) -> list[Path]:
    found = sorted(folder.glob(".*")) if folder.is_dir() else []
    return [path for path in found if _NAMES.fullmatch(path.name) and not path.is_symlink()]


def _is_nobodys(path: Path) -> bool:
    with suppress(OSError), _alone(path):
        return True
    return False


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Locked for us alone. Raises OSError where it is not ours to open, or another process has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
