"""Writes a snapshot as RIARepDataFeed_YYYYMMDD.csv: UTF-8, comma, standard quoting, one header line.

Belongs here: the frame of one file, and the ways in which real files are untidy. Does not belong here: the columns'
names and text forms (columns.py).
Source: real_data_facts, "The feed": text in numeric columns on 0.026 % of rows, ZIPs without leading zeros in some
files, integers with a null written `12.0`, CRDs in other forms (R34), fields with commas and line breaks.
The text is made by DuckDB in the order of the frame, so that the bytes do not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.sample_world.columns import DIRTY_NUMBERS, DIRTY_WORDS, WIDE_WORDED, feed_columns
from leadscore_v6.sample_world.draws import share, stream
from leadscore_v6.sample_world.firms import Firms
from leadscore_v6.sample_world.panel import Snapshot
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.traits import PRIOR_FIRMS, WORDED, Codes, Traits, draw_words
from leadscore_v6.sample_world.words import FIRST_NAMES, LAST_NAMES, NOTES, PLACES, SCHOOLS, STREETS, SUFFIXES, TITLES

_STRAY_NUMBERS: Final = ("see notes", "N/A", "nan", "#REF!")
_STRAY_WORDS: Final = (" Yes", "NA", "nan", "Y")
_STRAY_RATE: Final = 0.00026
_CRD_FORMS: Final = (0.985, 0.007, 0.004, 0.004)  # plain, with .0, with blanks, with a leading zero
_FRAME: Final = (
    "SELECT *, DATE '1970-01-01' + became_day AS became_date, DATE '1970-01-01' + hire_day AS hire_date FROM frame"
)
_PLACE_WORDS: Final = ("city", "county", "state", "metro")


class FeedWriter:
    """Writes the files of one world; holds what all of them share."""

    def __init__(self, spec: WorldSpec, traits: Traits, firms: Firms) -> None:
        self._spec, self._traits, self._firms = spec, traits, firms
        self._columns = feed_columns(wide=spec.wide)
        self._worded = dict(WORDED)
        self._codes: dict[str, Codes] = dict(traits.words)
        if spec.wide:
            self._worded |= WIDE_WORDED
            self._codes |= draw_words(spec.seed, WIDE_WORDED, len(traits.crd))

    def write(self, snapshot: Snapshot, folder: Path) -> Path:
        """Write one file; it has its name only when it is complete. Returns its path."""
        path = folder / f"RIARepDataFeed_{snapshot.day:%Y%m%d}.csv"
        part = path.with_suffix(".part")
        frame = self._frame(snapshot)
        select = ", ".join(f'{expression} AS "{name}"' for name, expression in self._columns)
        with duckdb.connect() as connection:
            connection.execute("SET preserve_insertion_order = true")
            connection.register("frame", frame)
            connection.execute(
                f"COPY (SELECT {select} FROM ({_FRAME})) TO $file (FORMAT csv, HEADER)", {"file": str(part)}
            )
        os.replace(part, path)
        return path

    def _frame(self, snapshot: Snapshot) -> pd.DataFrame:
        rng = stream(self._spec.seed, "file", snapshot.quarter)
        order = rng.permutation(len(snapshot.row_advisor))
        advisor, firm = snapshot.row_advisor[order], snapshot.row_firm[order]
        second = snapshot.row_second[order]
        fields: dict[str, object] = {
            **self._who(snapshot, advisor, firm, rng),
            **self._where(snapshot, advisor, second),
            **self._career(snapshot, advisor),
            **self._worded_fields(snapshot, advisor),
            **_stray_fields(rng, order < snapshot.own_rows),
        }
        return pd.DataFrame(fields)

    def _who(
        self, snapshot: Snapshot, advisor: NDArray[np.int32], firm: NDArray[np.int32], rng: np.random.Generator
    ) -> dict[str, object]:
        traits, firms = self._traits, self._firms
        rows = len(advisor)
        primary = firms.crd[snapshot.firm[advisor]]
        # In every other file some single-row advisors lack their primary firm, and the column is written as 12.0.
        lone = np.bincount(advisor, minlength=len(traits.crd))[advisor] == 1
        blank = lone & (traits.noise[advisor] % 997 == snapshot.quarter) if snapshot.quarter % 2 else None
        return {
            "crd": traits.crd[advisor],
            "crd_form": _form(rng, rows),
            "firm_crd": firms.crd[firm],
            "firm_form": _form(rng, rows),
            "primary_crd": primary if blank is None else np.where(blank, np.nan, primary),
            "firm_name": _category(firm, firms.name),
            "first_name": _category(traits.first_name[advisor], FIRST_NAMES),
            "last_name": _category(traits.last_name[advisor], LAST_NAMES),
            "suffix": _category(traits.suffix[advisor], SUFFIXES),
            "title": _category(traits.title[advisor], TITLES),
            "school": _category(traits.school[advisor], SCHOOLS),
            "note": _category(np.where(share(rng, rows, 0.01), rng.integers(0, len(NOTES), rows), -1), NOTES),
            "linkedin": traits.linkedin[advisor],
            "email_business": traits.email_business[advisor],
            "email_personal": traits.email_personal[advisor],
            "noise": traits.noise[advisor].astype(np.int64),
        }

    def _where(self, snapshot: Snapshot, advisor: NDArray[np.int32], second: NDArray[np.bool_]) -> dict[str, object]:
        noise = self._traits.noise[advisor]
        office, home = snapshot.place[advisor], snapshot.home[advisor]
        office_noise = np.where(second, noise // 7, noise)  # a second office is another address in the same city
        home_noise = np.where(home < 0, 0, noise // 11)
        key = snapshot.firm.astype(np.int64) * len(PLACES) + snapshot.place
        own = snapshot.row_advisor[~snapshot.row_second]
        colleagues = np.unique(key[own], return_inverse=True, return_counts=True)
        office_size = np.zeros(len(key), np.int32)
        office_size[own] = colleagues[2][colleagues[1]]
        return {
            **_place_fields("office", office, office_noise, snapshot.quarter % 3),
            **_place_fields("home", home, home_noise, (snapshot.quarter + 1) % 3),
            "office_zip_number": _zips(office, office_noise),
            "miles": self._traits.miles[advisor].astype(np.float64).round(1),
            "office_reps": office_size[advisor],
        }

    def _career(self, snapshot: Snapshot, advisor: NDArray[np.int32]) -> dict[str, object]:
        traits = self._traits
        rows_of = np.bincount(snapshot.row_advisor[~snapshot.row_second], minlength=len(traits.crd))[advisor]
        rias = np.where((rows_of == 1) & (traits.noise[advisor] % 33 == 0), 2, rows_of)
        associations = rias + (traits.words["DuallyRegisteredBDRIARep"][advisor] == 0)
        unknown = (traits.noise[advisor] % 211 == 3) & (snapshot.quarter % 2 == 1)
        fields: dict[str, object] = {
            "became_years": snapshot.became_years[advisor],
            "became_day": traits.became_day[advisor],
            "hire_years": snapshot.hire_years[advisor],
            "hire_day": snapshot.hire_day[advisor],
            "states": snapshot.states[advisor].astype(np.float64),
            "ria_associations": rias,
            "firm_associations": np.where(unknown, np.nan, associations) if unknown.any() else associations,
        }
        for k in range(PRIOR_FIRMS):
            fields[f"prior{k + 1}_years"] = snapshot.prior_years[advisor, k].astype(np.float64).round(1)
            fields[f"prior{k + 1}_crd"] = self._firms.crd[snapshot.prior_firm[advisor, k]]
            if self._spec.wide:
                fields[f"prior{k + 1}_name"] = _category(snapshot.prior_firm[advisor, k], self._firms.name)
        return fields

    def _worded_fields(self, snapshot: Snapshot, advisor: NDArray[np.int32]) -> dict[str, object]:
        fields: dict[str, object] = {}
        for column, rates in self._worded.items():
            codes = self._codes[column]
            if column == "Designations_CFP":
                codes = np.where(snapshot.cfp, 0, 1).astype(np.int8)
            fields[column] = _category(codes[advisor], list(rates))
        return fields


def _form(rng: np.random.Generator, rows: int) -> Codes:
    return np.searchsorted(np.cumsum(_CRD_FORMS)[:-1], rng.random(rows), side="right").astype(np.int8)


def _category(codes: NDArray[np.integer[Any]], words: Sequence[str]) -> pd.Categorical:
    """Words by code, -1 for blank; DuckDB reads the codes and the list of words, never a text per row."""
    distinct = list(dict.fromkeys(words))
    if len(distinct) < len(words):  # two places in one state, two firms of one name
        position = {word: k for k, word in enumerate(distinct)}
        codes = np.where(codes < 0, -1, np.array([position[word] for word in words], np.int64)[codes])
    return pd.Categorical.from_codes(codes, distinct)


def _zips(place: NDArray[np.int16], noise: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([p.zip_base for p in PLACES])[place] + noise % 40


def _place_fields(side: str, place: NDArray[np.int16], noise: NDArray[np.int64], style: int) -> dict[str, object]:
    """City to coordinates; place -1 is blank. `style` is the file's way of ZIPs: 0 five digits, 1 number, 2 float."""
    fields: dict[str, object] = {
        f"{side}_{kind}": _category(place, [getattr(p, kind) for p in PLACES]) for kind in _PLACE_WORDS
    }
    known = place >= 0
    zips = _zips(place, noise)
    if style == 0:
        fields[f"{side}_zip"] = _category(np.where(known, zips, -1), _FIVE_DIGITS)
    else:
        fields[f"{side}_zip"] = zips if known.all() and style == 1 else np.where(known, zips, np.nan)
    for name, attribute in (("longitude", "longitude"), ("latitude", "latitude")):
        centre = np.array([getattr(p, attribute) for p in PLACES])[place]
        fields[f"{side}_{name}"] = np.where(known, np.round(centre + (noise % 1999 - 999) / 9000, 5), np.nan)
    fields[f"{side}_address"] = _addresses(noise)
    return fields


_FIVE_DIGITS: Final = tuple(f"{number:05d}" for number in range(100_000))


def _addresses(noise: NDArray[np.int64]) -> pd.Categorical:
    """One of some thousand addresses: a third with a comma, a few with a line break, as real ones have."""
    codes = (noise % len(_ADDRESSES)).astype(np.int32)
    return pd.Categorical.from_codes(codes, list(_ADDRESSES))


def _invented_addresses() -> tuple[str, ...]:
    ends = ("", ", Suite 200", "")
    return tuple(
        f"{100 + 7 * k} {STREETS[k % len(STREETS)]}" + ("\nSuite 12" if k % 499 == 0 else ends[k % 3])
        for k in range(2_999)
    )


_ADDRESSES: Final = _invented_addresses()


def _stray_fields(rng: np.random.Generator, eligible: NDArray[np.bool_]) -> dict[str, object]:
    """Which row has a stray text in which column: as many as the rate says, spread evenly over the columns."""
    rows = len(eligible)
    columns = (*DIRTY_NUMBERS, *DIRTY_WORDS)
    column, text = np.full(rows, -1), np.full(rows, -1)
    strays = int(2 * _STRAY_RATE * rows)  # half in numbers, half in words
    for k, row in enumerate(rng.permutation(np.flatnonzero(eligible))[:strays]):
        number = k % 2 == 0
        column[row] = (k // 2) % len(DIRTY_NUMBERS) if number else len(DIRTY_NUMBERS) + (k // 2) % len(DIRTY_WORDS)
        text[row] = rng.integers(0, len(_STRAY_NUMBERS)) + (0 if number else len(_STRAY_NUMBERS))
    return {"dirty": _category(column, columns), "stray": _category(text, (*_STRAY_NUMBERS, *_STRAY_WORDS))}
