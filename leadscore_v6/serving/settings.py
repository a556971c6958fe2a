"""`config/v6_scoring.yaml` as values: who is not scored, and how shadow scoring is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

SCORING_FILE: Final = "v6_scoring.yaml"
NO_CRD: Final = "no valid CRD"
EXCLUDED: Final = "excluded by a rule: advisor"
EARLY_CALL: Final = "excluded by a rule: a call was scheduled before the contact"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True)
class ShadowSettings:
    """Seven days, the features that are watched, and the stress scenarios."""

    days: int
    top_features: int
    stress_leads: int
    seed: int


@dataclass(frozen=True)
class ScoringSettings:
    """All of the file."""

    advisors: frozenset[str]
    leads: frozenset[str]
    shadow: ShadowSettings

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> ScoringSettings:
        """From the content of the file, which holds against its schema."""
        exclude = content["exclude"]
        return cls(frozenset(exclude["advisors"]), frozenset(exclude["leads"]), ShadowSettings(**content["shadow"]))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data, in an order of its own."""
        return {"advisors": sorted(self.advisors), "leads": sorted(self.leads), "shadow": asdict(self.shadow)}

    def why_skipped(self, lead: Mapping[str, Any]) -> str | None:
        """Why a lead (`lead_id`, `crd`, `call_before_contact`) is not scored at all; None if it is (R25)."""
        if lead["crd"] is None:
            return NO_CRD
        if lead["lead_id"] in self.leads:
            return WITHDRAWN
        if lead["crd"] in self.advisors:
            return EXCLUDED
        return EARLY_CALL if lead["call_before_contact"] else None
