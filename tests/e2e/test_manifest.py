"""The manifest of a training set against the files that went in, read without the product (R48, R49)."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from tests.e2e.conftest import AS_OF
from tests.e2e.gate_cases import KEY
from tests.e2e.sabotage import PROMOTED, Product
from tests.e2e.test_outdated import correct

TRAINING = "step_3_3_training_dataset_v6"


def manifest(product: Product, version: str) -> dict[str, Any]:
    name = f"step_3_3_training_dataset_manifest_v6_{version}.json"
    return dict(json.loads((product.settings.artifacts / name).read_text()))


def files(folder: Path) -> dict[str, tuple[str, int, int]]:
    """SHA-256, bytes and records of every input file, by its name."""
    found = {}
    for path in folder.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            records = sum(1 for _ in csv.reader(file)) - 1
        found[path.name] = (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size, records)
    return found


def pinned(found: dict[str, Any]) -> dict[str, tuple[str, int, int]]:
    return {file["name"]: (file["sha256"], file["bytes"], file["records"]) for file in found["files"]}


def test_each_version_pins_its_files_and_goes_on_doing_so_after_a_correction(product: Product) -> None:
    first = product.run_from("crm_leads", KEY, {"rebuild": True})
    assert first.stops == []
    version, _ = product.served()
    before = manifest(product, version)
    assert pinned(before) == files(product.settings.data)
    assert len(before["files"]) == 3
    assert before["version"] == version
    assert before["options"] == {
        "as_of": AS_OF,
        "crm_extracted_at": product.ledger.latest("crm_leads").facts["crm_extracted_at"],
        "label_window_days": 30,
        "entry_lag_days": 0,
    }
    for place, step in before["built_from"].items():
        asset, _, key = place.partition("/")
        assert step["content_key"] == product.ledger.latest(asset, key or None).content_key
    assert set(before["built_from"]) >= {f"snapshot_firms/{KEY}", "crm_leads", "step_3_1_staging_join_v6"}
    # The ledger has the same, and the report shows it.
    attempt = product.ledger.latest(TRAINING)
    assert {**before, **attempt.facts["manifest"]} == before
    report = product.settings.artifacts / f"step_3_3_class_imbalance_analysis_v6_{version}.md"
    for name, (digest, _, records) in files(product.settings.data).items():
        assert f"| {name} | {records:,} | `{digest}` |" in report.read_text()

    correct(product)
    assert product.run_from("snapshot_reps_raw", KEY, {}).materialized[-1] == PROMOTED
    newer, _ = product.served()
    assert newer != version
    assert pinned(manifest(product, newer)) == files(product.settings.data)
    assert manifest(product, version) == before
    assert pinned(before) != files(product.settings.data)
