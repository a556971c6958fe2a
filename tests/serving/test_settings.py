"""Who is not scored, and what configuration is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.contracts import load_document
from leadscore_v6.errors import InputError
from leadscore_v6.paths import config_root
from leadscore_v6.serving.settings import SCORING_FILE, ScoringSettings

FILE = config_root() / SCORING_FILE
LEAD = {"lead_id": "00Q1", "crd": "7", "call_before_contact": 0}


def settings(**exclude: list[str]) -> ScoringSettings:
    content = load_document(FILE, "scoring")
    content["exclude"] |= exclude
    return ScoringSettings.of(content)


@pytest.mark.parametrize(
    ("lead", "why"),
    [
        ({}, None),
        ({"crd": None}, "no valid CRD"),
        ({"lead_id": "00Q9"}, "withdrawn"),
        ({"crd": "70"}, "excluded by a rule: advisor"),
        ({"call_before_contact": 1}, "excluded by a rule: a call was scheduled before the contact"),
    ],
)
def test_a_lead_is_skipped_for_a_reason(lead: dict[str, Any], why: str | None) -> None:
    assert settings(advisors=["70"], leads=["00Q9"]).why_skipped({**LEAD, **lead}) == why


def test_the_products_own_file_leaves_nobody_out() -> None:
    assert settings().why_skipped(LEAD) is None
    assert settings().shadow.days == 7


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("advisors: []", "advisors: ['007']", "does not match"),
        ("advisors: []", "advisors: [7]", "is not of type 'string'"),
        ("days: 7", "days: 0", "less than the minimum"),
        ("seed:", "sede:", "'seed' is a required property"),
    ],
)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = FILE.read_text()
    assert old in text
    (tmp_path / FILE.name).write_text(text.replace(old, new))
    with pytest.raises(InputError, match=says):
        load_document(tmp_path / FILE.name, "scoring")
