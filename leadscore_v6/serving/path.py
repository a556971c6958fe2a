"""The single-lead path: look one advisor up, score them, say how long it took and what went wrong.

Belongs here: what happens to one lead between its CRD and its score (R25, R43). Does not belong here: which rules keep
a lead from being scored at all (assets/), or the gates on many leads.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from leadscore_v6.errors import LeadscoreError
from leadscore_v6.modeling.scorer import LeadScore, LeadScorer
from leadscore_v6.serving.copy import Known, ServingCopy

# What can go wrong with one lead and leave the next one be. Anything else (no memory, an interrupt) ends the run.
ERRORS: Final = (LeadscoreError, sqlite3.Error, ArithmeticError, LookupError, TypeError, ValueError)
NO_SNAPSHOT: Final = "no snapshot knows this advisor: scored as training scores such leads"


@dataclass(frozen=True)
class Answer:
    """What became of one lead on the path.

    score        None if it failed, then `error` names the kind of error and what it says
    missing      those of the model's top features that are not known of this lead
    warnings     the score's own, and that no snapshot knows the advisor (R25)
    latency_ms   wall clock from CRD to score; it only measures, and is never part of a content key or digest
    """

    score: LeadScore | None
    known: Known | None
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    error: str | None
    latency_ms: float


class SingleLeadPath:
    """Look-up and score of one lead, timed. `top` are the features whose absence is worth counting (R40)."""

    def __init__(
        self,
        copy: ServingCopy,
        scorer: LeadScorer,
        top: Sequence[str],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`clock` gives seconds; tests hand in their own."""
        self.look_up: Callable[[str], Known] = copy.look_up
        self._scorer, self._top, self._clock = scorer, tuple(top), clock

    def score(self, crd: str, change: Callable[[Known], Known] | None = None) -> Answer:
        """One lead by its canonical CRD. `change` stands between look-up and score: what a stress test does there."""
        known, score, error = None, None, None
        start = self._clock()
        try:
            known = self.look_up(crd)
            if change is not None:
                known = change(known)
            score = self._scorer.score_lead(known.features)
        except ERRORS as problem:
            # The first line, which names the column and no value of it (R57).
            error = f"{type(problem).__name__}: {str(problem).partition(chr(10))[0]}"
        latency = (self._clock() - start) * 1000
        missing = tuple(name for name in self._top if known is not None and known.features.get(name) is None)
        strange = () if known is None or known.matched else (NO_SNAPSHOT,)
        return Answer(score, known, missing, strange + (score.warnings if score else ()), error, latency)
