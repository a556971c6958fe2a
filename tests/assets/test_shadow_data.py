"""A model is loaded with what its scores are made by; the baseline stands beside it in the shadow alone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import seal
from leadscore_v6.assets.shadow import data
from leadscore_v6.errors import InputError
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.models import KnownModel


def test_a_model_whose_baseline_is_of_an_older_version_still_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "trained"
    folder.mkdir()
    older = {"scorer": {"intercept": -3.0}, "coefficients": {"AUM": 0.1}}
    (folder / "model_v6_baseline_logit_20251101.json").write_text(json.dumps(older))
    facts = {"manifest_sha256": seal(folder, "k", {}), "importance": [{"feature": "AUM"}]}
    trained, calibrated = (
        Attempt(
            "k", f"{name}_model", None, "20251101", "c", "published", outputs={f"artifacts/{name}": ""}, facts=facts
        )
        for name in ("trained", "calibrated")
    )
    known = KnownModel(trained, calibrated, None)
    bench: Any = SimpleNamespace(folders=FolderStore(tmp_path))
    # A scorer needs a fitted booster; what it is loaded from is tested with the models.
    scorer = SimpleNamespace(missing_shares={"AUM": 0.02})
    monkeypatch.setattr(data, "load_scorer", lambda *_given: scorer)
    loaded = data.load_model(bench, known, 1)
    assert (loaded.version, loaded.scorer, loaded.top) == ("20251101", scorer, {"AUM": 0.02})
    with pytest.raises(InputError, match="trained by an older version, whose baseline is not read"):
        data.load_baseline_of(bench, known)
