"""What a played world remembers between two calls, in its truth folder.

Belongs here: reading and writing that memory. Does not belong here: any rule of the world.
Files: `spec.json` and `history.csv` (written with the world), `played_leads.csv` (one row per lead of the played weeks,
with its truth), `played_queue.csv` (one row per lead that was put before the associates: Id, arm, probability,
dialled ...) and `played.json`, which says how many weeks of these count. It is written last: a call that was cut short
has not happened, and the same call again writes the same bytes.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world.drift import Drift
from leadscore_v6.sample_world.leads import CONTACT, RECORD, write_csv
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.world import HISTORY, SPEC

LEADS: Final[dict[str, Any]] = {
    "week": int, "Id": str, "FA_CRD__c": str, CONTACT: str, "LeadSource": str, "plain": bool, "advisor": int,
    "crd": int, "contact_date": str, "counted": bool, "rep_snapshot_at": str, "probability": float, "draw": float,
    "days": float, "moment": float,
}  # fmt: skip
QUEUED: Final[dict[str, Any]] = {
    "week": int, "Id": str, "arm": str, "position": int, "probability": float, "dialled": int, "followed": int,
    "associate": str, "dialled_at": str, "queue": str,
}  # fmt: skip


@dataclass(frozen=True)
class Chronicle:
    """The world so far: `weeks` played, `quarters` begun, `delivered` of them, drifts, and the leads of both times."""

    spec: WorldSpec
    weeks: int
    quarters: int
    delivered: int
    drifts: tuple[Drift, ...]
    history: pd.DataFrame
    leads: pd.DataFrame
    queued: pd.DataFrame

    @classmethod
    def read(cls, truth: Path) -> Self:
        """What is remembered; a world that was never played on has no weeks. Raises UsageError if there is no world."""
        if not all((truth / name).is_file() for name in (SPEC, HISTORY)):
            raise UsageError(
                f"{truth} does not hold the truth of a sample world ({SPEC}, {HISTORY}): "
                "write one with `leadscore sample FEED`, or `leadscore demo`, and play on in its feed folder."
            )
        spec = WorldSpec(**json.loads((truth / SPEC).read_text(encoding="utf-8")))
        path = truth / "played.json"
        past = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        weeks = int(past.get("weeks", 0))
        drifts = [Drift(date.fromisoformat(d["since"]), d["kind"], d["strength"]) for d in past.get("drifts", ())]
        return cls(
            spec,
            weeks,
            int(past.get("quarters", spec.quarters)),
            # What a world that was played on before `delivered` was remembered had made, it had delivered.
            int(past.get("delivered", past.get("quarters", spec.quarters))),
            tuple(drifts),
            _read(truth / HISTORY, dict.fromkeys(RECORD, str)),
            _played(truth / "played_leads.csv", LEADS, weeks),
            _played(truth / "played_queue.csv", QUEUED, weeks),
        )

    def write(self, truth: Path) -> None:
        """Remember it."""
        write_csv(self.leads[list(LEADS)], truth / "played_leads.csv")
        write_csv(self.queued[list(QUEUED)], truth / "played_queue.csv")
        past = {
            "weeks": self.weeks,
            "quarters": self.quarters,
            "delivered": self.delivered,
            "drifts": [asdict(drift) | {"since": drift.since.isoformat()} for drift in self.drifts],
        }
        part = truth / "played.part"
        part.write_text(json.dumps(past, indent=2) + "\n", encoding="utf-8")
        os.replace(part, truth / "played.json")


def _played(path: Path, columns: dict[str, Any], weeks: int) -> pd.DataFrame:
    """The rows of the weeks that count; none if there are no such weeks."""
    if not weeks:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    table = _read(path, columns)
    return table[table["week"] <= weeks].reset_index(drop=True)


def _read(path: Path, columns: dict[str, Any]) -> pd.DataFrame:
    """A table whose numbers come back to the last bit, and whose texts stay what they are."""
    table = pd.read_csv(
        path, dtype={name: kind for name, kind in columns.items() if kind is not float}, usecols=list(columns),
        keep_default_na=False, na_values={name: [""] for name, kind in columns.items() if kind is float},
        float_precision="round_trip", encoding="utf-8",
    )  # fmt: skip
    return table[list(columns)]
