"""What an attempt was made from, as the ledger has it: through every step before it, by the content each had then.

Belongs here: going back from an attempt, what a person took back of what it stands on, and whether that is synthetic.
Does not belong here: whether a step may start (`guard.py`, which asks the LATEST attempts), or what follows for a model
(`champions.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from leadscore_v6.gates.ledger import Attempt, Ledger, Withdrawal
from leadscore_v6.gates.steps import DAY, STEPS, ancestors

_Content = tuple[str, str | None, str]


def made_from(ledger: Ledger, attempt: Attempt) -> Iterator[Attempt]:
    """Every attempt behind `attempt`, each once, nearest first.

    Of one content it is the newest that counts, and where a person took them all back the newest of those, behind which
    nothing more is told. Of a step that is built day by day: the days that `attempt` says it is about.
    """
    by_content: dict[_Content, list[Attempt]] = defaultdict(list)
    for one in ledger.attempts.values():
        by_content[one.asset, one.partition, one.content_key].append(one)
    waiting, seen = [attempt], {attempt.key}
    while waiting:
        for content in _contents_before(waiting.pop(0)):
            known = sorted(by_content[content], key=lambda one: (not one.withdrawn, one.seq))
            if known and known[-1].key not in seen:
                seen.add(known[-1].key)
                yield known[-1]
                waiting += [] if known[-1].withdrawn else [known[-1]]


def withdrawn_behind(ledger: Ledger, attempt: Attempt) -> list[Withdrawal]:
    """The withdrawals in force of inputs that `attempt`, or anything behind it, was made from, each once."""
    keys = {one.key for one in (attempt, *made_from(ledger, attempt)) if one.withdrawn}
    return [taken for taken in ledger.withdrawals if keys.intersection(taken.attempts)]


def is_synthetic(ledger: Ledger, asset: str) -> bool:
    """Whether anything that the step is made from came from the sample world."""
    names = {asset, *(earlier.asset for earlier in ancestors(asset))}
    places = [("snapshot_reps_raw", key) for key in ledger.snapshots()] + [("crm_leads", None)]
    latest = (ledger.latest(*place) for place in places if place[0] in names)
    return any(attempt is not None and attempt.facts.get("synthetic") for attempt in latest)


def told(taken: Withdrawal) -> str:
    """A withdrawal in words: which input, when, why, and how it is undone."""
    return (
        f"{taken.file_name}, which it was made from, was withdrawn on {taken.at:%Y-%m-%d %H:%M} ({taken.reason}); if "
        f"it is right after all: `leadscore withdraw --undo {taken.file_name}`"
    )


def _contents_before(attempt: Attempt) -> Iterator[_Content]:
    first, last = (str(attempt.facts.get(name, "")).replace("-", "") for name in ("first_day", "last_day"))
    for place, content in attempt.parents.items():
        asset, _, key = place.partition("/")
        is_asked = STEPS[asset].partition != DAY or not first or first <= key <= last
        if content is not None and is_asked:
            yield asset, None if key == "None" else key, content
