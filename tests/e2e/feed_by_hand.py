"""What the files of a feed say of leads and advisors, read as a person would: without the warehouse and its texts."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pandas as pd


def newest_leads(feed: Path, as_of: date, of: set[str] | None = None, waits: int = 0) -> dict[str, date]:
    """By canonical CRD the newest day of contact that, `waits` days later, lies in the thirty days before `as_of`.

    `of`: these leads only, without those that called before that day.
    """
    found: dict[str, date] = {}
    with (feed / "Lead.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            digits = canonical(row["FA_CRD__c"])
            day = row["Stage_Entered_Contacting__c"][:10]
            begun = date.fromisoformat(day) + timedelta(days=waits) if day else as_of
            call = row["Stage_Entered_Call_Scheduled__c"][:10]
            is_in = as_of - timedelta(days=30) <= begun < as_of
            if of is not None:
                is_in &= row["Id"] in of and not (call and date.fromisoformat(call) < begun)
            if digits.isdigit() and is_in:
                found[digits] = max(date.fromisoformat(day), found.get(digits, date.min))
    return found


def has_cfp(feed: Path, crd: str, day: date) -> float | None:
    """By the newest file up to that day that has the advisor."""
    for file in sorted(feed.glob("RIARepDataFeed_*.csv"), reverse=True):
        if file.stem.rpartition("_")[2] <= f"{day:%Y%m%d}" and crd in designations(file):
            return designations(file)[crd]
    return None


@cache
def designations(file: Path) -> dict[str, float]:
    rows = pd.read_csv(file, usecols=["RepCRD", "Designations_CFP"], dtype=str, keep_default_na=False)
    return {canonical(crd): float(word == "Yes") for crd, word in rows[["RepCRD", "Designations_CFP"]].to_numpy()}


def canonical(crd: str) -> str:
    return crd.strip().removesuffix(".0").lstrip("0")
