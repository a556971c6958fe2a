"""Gates as config/gates.yaml declares them.

Belongs here: loading and looking up gates. Does not belong here: judging (`judge.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from leadscore_v6.contracts import load_document
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.paths import config_root


@dataclass(frozen=True)
class Condition:
    """`figure op value`; `between` takes an inclusive pair."""

    figure: str
    op: str
    value: Any

    def __str__(self) -> str:
        """As a person reads a threshold: `>= 0.85`, `between 5 and 20`."""
        if self.op == "between":
            return f"between {self.value[0]:,} and {self.value[1]:,}"
        return f"{self.op} {self.value:,}"


@dataclass(frozen=True)
class Gate:
    """One validation gate of the plan with its literal condition and its companion.

    cause, check, remedy: why it mostly does not hold, what to look at first, what heals it; in words, empty where the
    file says nothing.
    """

    name: str
    step: str
    asset: str
    says: str
    literal: Condition
    companion: Condition | None
    when: Condition | None
    combine: str
    severity: str
    waivable: bool
    cause: str = ""
    check: str = ""
    remedy: str = ""

    @property
    def advice(self) -> dict[str, str]:
        """What to do when it does not hold: cause, check and remedy, of those that are said."""
        said = {"cause": self.cause, "check": self.check, "remedy": self.remedy}
        return {word: text for word, text in said.items() if text}

    @property
    def told(self) -> dict[str, str]:
        """All that a person asks about it: what it says, what must be, what a miss does, and what to do then."""
        if self.blocking:
            what = "stops what follows; " + ("a person may waive it" if self.waivable else "nobody can waive it")
        else:
            what = "a warning: nothing is stopped"
        asks = "warns if" if self.combine == "alert_if_both" else "must be"
        replaced = self.combine == "companion_replaces"
        must = self.threshold if replaced else f"{self.literal.figure} {self.threshold}"
        judged = {"judged if": f"{self.when.figure} {self.when}"} if self.when else {}
        return {"says": self.says, asks: must, **judged, "a miss": what, **self.advice}

    @property
    def blocking(self) -> bool:
        """Whether a failure stops this run and every later one."""
        return self.severity == "error" and self.combine != "alert_if_both"

    @property
    def figures(self) -> set[str]:
        """Names of the figures that it is judged by."""
        conditions = (self.literal, self.companion, self.when)
        return {condition.figure for condition in conditions if condition is not None}

    @property
    def threshold(self) -> str:
        """The thresholds in words, literal first."""
        if self.companion is None:
            return str(self.literal)
        if self.combine == "companion_replaces":
            return f"{self.companion.figure} {self.companion} (the plan's {self.literal} is printed only)"
        return f"{self.literal} and {self.companion.figure} {self.companion}"

    @property
    def config_hash(self) -> str:
        """Changes when a threshold or its figure does, so that stored verdicts are known to be stale (R38)."""
        parts = [self.literal, self.companion, self.when, self.combine, self.severity]
        return hashlib.sha256(json.dumps([repr(part) for part in parts]).encode()).hexdigest()[:12]


class Registry:
    """All gates, by name and by asset, in the order of the file."""

    def __init__(self, gates: list[Gate]) -> None:
        """Names are unique; that is part of the file's schema check."""
        self._gates = {gate.name: gate for gate in gates}

    def __getitem__(self, name: str) -> Gate:
        """The gate of that name. Raises UsageError with near names."""
        if name not in self._gates:
            import difflib

            near = difflib.get_close_matches(name, self._gates, n=3, cutoff=0.4)
            hint = f" Did you mean {', '.join(near)}?" if near else ""
            raise UsageError(f"There is no gate named {name!r}.{hint} `leadscore status` lists them.")
        return self._gates[name]

    def of(self, asset: str) -> list[Gate]:
        """The gates of one asset."""
        return [gate for gate in self._gates.values() if gate.asset == asset]


def load_gates() -> Registry:
    """The product's gates, from config/gates.yaml as it is now; read again only when the file has changed.

    Raises UsageError if a gate that the plan asks for (steps.py) is gone, or was given to another step.
    """
    path = config_root() / "gates.yaml"
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _loaded(path: Path, _changed: int) -> Registry:
    gates = read_gates(path)
    gone = [
        f"{name} (of {step.asset})"
        for step in STEPS.values()
        for name in step.gates
        if name not in {gate.name for gate in gates.of(step.asset)}
    ]
    if gone:
        raise UsageError(
            f"{path.name} lacks gates that the plan asks for: {', '.join(gone)}. A gate may get another threshold or, "
            "for one attempt, a waiver; it cannot be left out."
        )
    return gates


def read_gates(path: Path) -> Registry:
    """Gates of a file, checked against the JSON Schema. Raises InputError with the line if it is malformed."""
    gates = [_gate(entry) for entry in load_document(path, "gates")["gates"]]
    twice = {gate.name for gate in gates if sum(other.name == gate.name for other in gates) > 1}
    if twice:
        raise UsageError(f"{path.name} declares {', '.join(sorted(twice))} more than once.")
    return Registry(gates)


def _gate(entry: Mapping[str, Any]) -> Gate:
    return Gate(
        name=entry["name"],
        step=entry["step"],
        asset=entry["asset"],
        says=entry["says"],
        literal=Condition(entry["figure"], entry["op"], entry["value"]),
        companion=_condition(entry.get("companion")),
        when=_condition(entry.get("when")),
        combine=entry.get("combine", "literal_and_companion"),
        severity=entry.get("severity", "error"),
        waivable=entry.get("waivable", True),
        **{word: entry.get(word, "") for word in ("cause", "check", "remedy")},
    )


def _condition(entry: Mapping[str, Any] | None) -> Condition | None:
    return None if entry is None else Condition(entry["figure"], entry["op"], entry["value"])
