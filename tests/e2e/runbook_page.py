"""What docs/production_runbook_v6.md tells whoever gets an alert to do, read from the page itself.

Belongs here: the sections and their commands. Does not belong here: breaking a home, and whether the commands heal it
(test_runbook.py, and of a whole refresh test_refresh.py).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from tests.e2e.process import REPOSITORY

PAGE = (REPOSITORY / "docs" / "production_runbook_v6.md").read_text(encoding="utf-8")


def section(alert: str) -> str:
    """What the page says of an alert."""
    found = re.search(rf"^### .*`{alert}`.*\n([\s\S]*?)(?=^###? )", PAGE, re.MULTILINE)
    assert found is not None, f"docs/production_runbook_v6.md has no section on {alert}"
    return found[1]


def remedies(alert: str) -> list[list[str]]:
    """The section's fences, one for each remedy that it has: their lines."""
    fences = re.findall(r"^```sh\n([\s\S]*?)^```", section(alert), re.MULTILINE)
    return [[line for line in fence.splitlines() if line and not line.startswith("#")] for fence in fences]


def as_typed(line: str, words: Mapping[str, str]) -> list[str]:
    """The arguments of a line of the page, with `words` in place of those in capitals; `leadscore` is left out."""
    typed = shlex.split(line)[1:]
    for word, value in words.items():
        typed = [re.sub(rf"(?<![A-Za-z]){word}(?![A-Za-z_])", lambda _, value=value: value, one) for one in typed]
    return typed
