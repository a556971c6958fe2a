"""Attempts whose output is a folder of files: published as a table is, found by version, kept as they were judged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import seal
from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates.attempt import Candidates, Outcome, Work
from leadscore_v6.gates.decisions import Waiver, waive
from leadscore_v6.gates.models import folder_of, known_models, model_of, stopping
from leadscore_v6.gates.retention import collect, expendable
from tests.gates.conftest import GATES, TODAY, TRAINING, Lab

PARENTS = {"trained_model": None, "calibrated_model": "trained_model", "backtest": "calibrated_model"}
MODEL_GATES = """
  - {name: cv_auc_pr, step: "4.1", asset: trained_model, says: Good., figure: auc_pr, op: ">", value: 0.15}
  - {name: canaries, step: "4.2", asset: trained_model, says: None., figure: leaks, op: "==", value: 0, waivable: false}
"""


@pytest.fixture
def models(lab: Lab) -> Lab:
    """A home with a promoted set, and gates of 4.1."""
    lab.gates.write_text(GATES + MODEL_GATES)
    lab.run()
    return lab


def work(lab: Lab, asset: str, content: str, **figures: float | None) -> Work:
    """A step whose folder holds one file with `content`."""

    def build(candidates: Candidates) -> Mapping[str, Any]:
        (candidate,) = candidates.values()
        lab.built.append(asset)
        folder = folders(lab).begin(candidate)
        (folder / "model.ubj").write_text(content)
        parent = lab.bench().ledger.latest(PARENTS[asset]) if PARENTS[asset] else None
        digest = seal(folder, candidate.rpartition("__")[2], {})
        made = {"manifest_sha256": digest, "made_from": parent.key if parent else None}
        return {**made, "as_of": "2024-05-05", "dataset_version": lab.bench().ledger.latest(TRAINING).version}

    version = f"{lab.today:%Y%m%d}"
    if PARENTS[asset]:
        version = lab.bench().ledger.latest(PARENTS[asset]).version
    measured = {"auc_pr": 0.3, "leaks": 0, **figures}
    outputs = (f"artifacts/{asset}_v6_{{version}}",)
    return Work(asset, None, {"content": content}, outputs, build, lambda candidates: measured, version=version)


def attempt(lab: Lab, asset: str = "trained_model", content: str = "trees", **figures: float | None) -> Outcome:
    return lab.bench().attempt(work(lab, asset, content, **figures))


def folders(lab: Lab) -> FolderStore:
    return FolderStore(lab.settings.artifacts)


def names(lab: Lab) -> list[str]:
    return [path.name for path in sorted(lab.settings.artifacts.iterdir())]


def test_a_folder_that_passes_is_published_and_no_candidate_stays(models: Lab) -> None:
    outcome = attempt(models)
    assert outcome.attempt.state == "published"
    assert names(models) == ["trained_model_v6_20260105"]
    assert (models.settings.artifacts / "trained_model_v6_20260105/model.ubj").read_text() == "trees"
    assert attempt(models).recognised
    assert models.built[-1:] == ["trained_model"]


def test_another_model_of_the_same_day_gets_a_name_of_its_own(models: Lab) -> None:
    assert [attempt(models, content=content).attempt.version for content in "abc"] == [
        "20260105",
        "20260105_2",
        "20260105_3",
    ]


def test_a_model_that_fails_is_not_published_and_what_follows_may_not_start(models: Lab) -> None:
    attempt(models, content="good")
    stopped = attempt(models, content="bad", auc_pr=0.06).attempt
    assert names(models) == [f"candidate__trained_model_v6_20260105_2__{stopped.key}", "trained_model_v6_20260105"]
    with pytest.raises(GateBlocked, match="cv_auc_pr"):
        attempt(models, "calibrated_model")


def test_a_waiver_publishes_the_very_folder_that_was_judged(models: Lab) -> None:
    stopped = attempt(models, content="bad", auc_pr=0.06).attempt
    waive(models.bench(), Waiver("cv_auc_pr", stopped.key, "Ann", "pilot", TODAY))
    models.built.clear()
    assert attempt(models, content="bad").attempt.key == stopped.key
    assert models.built == []
    assert (models.settings.artifacts / "trained_model_v6_20260105/model.ubj").read_text() == "bad"


def test_leaks_can_be_waived_by_no_one(models: Lab) -> None:
    stopped = attempt(models, leaks=1).attempt
    with pytest.raises(UsageError, match="cannot be waived by anyone"):
        waive(models.bench(), Waiver("canaries", stopped.key, "Ann", "pilot", TODAY))


def test_a_model_that_cannot_be_judged_stops(models: Lab) -> None:
    outcome = attempt(models, auc_pr=None)
    assert [verdict.word for verdict in outcome.blocking] == ["not judgeable"]


class Killed(BaseException):
    """The process ends here."""


def test_a_crash_between_the_folder_and_the_ledger_heals(models: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = FolderStore.publish

    def killed(store: FolderStore, candidate: str, name: str) -> None:
        publish(store, candidate, name)
        raise Killed

    monkeypatch.setattr(FolderStore, "publish", killed)
    with pytest.raises(Killed):
        attempt(models)
    monkeypatch.setattr(FolderStore, "publish", publish)
    healed = attempt(models)
    assert healed.recognised
    assert healed.attempt.version == "20260105"
    assert names(models) == ["trained_model_v6_20260105"]


def test_a_folder_that_somebody_removed_is_built_again_under_a_new_name(models: Lab) -> None:
    attempt(models)
    folders(models).drop("artifacts/trained_model_v6_20260105")
    assert attempt(models).attempt.version == "20260105_2"


def test_models_are_found_with_how_far_they_came(models: Lab) -> None:
    first = attempt(models, content="first")
    for asset in ("calibrated_model", "backtest"):
        attempt(models, asset)
    stopped = attempt(models, content="second", auc_pr=0.06).attempt
    ledger = models.bench().ledger
    newest, older = known_models(ledger)
    assert (newest.version, newest.validated, newest.calibrated) == ("20260105_2", False, None)
    assert [verdict.gate.name for verdict in stopping(ledger, newest)] == ["cv_auc_pr"]
    assert (older.version, older.validated) == ("20260105", True)
    assert older.trained.key == first.attempt.key
    assert folder_of(older.trained) == "artifacts/trained_model_v6_20260105"
    assert folder_of(stopped) == f"artifacts/candidate__trained_model_v6_20260105_2__{stopped.key}"
    # By default the newest that is validated, not the newest.
    assert model_of(ledger, None).version == "20260105"
    assert model_of(ledger, "20260105_2").version == "20260105_2"
    with pytest.raises(UsageError, match="There is no model '20250101'; there are 20260105_2, 20260105"):
        model_of(ledger, "20250101")


def test_without_a_model_that_passed_it_is_said_what_stopped_the_newest(models: Lab) -> None:
    with pytest.raises(UsageError, match="leadscore train"):
        model_of(models.bench().ledger, None)
    attempt(models, auc_pr=0.06)
    with pytest.raises(GateBlocked, match="stopped at trained_model"):
        model_of(models.bench().ledger, None)


def test_gc_keeps_the_newest_models_and_what_a_waiver_needs(models: Lab) -> None:
    waived = attempt(models, content="waived", auc_pr=0.06).attempt
    waive(models.bench(), Waiver("cv_auc_pr", waived.key, "Ann", "pilot", TODAY))
    for content in "abc":
        attempt(models, content=content)
    found = expendable(models.bench(), models.settings, 2)
    assert [Path(name).name for name in found.folders] == ["trained_model_v6_20260105_2"]
    collect(models.bench(), found)
    assert names(models) == [
        f"candidate__trained_model_v6_20260105__{waived.key}",
        "trained_model_v6_20260105_3",
        "trained_model_v6_20260105_4",
    ]
