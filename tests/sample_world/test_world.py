"""Writing a world: the same bytes again, the truth somewhere else, nothing real overwritten."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world import WorldSpec, write_world
from leadscore_v6.sample_world.figures import average_precision, roc_auc

SMALL = WorldSpec(reps=300, leads=60, quarters=2)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_same_spec_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_world(tmp_path / name, WorldSpec(reps=300, leads=60, quarters=2, seed=seed))
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a.truth") == digests(tmp_path / "b.truth")
    assert not set(digests(tmp_path / "a").values()) & set(digests(tmp_path / "c").values())


def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more rows than one thread takes at a time."""
    connect = duckdb.connect
    for threads in (1, 4):

        def with_threads(threads: int = threads) -> Any:
            return connect(config={"threads": threads})

        monkeypatch.setattr("leadscore_v6.sample_world.feed.duckdb.connect", with_threads)
        write_world(tmp_path / str(threads), WorldSpec(reps=125_000, leads=10, quarters=1))
    assert digests(tmp_path / "1") == digests(tmp_path / "4")


def test_a_further_quarter_changes_no_earlier_feed(tmp_path: Path) -> None:
    """So a ninth quarter can arrive in a world that is there; and no snapshot depends on what comes after it."""
    for quarters in (2, 4):
        write_world(tmp_path / str(quarters), WorldSpec(reps=300, leads=60, quarters=quarters))
    long, short = digests(tmp_path / "4"), digests(tmp_path / "2")
    feeds = {"RIARepDataFeed_20240107.csv", "RIARepDataFeed_20240331.csv"}
    assert {name: long[name] for name in feeds} == {name: short[name] for name in feeds}


def test_the_truth_is_not_in_the_feed_folder(tmp_path: Path) -> None:
    summary = write_world(tmp_path / "feed", SMALL)
    assert sorted(digests(tmp_path / "feed")) == [
        "Lead.csv", "README.txt", "RIARepDataFeed_20240107.csv", "RIARepDataFeed_20240331.csv",
    ]  # fmt: skip
    assert summary.truth == tmp_path / "feed.truth" / "truth.csv"
    assert "SYNTHETIC" in (tmp_path / "feed" / "README.txt").read_text(encoding="utf-8")
    assert "probability" not in "".join(p.read_text(encoding="utf-8")[:5000] for p in (tmp_path / "feed").glob("*.csv"))
    with pytest.raises(UsageError, match="must not be inside"):
        write_world(tmp_path / "feed", SMALL, truth=tmp_path / "feed" / "truth.csv")


def test_the_truth_can_be_elsewhere(tmp_path: Path) -> None:
    assert write_world(tmp_path / "feed", SMALL, truth=tmp_path / "safe" / "t.csv").truth.stat().st_size > 1000
    assert not (tmp_path / "feed.truth").exists()


def test_of_the_folder_of_the_truth_nothing_else_is_removed(tmp_path: Path) -> None:
    """It may be anybody's: what a played world keeps is in its own folder, under names of its own."""
    (tmp_path / "safe").mkdir()
    for name in ("played.txt", "spec.json", "history.csv", "played.json"):
        (tmp_path / "safe" / name).write_text("mine")
    for _ in range(2):
        write_world(tmp_path / "feed", SMALL, truth=tmp_path / "safe" / "t.csv")
    assert {path.name for path in (tmp_path / "safe").iterdir() if path.read_text() == "mine"} == {
        "played.txt", "spec.json", "history.csv", "played.json",
    }  # fmt: skip


def test_a_world_replaces_a_world_but_never_what_may_be_real(tmp_path: Path) -> None:
    write_world(tmp_path, WorldSpec(reps=300, leads=60, quarters=3), truth=tmp_path.parent / "t.csv")
    write_world(tmp_path, SMALL, truth=tmp_path.parent / "t.csv")
    assert len(list(tmp_path.glob("RIA*"))) == 2
    (tmp_path / "README.txt").write_text("from the vendor")
    before = digests(tmp_path)
    with pytest.raises(UsageError, match="not marked as synthetic"):
        write_world(tmp_path, SMALL, truth=tmp_path.parent / "t.csv")
    assert digests(tmp_path) == before


def test_progress_names_every_file(tmp_path: Path) -> None:
    lines: list[str] = []
    summary = write_world(tmp_path / "feed", SMALL, lines.append)
    said = "\n".join(lines)
    assert all(name in said for name in [*summary.feed_rows, "Lead.csv"])
    assert summary.feed_rows["RIARepDataFeed_20240107.csv"] >= SMALL.reps


@pytest.mark.parametrize("reps", [50, 80])
def test_the_smallest_worlds_work(reps: int, tmp_path: Path) -> None:
    summary = write_world(tmp_path / "feed", WorldSpec(reps=reps, leads=500, quarters=4))
    assert summary.leads == 500  # more leads than advisors: an advisor is several leads
    assert summary.match_rate > 0.85


def test_figures_are_the_textbooks() -> None:
    """Values of the worked example in scikit-learn's documentation of both functions."""
    import numpy as np

    score, label = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    assert roc_auc(score, label) == 0.75
    assert average_precision(score, label) == pytest.approx(0.8333, abs=1e-4)
    assert roc_auc(np.full(4, 0.5), label) == 0.5
    assert average_precision(np.full(4, 0.5), label) == 0.5
