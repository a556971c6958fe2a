"""Of which model, and of which day, a lead's answer is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6 import why
from leadscore_v6.errors import UsageError
from leadscore_v6.settings import Settings
from tests.dashboard_panels.story import TODAY, Story


class LoadedError(Exception):
    """The model of this version would be loaded now."""


@pytest.mark.parametrize(
    ("serves", "asked", "answers"),
    [("20260101", None, "20260101"), ("20260101", "20260401", "20260401"), (None, None, "20260401")],
)
def test_it_is_the_champions_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serves: str | None, asked: str | None, answers: str
) -> None:
    """After a refresh that kept the champion the newest validated model is the one that lost."""
    story = Story()
    story.extract()
    for version in ("20260101", "20260401"):
        story.model(version)
        if version != serves:
            assert story.said.pop()["event"] == "promoted"

    def loaded(_folder: Path, _digest: str, version: str, *_others: Any) -> None:
        raise LoadedError(version)

    monkeypatch.setattr(why, "read_ledger", lambda _settings: (story.ledger(), False))
    monkeypatch.setattr(why, "load_scorer", loaded)
    with pytest.raises(LoadedError, match=answers):
        why.ask(Settings(home=tmp_path, data=tmp_path), "00Q", asked)


def test_the_newest_day_is_one_that_counts() -> None:
    """A day after the extract that serves was scored by an extract that was taken back, or a clock that was wrong."""
    story = Story()
    story.extract()
    story.snapshot()
    story.model("20260101")
    for days in (-1, 0, 3):
        story.day(f"{TODAY + timedelta(days=days):%Y%m%d}")
    assert why._days(story.ledger(), None) == [TODAY - timedelta(days=1), TODAY]


@pytest.mark.parametrize(
    ("reasons", "found"),
    [
        (None, []),
        ("for: an owner", [("for", "an owner")]),
        ("for: type A; B: new; against: alone", [("for", "type A; B: new"), ("against", "alone")]),
    ],
)
def test_stored_reasons_are_taken_apart_whatever_is_in_them(reasons: str | None, found: list[tuple[str, str]]) -> None:
    assert [(one["direction"], one["text"]) for one in why._split(reasons)] == found


def test_an_own_model_scores_anew_and_a_day_is_what_is_stored(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        why.ask(Settings(home=tmp_path, data=tmp_path), "00Q", "20260101", TODAY)
