"""What a trend is taken against: the last day before the snapshot, as the table has it (R38)."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from leadscore_v6.assets.production import data
from leadscore_v6.assets.production.data import PRODUCTION, compared_with
from leadscore_v6.gates.ledger import Attempt

SNAPSHOT = date(2026, 1, 4)


def attempt(key: str, version: str = "20260101", state: str = "published") -> Attempt:
    return Attempt(key, PRODUCTION, key, None, f"rows of {key}", facts={"model_version": version}, state=state)


@pytest.mark.parametrize(
    ("scored", "found"),
    [
        # Since the snapshot nothing more was known of anybody.
        ([attempt("20260110"), attempt("20260104")], None),
        ([attempt("20260110"), attempt("20260103"), attempt("20260102")], "20260103"),
        # Places of two models are not comparable.
        ([attempt("20260103", "20250101"), attempt("20251231")], "20251231"),
        ([attempt("20251130")], "20251130"),
        ([attempt("20251129")], None),
        ([], None),
    ],
)
def test_it_is_the_last_day_by_the_same_model_before_the_newest_snapshot(
    scored: list[Attempt], found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a day whose newest attempt failed, what serves is the rows that were published before."""
    monkeypatch.setattr(data, "served_day", lambda _bench: SNAPSHOT)
    served = {f"LeadScoring.{PRODUCTION}${one.partition}": one for one in scored}
    stopped = {one.partition: attempt(str(one.partition), state="judged") for one in scored}
    ledger: Any = SimpleNamespace(serving=served.get, latest=lambda _asset, key: stopped.get(key))
    bench: Any = SimpleNamespace(ledger=ledger, warehouse=SimpleNamespace(dataset="LeadScoring"))
    then = compared_with(bench, "20260101", 35)
    assert (then and then.content_key) == (found and f"rows of {found}")
