"""The machine: Python and the libraries, the home, the disk, where artifacts go."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from leadscore_v6.doctor.finding import Finding, missing, ok
from leadscore_v6.locations import is_local
from leadscore_v6.settings import Settings
from leadscore_v6.unfinished import left_behind

_PACKAGE = "leadscore-v6"
_INSTALL = "install what was locked: pip install --no-deps --require-hashes -r requirements.lock"
# Bytes that a home needs whatever is landed: the warehouse's tables, Dagster's storage, and room to work.
_ROOM = 2 << 30


def python_and_libraries(settings: Settings) -> Iterator[Finding]:
    """Are they the ones that the package asks for? What it asks for is in its own metadata (pyproject.toml)."""
    package = distribution(_PACKAGE)
    wanted = package.metadata["Requires-Python"]
    now = platform.python_version()
    if now in SpecifierSet(wanted):
        yield ok("python", f"{now} ({wanted})")
    else:
        yield missing("python", f"{now}; {_PACKAGE} needs {wanted}", "make the environment anew with such a Python")
    extras = [""] + ["gcs"] * (not (is_local(settings.data) and is_local(settings.artifacts)))
    asked = [Requirement(text) for text in package.requires or []]
    asked = [wish for wish in asked if _applies(wish, extras)]
    wrong = [said for wish in asked if (said := _wrong(wish))]
    if wrong:
        gcs = "; for gs:// also: pip install 'leadscore-v6[gcs]'" if len(extras) > 1 else ""
        yield missing("libraries", "; ".join(wrong), _INSTALL + gcs)
    else:
        yield ok("libraries", f"{len(asked)} asked for, all there in releases that fit")


def _applies(wish: Requirement, extras: list[str]) -> bool:
    return wish.marker is None or any(wish.marker.evaluate({"extra": extra}) for extra in extras)


def _wrong(wish: Requirement) -> str:
    try:
        there = version(wish.name)
    except PackageNotFoundError:
        return f"{wish.name} is not installed"
    return "" if wish.specifier.contains(there, prereleases=True) else f"{wish.name} is {there}, not {wish.specifier}"


def home(settings: Settings) -> Finding:
    """Can the home be written, and does its file system lock files (R44)? One that is not there yet can be made."""
    place = nearest(settings.home)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        remedy = f"let {_me()} write there, or name another home with --home or LEADSCORE_HOME"
        return missing("home", f"{settings.home}: {place} cannot be written", remedy)
    if place != settings.home:
        return ok("home", f"{settings.home} (not there yet; the first run makes it)")
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        remedy = "put the home on a local disk: one writer at a time is a lock of the file system"
        return missing("home", f"{settings.home}: {error.strerror or error}", remedy)
    return ok("home", str(settings.home))


def disk(settings: Settings, to_land: int) -> Finding:
    """Is there room for the files that are not landed yet (`to_land` bytes), and to work?"""
    place = nearest(settings.home)
    free, need = shutil.disk_usage(place).free, _ROOM + to_land
    figures = f"{_gigabytes(free)} free at {place}; {_gigabytes(to_land)} to land, {_gigabytes(_ROOM)} to work"
    if free >= need:
        return ok("disk", figures)
    return missing("disk", figures, "free some space (`leadscore gc --dry-run` shows what can go), or move the home")


def local_artifacts(root: Path) -> Finding:
    """Can reports be written to a local folder?"""
    place = nearest(root)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return ok("artifacts", str(root))
    remedy = f"let {_me()} write there, or name another place with LEADSCORE_ARTIFACTS"
    return missing("artifacts", f"{root}: {place} cannot be written", remedy)


def unfinished(settings: Settings) -> Finding:
    """Has a backup or a restore that was killed left personal data beside the home?"""
    left = left_behind(settings.home.absolute().parent)
    if not left:
        return ok("left behind", "nothing of a backup or a restore that was killed")
    remedy = "restore or back up again, which removes it; or, where the home is there, leadscore gc"
    return missing("left behind", f"{', '.join(map(str, left))}: of a killed backup or restore", remedy)


def nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _gigabytes(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GiB"


def _me() -> str:
    return f"user {os.getuid()}"
