"""Champion or challenger: which model serves after a quarterly refresh, and why (plan 6.2, R31).

Belongs here: the plan's conditions, the paired comparison, the decision in words. Does not belong here: carrying it
out, the experiment's go, or a promotion that waits for a test to end (R58).

"Superior AUC-PR" alone promotes an equal model 52 % of the time. Both are compared on the same leads, later than
anything that either was made from, and the lower bound of the difference must be above 0. Otherwise the champion stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.estimate import Estimate
from leadscore_v6.modeling.evaluation import Paired, ScoredLeads, average_precision_of, compare
from leadscore_v6.modeling.settings import EvaluationSettings
from leadscore_v6.monitoring.comparable import Comparable
from leadscore_v6.monitoring.settings import ChampionSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """A model that passed its own steps.

    cut_off is the day of contact of the last lead that trained, selected or calibrated it; `as_of` that of its training
    set. The other three are the plan's figures of steps 4.1 and 4.3.
    """

    version: str
    as_of: date
    cut_off: date
    ece: float
    train_test_gap: float
    cv_coefficient: float


@dataclass(frozen=True)
class Holdout:
    """k matured leads scored by both: label (k,), advisors (k,) codes, contact (k,) days, two scores (k,) that rank."""

    label: NDArray[np.int8]
    advisors: NDArray[np.int64]
    contact: NDArray[np.datetime64]
    champion: Floats
    challenger: Floats


@dataclass(frozen=True)
class Condition:
    """One condition of a promotion. None: not judgeable, which does not hold. `is_asked` is False if only shown.

    is_a_persons: whoever promotes by name may pass it; a refresh, which nobody looks at, may not.
    """

    name: str
    holds: bool | None
    says: str
    is_asked: bool = True
    is_a_persons: bool = False

    @property
    def is_missed(self) -> bool:
        """Whether it is asked, and does not hold."""
        return self.is_asked and self.holds is not True


@dataclass(frozen=True)
class Decision:
    """What was decided, and all that it rests on.

    average_precision: of champion and challenger on the holdout; `paired` is challenger − champion.
    """

    champion: Contender
    challenger: Contender
    policy: str
    conditions: tuple[Condition, ...]
    average_precision: tuple[float, float] | None
    paired: Paired
    holdout_leads: int
    holdout_positives: int
    age: str | None

    @property
    def promotes(self) -> bool:
        """Whether the challenger takes the place."""
        return not any(one.is_missed for one in self.conditions)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the champion stays: the conditions that do not hold; or that all of them do."""
        return tuple(one.says for one in self.conditions if one.is_missed) or ("all conditions hold",)

    @property
    def reasons_for_anyone(self) -> tuple[str, ...]:
        """Those of them that a person who promotes by name cannot pass either; none where the place can be taken."""
        return tuple(one.says for one in self.conditions if one.is_missed and not one.is_a_persons)

    @property
    def headline(self) -> str:
        """The decision in one sentence."""
        if self.promotes:
            return f"{self.challenger.version} takes the place of {self.champion.version}: {self.reasons[0]}."
        return f"{self.champion.version} stays: {'; '.join(self.reasons)}."

    @property
    def headline_of_a_promotion(self) -> str:
        """The same once a person promoted: what was passed is said."""
        if self.promotes:
            return self.headline
        passed = "; ".join(self.reasons)
        return f"{self.challenger.version} takes the place of {self.champion.version} by a person's decision: {passed}."

    def figures(self) -> dict[str, float | int | None]:
        """What gates and alerts read; None is not judgeable.

        promotes (0 or 1), champion_average_precision, challenger_average_precision, challenger_minus_champion,
        challenger_minus_champion_low, challenger_minus_champion_high, holdout_leads, holdout_positives,
        conditions_missed, champion_too_old (0 or 1).
        """
        champion, challenger = self.average_precision or (None, None)
        difference = self.paired.difference if self.average_precision else None
        return {
            "promotes": int(self.promotes),
            "champion_average_precision": champion,
            "challenger_average_precision": challenger,
            "challenger_minus_champion": difference.value if difference else None,
            "challenger_minus_champion_low": difference.low if difference else None,
            "challenger_minus_champion_high": difference.high if difference else None,
            "holdout_leads": self.holdout_leads,
            "holdout_positives": self.holdout_positives,
            "conditions_missed": sum(one.is_missed for one in self.conditions),
            "champion_too_old": int(self.age is not None),
        }

    def rows(self) -> list[dict[str, Any]]:
        """One plain row per condition: the report's table."""
        return [vars(one) for one in self.conditions]


@dataclass(frozen=True)
class Evidence:
    """What the decision is made from: leads that both scored, and whether the challenger's shadow days held.

    holdout: or why the champion scores nothing any more, in words. shadow_holds None: they were not run. comparable:
    how the leads were taken from all that came, None where those are not kept any more.
    """

    holdout: Holdout | str
    shadow_holds: bool | None
    comparable: Comparable | None = None


def decide(
    contenders: tuple[Contender, Contender], evidence: Evidence, as_of: date, settings: ChampionSettings, seed: int
) -> Decision:
    """The decision of `as_of` about (champion, challenger); draws are seeded.

    Raises InputError on scores that are NaN.
    """
    champion, challenger = contenders
    own = (
        _below("ECE", challenger.ece, settings.ece, champion.ece),
        _below("train-test gap", challenger.train_test_gap, settings.train_test_gap, champion.train_test_gap),
        _below("CV coefficient", challenger.cv_coefficient, settings.cv_coefficient, champion.cv_coefficient),
        Condition("shadow scoring", evidence.shadow_holds, _SHADOW[evidence.shadow_holds]),
    )
    age = champion_age(champion.version, champion.as_of, as_of, settings)
    leads, nothing = evidence.holdout, Paired(Estimate(0.0))
    if isinstance(leads, str):
        says = f"the champion {champion.version} cannot be loaded any more, and nothing was compared: {leads}"
        gone = Condition("champion can be loaded", holds=False, says=says, is_a_persons=True)
        return Decision(champion, challenger, settings.policy, (gone, *own), None, nothing, 0, 0, age)
    if np.isnan(leads.champion).any() or np.isnan(leads.challenger).any():
        raise InputError("A lead of the holdout has no score.", remedy="score every lead with both models")
    positives = int(leads.label.sum())
    is_rankable = 0 < positives < len(leads.label)
    scored = ScoredLeads(np.arange(len(leads.label)), leads.label, leads.challenger, leads.advisors, leads.contact)
    paired = compare(scored, leads.champion, _evaluation(settings), seed) if is_rankable else nothing
    of_champion = ScoredLeads(scored.rows, leads.label, leads.champion, leads.advisors, leads.contact)
    both = (average_precision_of(of_champion), average_precision_of(scored)) if is_rankable else None
    conditions = (
        _later(leads, max(champion.cut_off, challenger.cut_off)),
        *_ranking(both, paired, positives, settings),
        *own,
        _whose_choice(evidence.comparable),
    )
    return Decision(champion, challenger, settings.policy, conditions, both, paired, len(leads.label), positives, age)


def champion_age(version: str, made: date, as_of: date, settings: ChampionSettings) -> str | None:
    """The warning that belongs on every page while the champion is older than it may be (R31), else None.

    made: what its training set knows (the set's own as_of); as_of: the day of the page.
    """
    months = made.year * 12 + made.month - 1 + 3 * settings.quarters
    day = np.datetime64(f"{months // 12:04d}-{months % 12 + 1:02d}", "M").astype("datetime64[D]")
    limit = (day + (made.day - 1)).astype(object)
    if as_of <= limit:
        return None
    return (
        f"The champion {version} is as of {made}, more than {settings.quarters} quarters before "
        f"{as_of}: refresh it (plan 6.2), or find out why its challengers did not pass."
    )


def _later(leads: Holdout, cut_off: date) -> Condition:
    early = int((leads.contact.astype("datetime64[D]") <= np.datetime64(cut_off, "D")).sum())
    says = (
        f"all {len(leads.label)} leads of the comparison are later than both cut-offs ({cut_off})"
        if not early
        else f"{early} of {len(leads.label)} leads of the comparison are not later than both cut-offs ({cut_off})"
    )
    return Condition("holdout later than both", len(leads.label) > 0 and not early, says)


def _whose_choice(found: Comparable | None) -> Condition:
    """No condition of a promotion: on which leads the others were judged, and whether they favour neither model."""
    gone = (
        "all dialled leads are compared: those that came with them and were not dialled are not kept any more, and "
        "nobody can tell whether the champion's order chose them, which would favour the challenger"
    )
    can_tell = found is not None and found.is_chosen is not None
    says = gone if found is None else found.says
    return Condition("leads that favour neither", can_tell or None, says, is_asked=False)


def _ranking(
    both: tuple[float, float] | None, paired: Paired, positives: int, settings: ChampionSettings
) -> tuple[Condition, Condition]:
    """The plan's literal, and R31's bound."""
    if both is None:
        says = "the comparison has no positive, or nothing else: AUC-PR has no meaning there"
        return Condition("AUC-PR superior", None, says), Condition("paired lower bound", None, says)
    champion, challenger = both
    is_superior = settings.policy == "superior"
    word = "above" if challenger > champion else "not above"
    superior = Condition(
        "AUC-PR superior",
        challenger > champion,
        f"AUC-PR {challenger:.4f} is {word} the champion's {champion:.4f}",
        is_asked=is_superior,
    )
    low, floor = paired.difference.low, 0.0 if is_superior else -settings.non_inferior_margin
    if low is None:
        few = f"{positives} positives are too few for an interval ({settings.min_positives_interval} are needed)"
        return superior, Condition("paired lower bound", None, few)
    word = "above" if low > floor else "not above"
    says = f"the lower bound of the difference, {low:+.4f}, is {word} {floor:g}"
    return superior, Condition("paired lower bound", low > floor, says)


def _below(name: str, value: float, threshold: float, champion: float) -> Condition:
    # The plan has ECE <= .05 and the other two < theirs.
    holds, sign = (value <= threshold, "<=") if name == "ECE" else (value < threshold, "<")
    says = f"{name} {value:.4f} {'is' if holds else 'is not'} {sign} {threshold:g} (the champion's: {champion:.4f})"
    return Condition(name, holds, says)


def _evaluation(settings: ChampionSettings) -> EvaluationSettings:
    """What modeling's comparison reads."""
    return EvaluationSettings(
        bootstrap_draws=settings.bootstrap_draws,
        null_draws=0,
        min_positives_interval=settings.min_positives_interval,
        ece_bins=0,
        capacity_share=1.0,
        shap_rows=0,
    )


_SHADOW = {
    True: "shadow scoring shows no degradation",
    False: "shadow scoring shows a degradation",
    None: "shadow scoring was not run",
}
