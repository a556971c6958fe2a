"""What a crash can leave half done where several tables are not one write: made good before anything else is written.

Belongs here: bringing the warehouse to what the ledger says. Does not belong here: attempts that did not end; a run
carries them out again by itself (attempt.py).

Only the newest line of the ledger can lack what belongs to it: there is one writer, and it ends each write before it
begins the next. A view may have been moved without a line.
"""

from __future__ import annotations

from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.decisions import PROMOTED, TRAINING
from leadscore_v6.gates.ledger import Attempt, verdict_lines


def mend(bench: Bench) -> None:
    """Write verdicts that the newest line lacks, drop candidates that it published, point the promoted view as it says.

    Nothing to do on an engine whose writes are atomic.
    """
    newest = bench.ledger.newest
    if bench.warehouse.atomic or newest is None:
        return
    if newest["event"] in ("judged", "rejudged"):
        _write_verdicts(bench, bench.ledger.attempts[newest["attempt"]])
    if newest["event"] == "published":
        for candidate in bench.ledger.attempts[newest["attempt"]].outputs.values():
            bench.shelf(candidate).drop(candidate)
    _point_view(bench)


def _write_verdicts(bench: Bench, attempt: Attempt) -> None:
    sql = f"SELECT COUNT(*) AS written FROM `{bench.store.gates}` WHERE seq = @seq"
    (row,) = bench.warehouse.query(sql, {"seq": attempt.seq})
    if not row["written"]:
        at = bench.ledger.newest["at"] if bench.ledger.newest else bench.clock()
        bench.warehouse.insert(
            bench.store.gates, verdict_lines(attempt, bench.ledger.verdicts(attempt), bench.run_id, at)
        )


def _point_view(bench: Bench) -> None:
    """To the version that the ledger says: a view that was moved without a line is moved again when the line is due."""
    view = f"{bench.warehouse.dataset}.{PROMOTED}"
    served = bench.ledger.serving(view)
    if served is None:
        return
    table = f"{bench.warehouse.dataset}.{TRAINING}_{served.facts['promoted_version']}"
    if f"`{table}`" not in (bench.warehouse.definition(view) or "") and bench.warehouse.exists(table):
        bench.warehouse.create_view(view, f"SELECT * FROM `{table}`")
