"""What `config/v6_experiment.yaml` says, as checked values.

Belongs here: one dataclass per section of the file. Does not belong here: reading the file (its reader hands the
content in, already held against `config/schemas/experiment.schema.json`), thresholds of gates (`config/gates.yaml`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from leadscore_v6.errors import UsageError

EXPERIMENT_FILE: Final = "v6_experiment.yaml"  # in the configuration folder; schema `experiment`

Arm = Literal["treatment", "control"]
TREATMENT: Final[Arm] = "treatment"  # the queue in the model's order
CONTROL: Final[Arm] = "control"  # the queue as it is today
ARMS: Final[tuple[Arm, Arm]] = (TREATMENT, CONTROL)


@dataclass(frozen=True)
class DesignSettings:
    """How large the test is and when it may be read (plan 5.2, R26, R42).

    Shares are of 1, lifts relative; `looks` rise to 1 (shares of the planned dials); `alpha` is two-sided.
    """

    alpha: float
    power: float
    target_lift: float
    looks: tuple[float, ...]
    capacity_share: float
    flow_window_weeks: int
    max_enrolment_weeks: int
    max_dial_age_days: int
    queue_days: int
    follow_up_days: int
    advisor_correlation: float
    adoption_assumed: float

    def __post_init__(self) -> None:
        if list(self.looks) != sorted(set(self.looks)) or self.looks[-1] != 1:
            raise UsageError("design: looks must rise, each above the one before, and end at 1.0 (the final analysis).")

    @property
    def matures_after_days(self) -> int:
        """So many days after a dial its follow-up is over: an extract taken on its last day has not all of that."""
        return self.follow_up_days + 1


@dataclass(frozen=True)
class AssignmentSettings:
    """How advisors are dealt to arms (R28). `segment` is the column whose values are kept apart."""

    salt: str
    ratio: dict[Arm, int]
    block_size: int
    segment: str

    def __post_init__(self) -> None:
        if self.block_size % sum(self.ratio.values()):
            raise UsageError(
                f"assignment: block_size {self.block_size} is no multiple of the ratio's sum, "
                f"{sum(self.ratio.values())}: a block could not be dealt in that ratio."
            )

    @property
    def treatment_share(self) -> float:
        """Of the advisors, and of the dialling capacity."""
        return self.ratio[TREATMENT] / sum(self.ratio.values())

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change with anything that assignment depends on; kept in every assigned row."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ReadoutSettings:
    """What a reading of the test is held against (plan 5.3, R27, R28, R40)."""

    min_lift: float
    srm_alpha: float
    guardrail_margin: float
    guardrail_level: float
    min_conversions: int


@dataclass(frozen=True)
class ExperimentSettings:
    """All of `config/v6_experiment.yaml`."""

    design: DesignSettings
    assignment: AssignmentSettings
    readout: ReadoutSettings

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> ExperimentSettings:
        """From the content of the file, which holds against its schema. Raises UsageError on what cannot be."""
        design = content["design"]
        return cls(
            design=DesignSettings(**{**design, "looks": tuple(map(float, design["looks"]))}),
            assignment=AssignmentSettings(**content["assignment"]),
            readout=ReadoutSettings(**content["readout"]),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data, the inverse of `of`: what the records of a test keep."""
        content = asdict(self)
        content["design"]["looks"] = list(self.design.looks)
        return content
