"""The one spelling of a CRD (R34), for those that a person types or writes into a file.

Belongs here: what macros.sql does to the CRDs of tables, for one text. Does not belong here: whether anybody has it.
"""

from __future__ import annotations


def canonical_crd(text: str) -> str | None:
    """The digits, as macros.sql has them: blanks around it, leading zeros and an integral `.0` allowed; else None."""
    text = text.strip()
    whole, point, rest = text.partition(".")
    if point and rest.strip("0"):
        return None
    digits = whole.lstrip("0")
    return digits if digits.isascii() and digits.isdigit() else None
