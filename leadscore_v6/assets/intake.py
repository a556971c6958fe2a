"""Taking in a file: landed once, remembered in the ledger, and not read again while it is the same file.

Belongs here: which landed file a step uses. Does not belong here: reading a file (warehouse/landing).
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from leadscore_v6.errors import InputError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.ledger import Attempt

Facts = Mapping[str, Any]


def take_in(
    bench: Bench, place: tuple[str, str | None], file: Path, store: Path, land: Callable[[Path], Facts]
) -> Facts:
    """Facts of the landed file that the place is to be built from.

    A file that is there and was not withdrawn is landed; a known one (same name, size, inode and times) is not read
    again. Without one, the newest landed file that was not withdrawn and is in the store still (R56) serves. Raises
    InputError when there is none, or when the file is refused, which the ledger then records (R54).
    """
    landed = [known for known in bench.ledger.landed.get(place, []) if (store / known["stored_as"]).is_file()]
    withdrawn = {entry.get(word) for entry in bench.ledger.withdrawn_files for word in ("digest", "fingerprint")}
    if file.is_file():
        mark = file_mark(file)
        facts = next((known for known in reversed(landed) if known["fingerprint"] == mark), None)
        if facts is None and mark not in withdrawn:
            facts = _land(bench, place, file, mark, land)
        if facts is not None and facts["digest"] not in withdrawn:
            return facts
    serving = next((known for known in reversed(landed) if known["digest"] not in withdrawn), None)
    if serving is None:
        what = f"This {file.name} was withdrawn" if file.is_file() else f"There is no {file.name}"
        raise InputError(
            f"{what}, and no earlier one is in the store",
            file=file.name,
            remedy=f"put it into {file.parent}, or name its folder with --data or LEADSCORE_DATA.",
        )
    return serving


def _land(
    bench: Bench, place: tuple[str, str | None], file: Path, mark: str, land: Callable[[Path], Facts]
) -> Facts:
    try:
        facts = {**land(file), "fingerprint": mark}
    except InputError as error:
        key = hashlib.sha256(mark.encode()).hexdigest()
        bench.refuse(place, key, str(error), {"file_name": file.name, "fingerprint": mark})
        raise
    bench.record("landed", Attempt("", *place, None, ""), facts)
    return facts


def file_mark(file: Path) -> str:
    """What git's index trusts too: a change of content without a change of any of these cannot be had by mistake."""
    status = file.stat()
    parts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return "-".join(map(str, parts))
