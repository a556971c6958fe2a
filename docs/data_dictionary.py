"""Writes docs/data_dictionary.md from the contracts in config/: `python docs/data_dictionary.py`.

Belongs here: turning contracts into a page. What a column means is said in the contract, and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

from leadscore_v6.contracts import contract
from leadscore_v6.reports.markdown import table

PAGE = Path(__file__).parent / "data_dictionary.md"

HEAD = """# Data dictionary

Made by `python docs/data_dictionary.py` from the contracts in `config/`; change a contract, not this page.

**Times** are UTC: a time without a zone is UTC, one with a zone is converted, and a day is the UTC day (R37). A contact
at 23:30 in New York is thus a contact of the next day. **CRDs** are canonical from `crm_leads` and `snapshot_reps` on:
digits without leading zeros; `1234567.0` is `1234567`; anything else is NULL and counted (R34). **Numbers** are read
from text; what is none is NULL and counted per column (R35, R36).
"""

TABLES = (
    ("feed", "RIARepDataFeed_YYYYMMDD.csv", "The columns that the plan reads; others pass through raw."),
    ("lead", "Lead.csv", "The columns that must be there; more are allowed."),
    ("crm_leads", "crm_leads", "The CRM extract, typed: one row per lead."),
    ("dials", "Dials.csv", "Optional. The columns that must be there; more are allowed."),
    ("crm_dials", "crm_dials", "The CRM's dials, typed: one row per dial; empty without Dials.csv."),
    ("associates", "Associates.csv", "Optional. The columns that must be there; more are allowed."),
    ("crm_associates", "crm_associates", "Who dials: one row per associate; empty without Associates.csv."),
    ("ab_test_power", "ab_test_power_analysis_v6", "Power of the experiment by weeks of enrolment."),
    ("ab_test_assignments", "ab_test_assignments_v6", "Which arm each lead is in, for ever."),
    ("ab_test_queue", "ab_test_queue_v6", "The queues that associates dialled from."),
    ("ab_test_daily_metrics", "ab_test_daily_metrics_v6", "How the running test goes, day by day."),
    ("reps", "snapshot_reps_YYYYMMDD, v_discovery_reps_all_vintages", "One row per advisor, RIA firm and snapshot."),
    ("firms", "snapshot_firms_YYYYMMDD, v_discovery_firms_all_vintages", "One row per firm and snapshot."),
    ("staging", "step_3_1_staging_join_v6_VERSION", "One row per lead, beside what was known on the day of contact."),
    ("training", "step_3_3_training_dataset_v6_VERSION, v_latest_training_dataset_v6", "One row per matured lead."),
    ("serving", "serving_advisors_v6", "One row per advisor of any snapshot, and one for leads that none knows."),
    ("shadow_scores", "shadow_scores_v6", "One row per lead and day on which it entered Contacting."),
    ("production_scores", "production_scores_v6", "One row per day and open lead, or prospect (R51)."),
    ("feature_drift", "feature_drift_v6", "One row per feature and month, and one for the score (R30)."),
    ("model_performance", "model_performance_v6", "One row per month."),
)


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for name, title, says in TABLES:
        rows = [
            (f"`{column.name}`", column.bq_type, "yes" if column.nullable else "no", column.role, column.description)
            for column in contract(name).columns
        ]
        parts.append(f"## {title}\n\n{says}\n\n" + table(["column", "type", "NULL", "role", "meaning"], rows))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
