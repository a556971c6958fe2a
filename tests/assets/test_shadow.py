"""Which days are judged together, and which of them count."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from leadscore_v6.assets.shadow.week import Window, window
from leadscore_v6.gates.judge import judge
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.models import KnownModel
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.partitions import last_days

LAST = date(2025, 11, 4)
WEEK = tuple(LAST - timedelta(days=back) for back in reversed(range(7)))


@pytest.mark.parametrize(("missing", "in_a_row"), [((), 7), ((0,), 6), ((3,), 3), ((6,), 0), ((0, 5), 1)])
def test_days_count_back_to_the_first_that_is_missing(missing: tuple[int, ...], in_a_row: int) -> None:
    window = Window(WEEK, {WEEK[place]: "never scored" for place in missing}, frozenset({"20261125"}))
    assert window.in_a_row == in_a_row


def test_the_last_days_end_with_the_extracts() -> None:
    assert last_days(date(2025, 3, 2), 3) == ["20250228", "20250301", "20250302"]


@pytest.mark.parametrize(
    ("points", "beyond_chance", "word"), [(9.0, 0, "pass"), (12.0, 0, "fail"), (12.0, 1, "fail")]
)
def test_ten_points_stop_whatever_the_companion_says_of_chance(points: float, beyond_chance: int, word: str) -> None:
    """R40 says ten points; whether chance explains them is told beside it, and is a reason to waive, not to pass."""
    gate = load_gates()["shadow_features_available"]
    verdict = judge(gate, {"worst_missing_points": points, "features_unavailable": beyond_chance})
    assert verdict.word == word
    assert f"features_unavailable {beyond_chance}" in str(verdict)


def test_a_day_counts_for_the_files_that_scored_it_whatever_their_name() -> None:
    class Ledger:
        """Seven days of two models of one name."""

        def keys(self, _asset: str) -> list[str]:
            return [f"{day:%Y%m%d}" for day in WEEK]

        def latest(self, asset: str, key: str) -> Attempt:
            digest = "now" if key >= f"{WEEK[2]:%Y%m%d}" else "before"
            facts = {"model_version": "20261125", "model_manifest": digest}
            return Attempt(key, asset, key, None, key, state="published", facts=facts)

        def blocking(self, _attempt: Attempt) -> list[object]:
            return []

    calibrated = Attempt("c", "calibrated_model", None, "20261125", "c", facts={"manifest_sha256": "now"})
    model = KnownModel(Attempt("t", "trained_model", None, "20261125", "t"), calibrated, None)
    judged = window(Ledger(), model, 7)  # type: ignore[arg-type]
    assert judged.in_a_row == 5
    assert set(judged.missing) == set(WEEK[:2])
