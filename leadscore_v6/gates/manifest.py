"""What a version is made from, down to the bytes of every input file (R48, R49).

Belongs here: gathering it from the ledger when the version is built. Does not belong here: writing it to a file
(assets/carry_out.py), or showing it (reports/sections.py).
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any

from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.steps import ancestors

_DISTRIBUTION = "leadscore-v6"


def manifest(ledger: Ledger, asset: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of `asset`, whose parents all hold, as the ledger has them now; JSON can hold all of it.

    files: every registered snapshot's and the CRM extract's name, SHA-256, bytes and records, by asset and partition.
    built_from: attempt and content key of every step before, by asset and partition. options: what a person set, and
    what follows from it. libraries: what it was built with, by distribution.
    """
    places = [(step.asset, key) for step in ancestors(asset) for key in ledger.keys(step.asset)]
    before = sorted(filter(None, (ledger.latest(*place) for place in places)), key=_place)
    return {
        "options": dict(options),
        "files": [
            {
                "asset": attempt.asset,
                "partition": attempt.partition,
                "name": attempt.facts["file_name"],
                "sha256": attempt.facts["digest"],
                **{fact: attempt.facts[fact] for fact in ("bytes", "records", "synthetic")},
            }
            for attempt in before
            if "digest" in attempt.facts
        ],
        "built_from": {
            _place(attempt): {
                "attempt": attempt.key,
                "content_key": attempt.content_key,
                **({"version": attempt.version} if attempt.version else {}),
            }
            for attempt in before
        },
        "libraries": libraries(),
    }


def libraries() -> dict[str, str]:
    """Versions of Python, of this package, and of what it asks for at run time on this machine."""
    asked = (text for text in metadata.requires(_DISTRIBUTION) or () if "extra ==" not in text)
    names = sorted({re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0] for text in asked})
    found = {"python": platform.python_version()}
    for name in (_DISTRIBUTION, *names):
        with suppress(metadata.PackageNotFoundError):  # asked for on other machines only
            found[name] = metadata.version(name)
    return found


def _place(attempt: Attempt) -> str:
    return attempt.asset if attempt.partition is None else f"{attempt.asset}/{attempt.partition}"
