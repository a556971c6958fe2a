"""A planned look at the test: MQLs per 100 dials by assigned arm, and the decision (plan 5.3, R26, R27, R28, R40).

Belongs here: the order of a reading, and what follows from it. Does not belong here: when a look is due (`looks.py`),
the statistics (`effect.py`, `sequential.py`, `guardrails.py`), thresholds of gates, the report.

First it is asked whether the look is due, then whether the arms are what was dealt (SRM); if they are not, no rate of
an arm is computed at all. The primary figure is by intention to treat: matured dials by **assigned** arm, whichever
order was followed. The decision is the plan's: go if p < alpha, the lift is above 50 % and every guardrail holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import pandas as pd

from leadscore_v6.errors import InputError
from leadscore_v6.estimate import p_said
from leadscore_v6.experiments.cohort import require_cohort
from leadscore_v6.experiments.guardrails import Guardrail, outcome_guardrail, process_guardrails
from leadscore_v6.experiments.looks import DueLook, Look, Protocol, due_look, matured
from leadscore_v6.experiments.power import chance_of_go
from leadscore_v6.experiments.primary import Primary, compare
from leadscore_v6.experiments.sample_ratio import SampleRatios, sample_ratios
from leadscore_v6.experiments.sequential import Boundaries, lan_demets, lan_demets_final
from leadscore_v6.experiments.settings import ExperimentSettings, ReadoutSettings

Verdict = Literal["go", "no-go", "continue", "not decision-ready"]
_LIFTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)  # true lifts at which the plan's gate is described, besides its own (R27)


@dataclass(frozen=True)
class Decision:
    """The record of a look: what is decided, and why, in sentences."""

    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Readout:
    """Outcome of a look. `primary` and `look` are None, and `guardrails` empty, if it is not decision-ready.

    ended_by      harm that earlier looks showed, in sentences: it has ended the test, and what has matured since is no
                  reading of its own
    chance_of_go  (true lift, chance that the plan's gate passes at the final look): its operating characteristic (R27),
                  at the gate's own lift first
    """

    due: DueLook
    as_of: date
    boundaries: Boundaries
    srm: SampleRatios
    look: Look | None
    primary: Primary | None
    guardrails: tuple[Guardrail, ...]
    ended_by: tuple[str, ...]
    chance_of_go: tuple[tuple[float, float], ...]
    decision: Decision

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 5.3 read; None is not judgeable, which blocks.

        p_value, lift (literal); srm_p (advisors), srm_dials_p, guardrails_not_held, adverse_effects (guardrails that
        show harm, and what `ended_by` names), verdict_go, verdict_no_go (1 or 0); beside them
        lift_low, lift_high, z, critical_value, p_nominal, information, adoption, cace, chance_of_go_at_min_lift, and by
        arm mqls_per_100_dials_…, mqls_…, dials_… (`treatment`, `control`).
        """
        ready = self.primary is not None
        states = [guardrail.state for guardrail in self.guardrails]
        return {
            **(self.primary.figures() if self.primary is not None else dict.fromkeys(Primary.NAMES)),
            "information": self.due.information,
            "is_final": int(self.due.is_final),
            "srm_p": self.srm.advisors.p,
            "srm_dials_p": self.srm.dials.p,
            "verdict_go": int(self.decision.verdict == "go"),
            "verdict_no_go": int(self.decision.verdict == "no-go"),
            "guardrails_not_held": sum(state != "holds" for state in states) if ready else None,
            "adverse_effects": states.count("harm") + len(self.ended_by) if ready or self.ended_by else None,
            "chance_of_go_at_min_lift": self.chance_of_go[0][1] if self.chance_of_go else None,
        }


def analyse(leads: pd.DataFrame, protocol: Protocol, as_of: date, settings: ExperimentSettings) -> Readout:
    """The look that is due at `as_of`. `leads` are a `cohort.Cohort`'s, as known then.

    Raises LookNotDue before a planned look, with the day of the next one; InputError on rows that contradict the design
    (`cohort.require_cohort`) or are later than `as_of`.
    """
    require_cohort(leads)
    _require_known(leads, as_of)
    due = due_look(leads, protocol, as_of, settings.design)
    boundaries = _boundaries(due, protocol, settings)
    read = matured(leads, as_of, settings.design)
    ratio, ended_by = sample_ratios(leads, read, settings.assignment), _shown_before(protocol.taken)
    if ratio.p < settings.readout.srm_alpha:
        decision = _ended(ended_by) or _not_ready(ratio)
        return Readout(due, as_of, boundaries, ratio, None, None, (), ended_by, (), decision)
    primary = compare(read, due, boundaries, protocol.taken, settings)
    guardrails = (*process_guardrails(leads, as_of, settings), outcome_guardrail(leads, as_of, settings))
    return Readout(
        due=due,
        as_of=as_of,
        boundaries=boundaries,
        srm=ratio,
        look=_taken(due, as_of, primary, guardrails, settings),
        primary=primary,
        guardrails=guardrails,
        ended_by=ended_by,
        chance_of_go=_operating_characteristic(primary, settings),
        decision=_ended(ended_by) or decide(primary, guardrails, due, settings),
    )


def decide(
    primary: Primary, guardrails: tuple[Guardrail, ...], due: DueLook, settings: ExperimentSettings
) -> Decision:
    """The plan's decision (R27): go needs p < alpha, a lift above `min_lift`, and guardrails that hold.

    Before the final look: no-go if harm is shown, go if the boundary was crossed and all of it holds; else continue.
    """
    alpha, rules = settings.design.alpha, settings.readout
    harm = _harm(primary, guardrails, alpha)
    missed = [*_missed(primary, alpha, rules), *_unproven(guardrails)]
    if harm:
        return Decision("no-go", tuple(harm))
    if not missed:
        assert primary.p is not None, "else it is missed"
        lift = f"{p_said(primary.p)}, below {alpha}; lift {primary.lift.value:+.0%}, above {rules.min_lift:+.0%}"
        return Decision("go", (f"{lift}; and every guardrail holds",))
    return Decision("no-go" if due.is_final else "continue", tuple(missed))


def _shown_before(taken: tuple[Look, ...]) -> tuple[str, ...]:
    """Harm that a look has shown stays: what matures after it does not make it good (R40)."""
    return tuple(f"look {look.number}, of {look.as_of}, showed harm: {what}" for look in taken for what in look.harm)


def _harm(primary: Primary, guardrails: tuple[Guardrail, ...], alpha: float) -> list[str]:
    harm = [f"{one.says}: treatment is worse by more than the margin" for one in guardrails if one.state == "harm"]
    if primary.p is not None and primary.deciding_z is not None and primary.p < alpha and primary.deciding_z < 0:
        harm.append("treatment makes fewer MQLs per 100 dials: the lower boundary is crossed")
    return harm


def _taken(
    due: DueLook, as_of: date, primary: Primary, guardrails: tuple[Guardrail, ...], settings: ExperimentSettings
) -> Look:
    """What later looks know of this one. Where it was not judgeable it has no z, and cannot have crossed."""
    z = primary.z if primary.interval != "none" else None
    harm = tuple(_harm(primary, guardrails, settings.design.alpha))
    return Look(due.number, due.planned, due.information, as_of, z, primary.critical, harm)


def _missed(primary: Primary, alpha: float, rules: ReadoutSettings) -> list[str]:
    if primary.z is None or primary.lift.low is None:
        return [f"not judgeable: an arm has fewer than {rules.min_conversions} MQLs"]
    found = []
    if primary.p is None:
        found.append(f"z = {primary.z:.2f} has not crossed ± {primary.critical:.2f}")
    elif primary.p >= alpha:
        found.append(f"not significant: {p_said(primary.p)}, not below {alpha}")
    if primary.lift.value <= rules.min_lift:
        found.append(f"the lift is {primary.lift.value:+.0%}, not above {rules.min_lift:+.0%}")
    return found


def _unproven(guardrails: tuple[Guardrail, ...]) -> list[str]:
    return [
        f"{one.says}: it is not shown that treatment is no worse than the margin ({one.state})"
        for one in guardrails
        if one.state != "holds"
    ]


def _ended(by: tuple[str, ...]) -> Decision | None:
    """What a harm that was shown before decides, whatever this look is like."""
    return Decision("no-go", by) if by else None


def _not_ready(ratio: SampleRatios) -> Decision:
    reasons = (
        f"sample ratio mismatch: {of.treatment} {what} in treatment and {of.control} in control, {p_said(of.p)}"
        for of, what in ((ratio.advisors, "advisors"), (ratio.dials, "matured dials"))
        if of.p == ratio.p
    )
    remedy = (
        "The arms are not what was dealt, and no rate was computed: find where advisors or dials got lost (enrolment, "
        "joins, exclusions, the split of the capacity), mend it, and read again."
    )
    return Decision("not decision-ready", (*reasons, remedy))


def _boundaries(due: DueLook, protocol: Protocol, settings: ExperimentSettings) -> Boundaries:
    """Of the looks taken and this one; a look at which as much was known as now says nothing of its own."""
    before = [look.information for look in protocol.taken if look.information < due.information]
    spend = lan_demets_final if due.is_final else lan_demets
    return spend([*before, due.information], settings.design.alpha)


def _operating_characteristic(primary: Primary, settings: ExperimentSettings) -> tuple[tuple[float, float], ...]:
    """At the control arm's rate and the size of this look."""
    rate = primary.control.mqls_per_100_dials.value / 100
    per_arm = (primary.treatment.dialled + primary.control.dialled) / 2
    lifts = dict.fromkeys([settings.readout.min_lift, *_LIFTS])
    return tuple((at, chance_of_go(at, rate, per_arm, settings)) for at in lifts if 0 < rate * (1 + at) < 1)


def _require_known(leads: pd.DataFrame, as_of: date) -> None:
    for column in ("enrolled_on", "dialled_on", "converted_on"):
        later = leads[column] > pd.Timestamp(as_of)
        if later.any():
            raise InputError(
                f"lead {leads.loc[later, 'lead_id'].iloc[0]} has a day in {column} after {as_of}, not known yet",
                remedy="read the test by a cohort of that same day (cohort.cohort)",
            )
