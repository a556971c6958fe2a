"""The best possible AUC-PR: that of the true probabilities, on the leads asked about and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world import best_possible


def test_it_is_the_average_precision_of_the_truth_on_these_leads(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    probability = np.round(rng.random(400), 2)
    label = (rng.random(400) < probability).astype(int)
    truth = tmp_path / "truth.csv"
    rows = [f"lead{n},{p},{y}" for n, (p, y) in enumerate(zip(probability, label, strict=True))]
    truth.write_text("Id,probability,label\n" + "\n".join(rows) + "\n")
    asked = [f"lead{n}" for n in range(100, 300)]
    expected = average_precision_score(label[100:300], probability[100:300])
    assert best_possible(truth, asked[::-1]) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(UsageError, match="1 of 201 leads are not in"):
        best_possible(truth, [*asked, "stranger"])
