"""A version's manifest is about what it was built from, and stays so (R48, R49)."""

from __future__ import annotations

import platform
from importlib import metadata

from leadscore_v6.gates.manifest import libraries, manifest
from tests.gates.conftest import KEY, OTHER_KEY, TRAINING, Lab, with_build


def landed(lab: Lab, asset: str, key: str | None, content: str) -> None:
    """An attempt at a landed file, with the facts of one."""
    work = lab.work(asset, key, content)
    facts = {"file_name": f"{content}.csv", "digest": f"digest of {content}", "bytes": 9, "records": 2}
    told = {**facts, "synthetic": False}
    lab.bench().attempt(with_build(work, lambda candidates: {**work.build(candidates), **told}))


def test_it_has_every_file_and_every_step_before(lab: Lab) -> None:
    landed(lab, "crm_leads", None, "leads")
    for key in (KEY, OTHER_KEY):
        landed(lab, "snapshot_reps_raw", key, f"feed {key}")
    ledger = lab.bench().ledger
    found = manifest(ledger, TRAINING, {"as_of": "2024-05-05"})
    assert found["options"] == {"as_of": "2024-05-05"}
    assert [(file["asset"], file["partition"], file["name"], file["sha256"]) for file in found["files"]] == [
        ("crm_leads", None, "leads.csv", "digest of leads"),
        ("snapshot_reps_raw", KEY, f"feed {KEY}.csv", f"digest of feed {KEY}"),
        ("snapshot_reps_raw", OTHER_KEY, f"feed {OTHER_KEY}.csv", f"digest of feed {OTHER_KEY}"),
    ]
    assert all((file["bytes"], file["records"]) == (9, 2) for file in found["files"])
    assert {place: step["content_key"] for place, step in found["built_from"].items()} == {
        "crm_leads": ledger.latest("crm_leads").content_key,
        f"snapshot_reps_raw/{KEY}": ledger.latest("snapshot_reps_raw", KEY).content_key,
        f"snapshot_reps_raw/{OTHER_KEY}": ledger.latest("snapshot_reps_raw", OTHER_KEY).content_key,
    }


def test_its_libraries_are_those_that_are_installed() -> None:
    found = libraries()
    assert found["python"] == platform.python_version()
    for name in ("leadscore-v6", "duckdb", "sqlglot", "dagster", "numpy"):
        assert found[name] == metadata.version(name)
    assert not {"pytest", "ruff", "zetasql"} & found.keys()
