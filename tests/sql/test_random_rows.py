"""Every text of `sql/` on rows drawn from a few values a type: keys meet, ties are common, NULLs are many."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.oracle.catalog import Text, contract, never_null, text, texts
from tests.oracle.compare import agree

ROWS = 60
DAYS = [dt.date(2024, 1, 7), dt.date(2024, 3, 31), dt.date(2024, 4, 1), dt.date(2024, 7, 7)]
TEXTS = ["1", "2", "10", "9", "NY", "NJ", "Yes", "No", "Unknown", "", " ", "é"]
# Columns of ours that hold one of a few words, which texts ask for by name.
WORDS = {"outcome": ["scored", "scored", "skipped", "failed"], "model_digest": ["1", "1", "2"]}
POOLS: dict[str, list[Any]] = {
    "STRING": TEXTS,
    "INT64": [0, 0, 0, 1, 1, 2, 5, 21, -1],
    "FLOAT64": [0.0, 0.1, 0.2, 2.5, 3.0, 10.0, 50.01, 501.0, 2139.0, 99999.0, -1.0, 1e17],
    "DATE": DAYS,
    "TIMESTAMP": [
        dt.datetime(day.year, day.month, day.day, hour, 30, tzinfo=dt.timezone(dt.timedelta(hours=offset)))
        for day in DAYS
        for hour, offset in ((0, 2), (12, 0), (23, -5))
    ],
}
PARAMETERS: dict[str, Any] = {
    "as_of": dt.date(2024, 4, 2),
    "snapshot_at": DAYS[0],
    "snapshot_dates": DAYS[:3],
    "first_snapshot": DAYS[0],
    "label_window_days": 30,
    "entry_lag_days": 0,
    "lead": "1",
    "after": DAYS[0],
    "until": DAYS[3],
    "crd": "2",
    "day": DAYS[2],
    "first_day": DAYS[0],
    "last_day": DAYS[3],
    "queue_date": DAYS[1],
    "fingerprint": "1",
    "model_digest": "1",
    "enrolled_on": DAYS[1],
    "recent_since": DAYS[1],
    "mature_by": DAYS[1],
    "advisors_excluded": ["", "9"],
    "leads_excluded": ["", "NY"],
}
# Of some folders other values: the serving copy and monitoring let everybody in, however young (R43).
OF_FOLDER: dict[str, dict[str, Any]] = {
    folder: {"entry_lag_days": -30} for folder in ("serving_advisors_v6", "feature_drift_v6")
}
# So do the texts that look one lead up, or all that came.
OF_TEXT: dict[str, dict[str, Any]] = {name: {"entry_lag_days": -30} for name in ("young_lead.sql", "came.sql")}
# Of a table that something is to be missing from, so few rows that something is.
FEW_ROWS = {file: {"candidate": 8} for file in ("lost.sql", "lost_ids.sql")}
# What a gate before it has made sure of: a query may order by it, and be told apart by it.
UNIQUE = {"v6_training_contract.json": "Id", "v6_serving_contract.json": "FA_CRD__c"}
UNIQUE |= {"v6_shadow_scores_contract.json": "Id"}
# Of a text that orders by what only unique rows settle; without that order the more rows meet, the better.
UNIQUE_IN = {"serving_advisors_v6": {"v6_firm_feature_contract.json": "RIAFirmCRD"}}


def drawn(made: Text, variable: str, draw: random.Random) -> list[dict[str, Any]]:
    file = made.contracts[variable]
    required = never_null(file)
    as_it_came = set(contract(file).values()) == {"STRING"}
    nasty: list[str] = yaml.safe_load((Path(__file__).parent / "nasty_texts.yaml").read_text())
    pools = POOLS | ({"STRING": [*TEXTS, *nasty]} if as_it_came else {})
    rows = [
        {
            name: draw.choice(WORDS.get(name, pools[kind])) if name in required or draw.random() < 0.8 else None
            for name, kind in contract(file).items()
        }
        for _ in range(FEW_ROWS.get(made.name, {}).get(variable, ROWS))
    ]
    unique = (UNIQUE | UNIQUE_IN.get(made.folder, {})).get(file)
    return [{**row, **({unique: str(number)} if unique else {})} for number, row in enumerate(rows)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in (2, 3))])
@pytest.mark.parametrize(("folder", "file"), texts())
def test_random_rows(folder: str, file: str, seed: int) -> None:
    made = text(folder, file)
    draw = random.Random(seed)
    rows = made.rows({variable: drawn(made, variable, draw) for variable in made.contracts})
    values = {**PARAMETERS, **OF_FOLDER.get(folder, {}), **OF_TEXT.get(file, {})}
    given = made.bound({name: values.get(name, ROWS) for name in made.parameters})
    assert agree(made.sql, made.catalog, rows, given).rows
