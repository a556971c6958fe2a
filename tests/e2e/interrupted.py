"""`leadscore …` as a process that is killed, or held, at a chosen place. A script: test_faults.py starts it.

Belongs here: places in the life of an attempt, reached by patching this process only; the product has no such switch.
Does not belong here: what must hold afterwards.

    interrupted.py killed PLACES LOG …       run it again and again; each run is killed (SIGKILL) at the first of PLACES
                                             (joined by commas) that no earlier run was killed at, until one run ends.
                                             LOG gets the places.
    interrupted.py killed-at PLACE LOG …     one run, killed at that place; it fails if it never comes there.
    interrupted.py held-at PLACE FOLDER …    one run, which makes FOLDER/held there and goes on when FOLDER/go is there.

A place is `when event asset`: `before judged snapshot_reps` is after the build and before its verdict is written;
`before published …` inside the transaction that publishes; `after published …` after its commit and before everything
that follows (the ledger's mirror, the report, Dagster's event); `while landing` with a copy not yet in its place.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from leadscore_v6 import cli, runs  # runs: loaded once, before the processes part
from leadscore_v6.gates.ledger import LedgerStore
from leadscore_v6.warehouse.landing.store import RecordReader

assert runs
# A run that hangs ends as a failure of its own kind.
LONGEST_RUN_SECONDS = 120
# Each step of the plan in turn, and each kind of place more than once: too many for `make test`, which has KINDS.
PLACES = (
    "while landing",
    "before landed crm_leads",
    "before judged crm_leads",
    "after published crm_leads",
    "before published snapshot_reps_raw",
    "before judged snapshot_reps",
    "before published snapshot_firms",
    "after published snapshot_schemas",
    "before published v_discovery_firms_all_vintages",
    "after published v_discovery_reps_all_vintages",
    "before judged step_3_1_staging_join_v6",
    "before published step_3_3_training_dataset_v6",
    "before published v_latest_training_dataset_v6",
    "after published v_latest_training_dataset_v6",
)
KINDS = (
    "while landing",
    "before judged snapshot_reps",
    "before published step_3_3_training_dataset_v6",
    "after published v_latest_training_dataset_v6",
)


def watch(reached: Callable[[str], None]) -> None:
    """Have `reached` called with every place that this process comes to."""
    append, reflect, finish = LedgerStore.append, LedgerStore.reflect, RecordReader.finish

    def watched_append(self: LedgerStore, lines: Iterable[Mapping[str, Any]], *more: Any) -> None:
        for line in lines:
            reached(f"before {line['event']} {line['asset']}")
        append(self, lines, *more)  # type: ignore[arg-type]

    def watched_reflect(self: LedgerStore, lines: Iterable[Mapping[str, Any]]) -> None:
        for line in lines:
            reached(f"after {line['event']} {line['asset']}")
        reflect(self, lines)

    def watched_finish(self: RecordReader) -> None:
        finish(self)
        reached("while landing")

    LedgerStore.append = watched_append  # type: ignore[method-assign, assignment]
    LedgerStore.reflect = watched_reflect  # type: ignore[method-assign]
    RecordReader.finish = watched_finish  # type: ignore[method-assign]


def run(command: list[str], reached: Callable[[str], None]) -> int:
    """The command in a child of this process; its exit code, or minus the signal that ended it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST_RUN_SECONDS)
        watch(reached)
        sys.argv = ["leadscore", *command]
        try:
            cli.main()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed(places: list[str], log: Path, command: list[str]) -> int:
    """Run until a run ends by itself."""
    log.touch()
    while True:
        before = set(log.read_text().splitlines())

        def reached(place: str, before: set[str] = before) -> None:
            if place in places and place not in before:
                with log.open("a") as file:
                    file.write(place + "\n")
                os.kill(os.getpid(), signal.SIGKILL)

        code = run(command, reached)
        if code != -signal.SIGKILL:
            return code


def killed_at(place: str, log: Path, command: list[str]) -> int:
    """Run once, killed at the place."""

    def reached(here: str) -> None:
        if here == place:
            log.write_text(place)
            os.kill(os.getpid(), signal.SIGKILL)

    return 0 if run(command, reached) == -signal.SIGKILL else 1


def held_at(place: str, folder: Path, command: list[str]) -> int:
    """Run once, held at the place."""

    def reached(here: str) -> None:
        if here == place:
            (folder / "held").write_text(str(os.getpid()))
            while not (folder / "go").exists():
                time.sleep(0.02)

    return run(command, reached)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    where, file, *command = rest
    if mode == "killed":
        sys.exit(killed(where.split(","), Path(file), command))
    sys.exit({"killed-at": killed_at, "held-at": held_at}[mode](where, Path(file), command))
