"""Reads a written world as a stranger would: with the csv module, and its own idea of CRDs, numbers and joins.

Nothing here is taken from the code under test: the truth in the truth file must follow from the files alone.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def crd(text: str) -> int | None:
    """R34: digits, perhaps with blanks, leading zeros or an integral .0; anything else is none."""
    match = re.fullmatch(r"\s*0*([1-9]\d*)(\.0+)?\s*", text)
    return int(match[1]) if match else None


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


@dataclass
class Feeds:
    """Every snapshot of a folder: rows by advisor, distinct advisors by firm."""

    rows: dict[date, list[Row]]
    of_advisor: dict[date, dict[int, list[Row]]]
    firm_reps: dict[date, dict[int, int]]

    @classmethod
    def of(cls, folder: Path) -> Feeds:
        rows, of_advisor, firm_reps = {}, {}, {}
        for path in sorted(folder.glob("RIARepDataFeed_*.csv")):
            day = date.fromisoformat(path.stem[-8:])
            rows[day] = read(path)
            advisors, firms = defaultdict(list), defaultdict(set)
            for row in rows[day]:
                advisors[crd(row["RepCRD"])].append(row)
                firms[crd(row["RIAFirmCRD"])].add(crd(row["RepCRD"]))
            of_advisor[day] = dict(advisors)
            firm_reps[day] = {firm: len(reps) for firm, reps in firms.items()}
        return cls(rows, of_advisor, firm_reps)

    def at(self, advisor: int, contact: date) -> tuple[date, Row, int] | None:
        """What was known of an advisor on a day: snapshot, row (R2) and the size of its firm; None if nothing."""
        days = [day for day in self.rows if day <= contact and advisor in self.of_advisor[day]]
        if not days:
            return None
        candidates = self.of_advisor[days[-1]][advisor]
        row = min(candidates, key=lambda r: (crd(r["RIAFirmCRD"]) != crd(r["PrimaryRIAFirmCRD"]), crd(r["RIAFirmCRD"])))
        firm = crd(row["RIAFirmCRD"])
        sizes = [self.firm_reps[day][firm] for day in self.rows if day <= contact and firm in self.firm_reps[day]]
        return days[-1], row, sizes[-1]


def auc(score: list[float], label: list[int]) -> float:
    """Share of positive-negative pairs in the right order, a tie counting half, counted group of ties by group."""
    below, pairs = 0, 0.0
    for _, tied in groupby(sorted(zip(score, label, strict=True)), key=itemgetter(0)):
        labels = [one for _, one in tied]
        pairs += labels.count(1) * (below + labels.count(0) / 2)
        below += labels.count(0)
    return pairs / (label.count(1) * label.count(0))
