"""Which snapshots there are is what was registered, not the plan's list (R12); a reader never waits for it (R44)."""

from __future__ import annotations

import subprocess
import sys

from leadscore_v6.gates.bench import read_ledger
from tests.gates.conftest import KEY, Lab

NINTH = "20260104"  # the plan lists eight quarters, until 20251005
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


def test_a_ninth_quarter_is_registered_by_landing_and_counts(lab: Lab) -> None:
    for key in (NINTH, KEY):
        lab.attempt("snapshot_reps_raw", key)
    assert lab.bench().ledger.snapshots() == [KEY, NINTH]


def test_a_reader_is_answered_while_another_process_writes(lab: Lab) -> None:
    lab.attempt("snapshot_reps_raw", KEY)
    lab.warehouse.close()
    command = [sys.executable, "-c", HOLD, str(lab.settings.warehouse_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        ledger, from_mirror = read_ledger(lab.settings)
        other.communicate()
    assert from_mirror
    assert ledger.snapshots() == [KEY]
