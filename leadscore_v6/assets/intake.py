"""Taking in a file: landed once, remembered in the ledger, and not read again while it is the same file.

Belongs here: which landed file a step uses, and that it is whole still. Does not belong here: reading a file
(warehouse/landing).
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from leadscore_v6.errors import InputError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.ledger import Attempt, Ledger, Place, Withdrawal
from leadscore_v6.locations import Location, reaching, sha256
from leadscore_v6.warehouse.landing import file_mark, verify

Facts = Mapping[str, Any]


def take_in(bench: Bench, place: Place, file: Location, store: Path, land: Callable[[Location], Facts]) -> Facts:
    """Facts of the landed file that the place is to be built from.

    A file that is there and was not withdrawn is landed; a known one (same name, size, inode and times, or the same
    generation of an object) is not read again. Without one, the newest landed file that was not withdrawn and is in the
    store still (R56) serves. Raises InputError when there is none, when the one in the store is not what was landed, or
    when the file is refused, which the ledger then records (R54).
    """
    ledger = bench.ledger
    with reaching(file):
        mark = file_mark(file) if file.is_file() else None
    if mark is not None:
        landed = _kept(ledger.landed.get(place, []), store)
        facts = next((known for known in landed if known["fingerprint"] == mark), None)
        if facts is None and ledger.withdrawal(place, mark) is None:
            facts = _land(bench, place, file, mark, land)
        if facts is not None and ledger.withdrawal(place, facts["digest"]) is None:
            require_whole(facts, store)
            return facts
    serving = next(iter(_kept(ledger.usable(place), store)), None)
    if serving is None:
        what = f"This {file.name} was withdrawn" if mark is not None else f"There is no {file.name}"
        raise InputError(
            f"{what}, and no earlier one is in the store",
            file=file.name,
            remedy=f"put it into {file.parent}, or name its folder with --data or LEADSCORE_DATA.",
        )
    require_whole(serving, store)
    return serving


@contextmanager
def refusal_recorded(bench: Bench, place: Place, facts: Facts) -> Iterator[None]:
    """Where the file is refused, the ledger says so, and nothing goes on with the one before (R54).

    facts: its name and fingerprint; of one that is landed all there is, so that it can be withdrawn by its content.
    """
    try:
        yield
    except InputError as error:
        key = hashlib.sha256(str(facts["fingerprint"]).encode()).hexdigest()
        known = {name: facts[name] for name in ("file_name", "fingerprint")}
        bench.refuse(place, key, str(error), known, source=facts.get("digest"))
        raise


def withdrawal_of(ledger: Ledger, place: Place, file: Location) -> Withdrawal | None:
    """The withdrawal that this very file falls under, if any. It is read only if its size leaves that open."""
    mark = file_mark(file)
    known = {facts["fingerprint"]: facts["digest"] for facts in ledger.landed.get(place, [])}
    if mark in known or ledger.withdrawal(place, mark) is not None:
        return ledger.withdrawal(place, known.get(mark, mark))
    sizes = {facts["bytes"] for facts in ledger.landed.get(place, []) if ledger.withdrawal(place, facts["digest"])}
    if file.stat().st_size not in sizes:
        return None
    return ledger.withdrawal(place, sha256(file))


def require_whole(facts: Facts, store: Path) -> None:
    """Raise InputError unless a landed file is what was landed: by size and time, and by its digest if they differ.

    A home that was copied or restored has other times; those of a file that proves whole are set right, so that it is
    read once.
    """
    file = store / facts["stored_as"]
    with suppress(FileNotFoundError):
        status = file.stat()
        if (status.st_size, status.st_mtime_ns) == (facts["bytes"], facts["stored_mtime_ns"]):
            return
    verify(file, facts["digest"], facts["file_name"])
    with suppress(OSError):
        os.utime(file, ns=(facts["stored_mtime_ns"], facts["stored_mtime_ns"]))


def _kept(landed: Sequence[Facts], store: Path) -> Iterator[Facts]:
    """Those that are in the store still, newest first."""
    return (known for known in reversed(landed) if (store / known["stored_as"]).is_file())


def _land(bench: Bench, place: Place, file: Location, mark: str, land: Callable[[Location], Facts]) -> Facts:
    with refusal_recorded(bench, place, {"file_name": file.name, "fingerprint": mark}):
        facts = {**land(file), "fingerprint": mark}
    bench.record("landed", Attempt("", *place, None, ""), facts)
    return facts

