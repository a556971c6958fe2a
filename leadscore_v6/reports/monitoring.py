"""What the monthly reports of step 6.1 say beyond their gates: what has drifted, what the model was worth.

Belongs here: text made from the figures and facts of those steps. Does not belong here: measuring (monitoring/), plots
(monitoring_plots.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.estimate import p_shown
from leadscore_v6.monitoring.cohorts import ASSUMED, DIALLED
from leadscore_v6.reports.markdown import table

Facts = Mapping[str, Any]
_TO_DO = "What to do: the runbook, under `feature_drift`."


# --- drift ------------------------------------------------------------------------------------------------------------


def _drift_headlines(figures: Facts, facts: Facts) -> list[str]:
    of_features, of_score = (facts.get(name, ASSUMED) for name in ("features_of", "score_of"))
    window = f"the {facts['leads']:,} advisors whose leads {_began(of_features)} from {facts['first_day']} on"
    if of_score != of_features:
        window += f" (of the score the {facts['score_leads']:,} whose leads {_began(of_score)} since then)"
    if not facts["is_judgeable"]:
        return [f"**Not judgeable**: {window} are too few to tell drift from chance."]
    against = f"Held against the training set of model {facts['model_version']}: {window}."
    if facts["drifted"]:
        names = ", ".join(f"`{name}`" for name in facts["drifted"])
        return [f"**Drifted: {names}** (PSI above 0.25, and beyond what chance gives). {_TO_DO}", against]
    first = facts["largest"][0]
    return [
        (
            f"**Nothing has drifted.** The largest PSI is {first['psi']:.3f} (`{first['feature']}`); the plan's limit "
            f"is 0.25, and chance alone would stay below {first['null_quantile']:.3f}."
        ),
        against,
    ]


def _began(kind: str) -> str:
    """What the days are of: who was dialled is held against those who were, where dials were logged in training."""
    return "were first dialled" if kind == DIALLED else "entered Contacting"


def _drift(figures: Facts, facts: Facts) -> list[str]:
    if not facts["is_judgeable"]:
        return []
    rows = [
        (
            f"`{row['feature']}`",
            f"{row['psi']:.4f}",
            f"{row['null_quantile']:.4f}",
            p_shown(row["adjusted_p"]),
            "alert" if row["alerts"] else "above 0.25" if row["is_large"] else "",
        )
        for row in facts["largest"]
    ]
    head = ["feature", "PSI", "by chance up to", "p (Holm)", ""]
    found = [
        "## What has moved most\n\n" + table(head, rows) + "\n\n"
        "PSI is over bins that training froze: deciles, levels, one for missing values, one for what training did "
        'not know. "By chance" is what two samples of one population of these sizes give, leads drawn one by one '
        "(R30). A small p with a small PSI is a small change, and no alert. Leads of one firm have what is known of it "
        "in common: of such features chance moves more than is said here."
    ]
    for feature, shifts in facts["shifts"].items():
        bins = [
            (shift["bin"], f"{shift['training']:.1%}", f"{shift['now']:.1%}", f"{shift['psi']:.4f}") for shift in shifts
        ]
        found.append(f"## `{feature}`, bin by bin\n\n" + table(["bin", "training", "now", "PSI"], bins))
    return found


# --- performance ------------------------------------------------------------------------------------------------------


def _performance_headlines(figures: Facts, facts: Facts) -> list[str]:
    row, basis = facts["row"], facts["basis"]
    whose = f"{row['leads']:,} matured leads of {facts['cohort_from']} to {facts['cohort_to']} ({basis})"
    if row.get("auc_roc") is None:
        return [f"**Not judgeable**: {row['leads']:,} matured leads ({basis}) with {row['mqls']} calls are too few."]
    lines = [_verdict(row), f"Of {whose}, {row['mqls']:,} had a call within 30 days."]
    if row.get("young_expected_mqls") is not None:
        lines.append(
            f"{row['young_leads']:,} leads are too young to be judged. Of them the scores promise "
            f"{row['young_expected_mqls']:.0f} calls and an AUC of {row['young_auc_roc']:.3f}: **a promise, no "
            "measurement**; when the world changes it does not notice."
        )
    return lines


def _verdict(row: Facts) -> str:
    measured = f"AUC {_interval(row, 'auc_roc')}, {row['auc_expected']:.3f} was promised"
    if row["dropped"] is None:
        return f"**Too few calls for an interval** ({row['mqls']}): {measured}."
    if row["dropped"]:
        return f"**The model ranks worse than it promises**: {measured}. What to do: the runbook, `performance_drop`."
    low, high = row["expected_observed_low"], row["expected_observed_high"]
    ratio = _interval(row, "expected_observed")
    if low > 1.1 or high < 0.9:
        more = "fewer" if low > 1.1 else "more"
        return f"**It ranks as promised, and {more} leads convert than it says**: {measured}; expected {ratio} times."
    if row["auc_drop_high"] < 0:
        return (
            f"**The model ranks better than it promises**: {measured}; expected over observed conversions {ratio}. An "
            "alert counts from the promise: a fall from here is told later by as much as the two differ."
        )
    return f"**The model is worth what it promises**: {measured}; expected over observed conversions {ratio}."


def _performance(figures: Facts, facts: Facts) -> list[str]:
    row, basis = facts["row"], facts["basis"]
    left_out = (
        f"Left out of the leads contacted from {facts['first_day']} to {facts['last_day']}: {not_dialled(facts)} Those "
        "whose call came before the dial (R10), and those that the model learned from, are not counted at all. Each "
        "lead is scored with what was known on its day of contact."
    )
    if row.get("auc_roc") is None:
        return [f"## Whose leads\n\n{left_out}"]
    rows = [
        ("AUC-PR", _interval(row, "average_precision"), f"{row['mqls'] / row['leads']:.3f} by a random order"),
        ("AUC-ROC", _interval(row, "auc_roc"), f"{row['auc_expected']:.3f} promised"),
        ("promised less realised", _interval(row, "auc_drop"), "alert above 0.05 and beyond 0"),
        ("expected over observed", _interval(row, "expected_observed"), "1 is right"),
        ("ECE", f"{row['ece']:.4f}", "0 is right"),
        ("lift of the best tenth", f"{row['lift']:.2f}", "1 is a random order"),
    ]
    found = [f"## Matured: {basis}\n\n" + table(["figure", "value (95 %)", ""], rows) + f"\n\n{left_out}"]
    months = [*facts["history"], row]
    head = ["as of", "model", "leads", "calls", "AUC-ROC", "promised", "AUC-PR", "expected / observed", "whose"]
    body = [_month(month) for month in months]
    found.append("## Month by month\n\n" + table(head, body))
    return found


def not_dialled(facts: Facts) -> str:
    """Who could not convert, in words: of the days that the text before it names."""
    return (
        f"{facts['not_dialled']:,} that nobody is known to have dialled (they cannot convert, and say nothing of the "
        f"model), and {facts['dial_unknown']:,} contacted so near before the log of dials begins that nobody knows. "
        f"{facts['not_dialled_yet']:,} contacted since then have not been dialled yet."
    )


def _month(row: Facts) -> tuple[object, ...]:
    figures: tuple[object, ...] = ("not judgeable", "", "", "")
    if row.get("auc_roc") is not None:
        figures = (
            _interval(row, "auc_roc"),
            f"{row['auc_expected']:.3f}",
            _interval(row, "average_precision"),
            _interval(row, "expected_observed"),
        )
    return (row["score_date"], row["model_version"], f"{row['leads']:,}", row["mqls"], *figures, row["basis"])


def _interval(row: Facts, name: str) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    width = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"{row[name]:.3f}{width}"


HEADLINES: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "feature_drift_report": _drift_headlines,
    "model_performance_report": _performance_headlines,
}
SECTIONS: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "feature_drift_report": _drift,
    "model_performance_report": _performance,
}
