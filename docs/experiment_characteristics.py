"""Writes a part of operating-characteristics.md: `python -m docs.experiment_characteristics` from the checkout.

How often the experiment of steps 5.2 and 5.3 gets it wrong, over tests of known truth (tests/experiments/operating.py).
`make prove` does it again and holds the page against it. The model's gates are operating_characteristics.py's part.
"""

from __future__ import annotations

import numpy as np

from docs.operating_characteristics import put
from leadscore_v6.experiments.power import chance_of_go
from tests.experiments.operating import (
    CORRELATION,
    LEADS_A_WEEK,
    RATE,
    SETTINGS,
    Readings,
    Team,
    design,
    interference,
    peeked,
    run,
)

TITLE = "# Operating characteristics of the experiment"
TESTS = 10_000  # at each true lift
TESTS_OF_NULL = 40_000  # at none: a share of 5 % is known to ± 0.2 points
TESTS_OF_INTERFERENCE = 2_000
LIFTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
DAYS = 56  # eight weeks
TEAMS = (
    ("800 of 1,000 leads a week dialled, AUC .76", Team(1000, 0.8, 0.76)),
    ("630 of 1,400 leads a week dialled, AUC .76", Team(1400, 0.45, 0.76)),
    ("630 of 1,400 leads a week dialled, a score of no worth", Team(1400, 0.45, 0.5)),
)
SEED = 20251110

HEAD = """{title}

How often the experiment is wrong, simulated with the product's own statistics (`leadscore_v6/experiments/`): {tests:,}
tests at each true lift, {null:,} without one. Each has the size that step 5.2 plans at {rate:.1f} MQLs per 100 dials
and {flow:,} leads a week: {dials:,} dials in both arms, looks at {looks} of them, |z| ≥ {critical} there.
Advisors have 1.25 leads in the test on average, and the outcomes of two leads of one advisor correlate at
{correlation}.

Written by `python -m docs.experiment_characteristics`; `make prove` runs it again and fails if this part differs.

## What a true lift comes to

All in %. *Significant*: treatment is found to be better at one of the looks. *Go*: the plan's gate, p < {alpha} and a
lift above {bar}, guardrails left aside; *expected*: what the readout prints beside its decision (R27); *early*: at the
first look. *Interval*: how often the 95 % interval with which the test ends holds the true lift; *repeated*: the same
of the wider one that the first look prints while the test goes on.
"""

READING = """
Without an effect, {either:.2f} % of the tests find one, up or down, of the {alpha} that were planned ({up:.2f} % up).
Whoever looks every day for eight weeks and stops at |z| ≥ 1.96 finds one in {peeked:.0f} %. At the planned lift of
{target} the power is {power:.1f} %, but the plan's gate says go in {go:.1f} %: a gate on the point estimate passes half
the time when the truth is on the bar, however large the test is (R27). It takes a true lift of {likely} to pass four
times in five. Tests that end early tell a lift that is too high on average; their interval is right.

## Two arms, one team

What {tests:,} tests of eight weeks read, when treatment and control stand in one queue, and when each has its half of
the capacity (R28): median and middle 90 % of the tests, in %. True: everybody's queue by score against nobody's. In the
shared queue the team dials whoever stands in front, treatment by its probability, control at the average one.

| team | true | shared, per dial | shared, per lead | split, per dial | split, per lead |
|---|---:|---:|---:|---:|---:|
"""

AFTER = """
A shared queue moves dials between the arms: the treatment's poor leads wait behind the control's. Per dial it then
looks far better than what the team would gain, per assigned lead far worse. With split capacity both arms make the same
number of dials, and both figures are right.
"""


def section() -> str:
    """The part's text."""
    plan = design()
    null = run(0.0, TESTS_OF_NULL, SEED)
    found = {0.0: null} | {lift: run(lift, TESTS, SEED) for lift in LIFTS}
    head = HEAD.format(
        title=TITLE,
        tests=TESTS,
        null=TESTS_OF_NULL,
        rate=100 * RATE,
        flow=LEADS_A_WEEK,
        dials=plan.dials,
        looks=" and ".join(_percent(at) for at in plan.boundaries.information),
        critical=" and ".join(f"{at:.3f}" for at in plan.boundaries.critical),
        correlation=_percent(CORRELATION),
        alpha=SETTINGS.design.alpha,
        bar=_percent(SETTINGS.readout.min_lift),
    )
    rows = ["", "| true lift | significant | go | expected | early | interval | repeated |", "|---:|" + "---:|" * 6]
    for lift, of in found.items():
        cells = (
            of.up,
            of.go,
            chance_of_go(lift, RATE, plan.dials / 2, SETTINGS),
            of.go_early,
            of.covered,
            of.covered_early,
        )
        rows.append(f"| {100 * lift:.0f} | " + " | ".join(f"{100 * np.mean(cell):.1f}" for cell in cells) + " |")
    planned = found[SETTINGS.design.target_lift]
    reading = READING.format(
        either=100 * np.mean(null.up | null.down),
        up=100 * np.mean(null.up),
        alpha=_percent(SETTINGS.design.alpha),
        peeked=100 * peeked(TESTS_OF_NULL // 4, DAYS, SEED),
        target=_percent(SETTINGS.design.target_lift),
        power=100 * np.mean(planned.up),
        go=100 * np.mean(planned.go),
        likely=_percent(next(lift for lift in LIFTS if np.mean(found[lift].go) >= 0.8)),
        tests=TESTS_OF_INTERFERENCE,
    )
    teams = [_row(name, interference(team, TESTS_OF_INTERFERENCE, 8, SEED)) for name, team in TEAMS]
    return "\n".join([head.rstrip("\n"), *rows]) + "\n" + reading + "\n".join(teams) + "\n" + AFTER


def _row(name: str, read: Readings) -> str:
    columns = (read.shared_per_dial, read.shared_per_lead, read.split_per_dial, read.split_per_lead)
    cells = []
    for column in columns:
        low, middle, high = (_signed(at) for at in np.quantile(column, (0.05, 0.5, 0.95)))
        cells.append(f"{middle} ({low} to {high})")
    return f"| {name} | {_signed(read.truth)} | " + " | ".join(cells) + " |"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _signed(lift: float) -> str:
    return f"{round(100 * lift):+d}" if round(100 * lift) else "0"


if __name__ == "__main__":
    put(TITLE, section())
