"""Class balance is of leads as training had them: dialled, and not because a model chose them (R29, R50)."""

from __future__ import annotations

from datetime import date

import pandas as pd

from leadscore_v6.assets.production.balance import _left_out, as_training_had_them
from leadscore_v6.monitoring.class_balance import class_balance
from leadscore_v6.monitoring.cohorts import Window
from leadscore_v6.monitoring.settings import ClassBalanceSettings

WINDOW = Window(date(2026, 3, 1), days=60, label_window_days=30, matures_after_days=30)
NO_LOG = pd.DataFrame(columns=["Id", "dialled_on", "by_model", "log_begins"])


def leads(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    """Id, day of contact, day of the call."""
    return pd.DataFrame(rows, columns=["Id", "contact_date", "scheduled_on"])


def dials(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Id, day of a dial, whether the model's queue had it; the log begins with the year before."""
    found = pd.DataFrame(rows, columns=["Id", "dialled_on", "by_model"])
    return found.assign(log_begins="2025-01-01")


def test_who_was_not_dialled_is_no_negative_and_who_was_chosen_no_positive() -> None:
    asked = leads(
        ("usual", "2026-01-10", None),
        ("usual_and_called", "2026-01-10", "2026-01-20"),
        ("chosen", "2026-01-10", "2026-01-20"),
        ("nobody_dialled", "2026-01-10", None),
        ("young", "2026-02-20", None),
    )
    log = dials(
        ("usual", "2026-01-15", 0),
        ("usual_and_called", "2026-01-16", 0),
        ("chosen", "2026-01-15", 1),
        ("young", "2026-02-21", 0),
    )
    found = as_training_had_them(asked, log, WINDOW)
    assert found.start.astype(str).tolist() == ["2026-01-15", "2026-01-16", "2026-02-21"]
    assert found.label.tolist() == [0, 1, 0]
    assert found.chosen.astype(str).tolist() == ["2026-01-15"]
    assert asked["Id"][~asked["Id"].eq("chosen")].iloc[found.cohorts.not_dialled].tolist() == ["nobody_dialled"]


def test_who_is_left_out_is_counted_in_the_weeks_that_are_shown() -> None:
    """Not in the weeks before them, and not who came since."""
    contacts = {"shown": "2026-01-10", "before": "2025-12-20", "since": "2026-02-10", "first_day": "2026-01-05"}
    asked = leads(
        *((f"nobody_{name}", day, None) for name, day in contacts.items()),
        *((f"chosen_{name}", day, None) for name, day in contacts.items()),
        *((f"usual_{day}", f"2026-01-{day}", None) for day in ("06", "18")),
    )
    log = dials(
        *((f"chosen_{name}", day, 1) for name, day in contacts.items()),
        *((f"usual_{day}", f"2026-01-{day}", 0) for day in ("06", "18")),
    )
    settings = ClassBalanceSettings(cron="", weeks=2, min_leads=1, relative_change=0.05, significance=0.01,
                                    label_window_days=30, entry_lag_days=0)  # fmt: skip
    counted = as_training_had_them(asked, log, WINDOW)
    balance = class_balance(counted.start, counted.label, 0.03, WINDOW.as_of, settings)
    assert [week.monday for week in balance.weeks] == [date(2026, 1, 5), date(2026, 1, 12)]
    assert _left_out(counted, balance, WINDOW) == {
        "first_day": date(2026, 1, 5), "last_day": date(2026, 1, 18), "chosen_by_model": 2,
        "not_dialled": 2, "dial_unknown": 0, "not_dialled_yet": 1,
    }  # fmt: skip


def test_without_a_log_every_lead_counts_from_its_contact_and_that_is_said() -> None:
    asked = leads(("a", "2026-01-10", "2026-01-20"), ("b", "2026-01-11", None))
    found = as_training_had_them(asked, NO_LOG, WINDOW)
    assert found.start.astype(str).tolist() == ["2026-01-10", "2026-01-11"]
    assert found.label.tolist() == [1, 0]
    assert found.cohorts.basis == "leads, assuming one dial per lead"
