"""What a trend is taken against is in the content key as the table has it, whatever became of later attempts (R38)."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from leadscore_v6.assets.production.data import PRODUCTION, earlier_contents
from leadscore_v6.gates.ledger import Attempt


def attempt(key: str, content: str, state: str) -> Attempt:
    return Attempt(content, PRODUCTION, key, None, content, state=state)


def test_of_a_day_whose_newest_attempt_failed_the_rows_that_stand_count() -> None:
    table = f"LeadScoring.{PRODUCTION}"
    served = {
        f"{table}$20251103": attempt("20251103", "published before", "published"),
        f"{table}$20251101": attempt("20251101", "published", "published"),
        f"{table}$20250901": attempt("20250901", "too long ago", "published"),
    }
    latest = {"20251103": attempt("20251103", "stopped by a gate since", "judged")}
    ledger: Any = SimpleNamespace(serving=served.get, latest=lambda _asset, key: latest.get(key))
    bench: Any = SimpleNamespace(ledger=ledger, warehouse=SimpleNamespace(dataset="LeadScoring"))
    assert earlier_contents(bench, date(2025, 11, 4), 35) == {"20251103": "published before", "20251101": "published"}
