"""What the gates ask of a model's folder is found out from its files: overlaps, advisors on both sides, leads twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from leadscore_v6.assets.model.audit import leads_in_two_blocks, split_figures

VERSION = "20261125"
# Ten leads, one every ten days, of ten advisors.
IDS = [f"lead{number}" for number in range(10)]
CONTACT = np.datetime64("2025-01-01") + 10 * np.arange(10)
HONEST: dict[str, Any] = {
    "training": ["lead0", "lead1"],
    "calibration": ["lead5"],
    "holdout": ["lead9"],
    "fold_1": {"train": ["lead0"], "test": ["lead4"]},
}


@dataclass
class Data:
    """As much of a training set as the audit looks at."""

    contact: Any = None
    dialled: Any = None
    advisors: Any = None
    lead_ids: Any = None


def data(advisors: list[int] | None = None) -> Any:
    return Data(CONTACT, CONTACT, np.array(advisors or range(10)), np.array(IDS, dtype=object))


def figures(
    folder: Path, written: dict[str, Any], advisors: list[int] | None = None, method: str = ""
) -> dict[str, int]:
    (folder / f"cv_fold_indices_v6_{VERSION}.json").write_text(json.dumps(written))
    block = SimpleNamespace(method=method or "blocked_time_series")
    training: Any = SimpleNamespace(folds=[SimpleNamespace(block=block)])
    return split_figures(folder, VERSION, data(advisors), training)


def test_an_honest_split_has_nothing_to_show(tmp_path: Path) -> None:
    assert figures(tmp_path, HONEST) == {"window_overlaps": 0, "advisors_on_both_sides": 0}
    assert leads_in_two_blocks(tmp_path, VERSION) == 0


@pytest.mark.parametrize(
    ("spoiled", "overlaps"),
    [
        # Thirty days after contact is the first day of the test block: the label is not known before it (R16).
        ({"fold_1": {"train": ["lead0", "lead1"], "test": ["lead4"]}}, 1),
        ({"training": ["lead0", "lead2"]}, 1),
        ({"calibration": ["lead6"]}, 1),
        ({"fold_1": {"train": ["lead5", "lead6"], "test": ["lead4"]}}, 2),
    ],
)
def test_a_label_window_that_reaches_the_later_block_is_counted(
    tmp_path: Path, spoiled: dict[str, Any], overlaps: int
) -> None:
    assert figures(tmp_path, {**HONEST, **spoiled})["window_overlaps"] == overlaps


@pytest.mark.parametrize("shared", [(0, 4), (1, 5), (1, 9), (5, 9)])
def test_an_advisor_on_both_sides_is_counted(tmp_path: Path, shared: tuple[int, int]) -> None:
    advisors = list(range(10))
    advisors[shared[1]] = advisors[shared[0]]
    assert figures(tmp_path, HONEST, advisors)["advisors_on_both_sides"] == 1


def test_random_folds_overlap_by_their_nature_and_the_blocks_are_looked_at_all_the_same(tmp_path: Path) -> None:
    mixed = {**HONEST, "fold_1": {"train": ["lead0", "lead5"], "test": ["lead1", "lead4"]}}
    assert figures(tmp_path, mixed, method="stratified_kfold")["window_overlaps"] == 0
    mixed["training"] = ["lead0", "lead3"]
    assert figures(tmp_path, mixed, method="stratified_kfold")["window_overlaps"] == 1


def test_a_lead_in_two_blocks_is_counted(tmp_path: Path) -> None:
    figures(tmp_path, {**HONEST, "calibration": ["lead1"]})
    assert leads_in_two_blocks(tmp_path, VERSION) == 1
