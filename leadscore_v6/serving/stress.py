"""What the single-lead path does when more comes than planned, less is known, or other leads come (plan step 5.1).

Belongs here: the scenarios, really run on the path. Does not belong here: which leads they start from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from leadscore_v6.serving.copy import UNMATCHED, Known
from leadscore_v6.serving.path import SingleLeadPath

Change = Callable[[Known], Known]


@dataclass(frozen=True)
class StressResult:
    """One scenario: leads, how they ended, how long they took, and what became of their scores.

    `mean_change` is the mean absolute change of the probability against the same lead undisturbed.
    """

    scenario: str
    leads: int
    scored: int
    failed: int
    warned: int
    p50_ms: float
    p99_ms: float
    leads_per_second: float
    mean_probability: float | None
    mean_change: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


def stress(
    path: SingleLeadPath, crds: Sequence[str], top: Sequence[str], segment: str, seed: int
) -> list[StressResult]:
    """The undisturbed leads and each scenario; none without leads. `segment` is the column that a mix is made of."""
    if not crds:
        return []
    plain = {crd: path.score(crd) for crd in dict.fromkeys(crds)}
    before = {crd: answer.score.probability for crd, answer in plain.items() if answer.score}
    of = {crd: str(answer.known.features.get(segment)) if answer.known else "" for crd, answer in plain.items()}
    return [_run(path, *scenario, before) for scenario in _scenarios(crds, top, of, seed)]


def _scenarios(
    crds: Sequence[str], top: Sequence[str], segments: dict[str, str], seed: int
) -> Iterator[tuple[str, Sequence[str], Change | None]]:
    rng = np.random.default_rng(seed)
    yield "as they came", crds, None
    yield "double volume", rng.permutation(np.repeat(np.array(crds, dtype=object), 2)).tolist(), None
    yield f"each of the top {len(top)} features missing", crds, lambda known: _without(known, top)
    half = [str(name) for name in rng.choice(np.array(top, dtype=object), size=(len(top) + 1) // 2, replace=False)]
    yield f"{len(half)} of them missing", crds, lambda known: _without(known, half)
    kinds = sorted(set(segments.values()))
    by_kind = {kind: [crd for crd in crds if segments[crd] == kind] for kind in kinds}
    even = [
        crd for kind in kinds for crd in rng.choice(np.array(by_kind[kind], dtype=object), len(crds) // len(kinds) + 1)
    ]
    yield f"changed mix: {len(kinds)} segments in equal shares", [str(crd) for crd in even], None
    yield (
        "changed mix: half of the leads without a snapshot",
        [crd if place % 2 else UNMATCHED for place, crd in enumerate(crds)],
        None,
    )


def _without(known: Known, names: Sequence[str]) -> Known:
    return replace(known, features={**known.features, **dict.fromkeys(names)})


def _run(
    path: SingleLeadPath, name: str, crds: Sequence[str], change: Change | None, before: dict[str, float]
) -> StressResult:
    answers = [(crd, path.score(crd, change)) for crd in crds]
    latency = np.array([answer.latency_ms for _, answer in answers])
    scores = [(crd, answer.score.probability) for crd, answer in answers if answer.score]
    changes = [abs(probability - before[crd]) for crd, probability in scores if crd in before]
    return StressResult(
        scenario=name,
        leads=len(answers),
        scored=len(scores),
        failed=sum(answer.error is not None for _, answer in answers),
        warned=sum(bool(answer.warnings) for _, answer in answers),
        p50_ms=float(np.percentile(latency, 50)),
        p99_ms=float(np.percentile(latency, 99)),
        leads_per_second=float(len(latency) / (latency.sum() / 1000)),
        mean_probability=float(np.mean([probability for _, probability in scores])) if scores else None,
        mean_change=float(np.mean(changes)) if changes else None,
    )
