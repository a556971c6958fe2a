"""Of which model a lead's answer is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadscore_v6 import why
from leadscore_v6.settings import Settings
from tests.dashboard_panels.story import Story


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
