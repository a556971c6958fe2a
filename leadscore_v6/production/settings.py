"""`config/v6_production.yaml` as values: who is scored in production, what a score says, who gets on a call list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

PRODUCTION_FILE: Final = "v6_production.yaml"  # in the configuration folder; schema `production`


@dataclass(frozen=True)
class PopulationSettings:
    """Who is scored (R51). `require`: by feature of the serving copy the values that a prospect may have."""

    open_lead_days: int
    prospects: bool
    converted_days: int
    require: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class ScoreSettings:
    """What a score says: so many reasons, for all leads and the best prospects; a trend against what, and from when."""

    reasons: int
    prospects_with_reasons: int
    trend_days: int
    same_within: int
    sample: int


@dataclass(frozen=True)
class CallListSettings:
    """Who may be called again, and when (days of a lead's contact, of a dial), and from which percentile on.

    stale_after_days: scores that are older are called by only if their day is named.
    converted_days: as the population has it; who scheduled a call lately is not called through another lead either.
    """

    stale_after_days: int
    per_associate: int
    firm_cap: int
    days_since_contact: int
    days_since_dial: int
    lowest_percentile: int
    converted_days: int


@dataclass(frozen=True)
class CrmImportSettings:
    """The CRM import file: its key column, and by its field the column of the call list; longest text that it takes."""

    key: str
    fields: Mapping[str, str]
    longest_text: int


@dataclass(frozen=True)
class ProductionSettings:
    """All of the file."""

    population: PopulationSettings
    scores: ScoreSettings
    call_list: CallListSettings
    crm_import: CrmImportSettings

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> ProductionSettings:
        """From the content of the file, which holds against its schema."""
        population = dict(content["population"])
        required = {name: tuple(values) for name, values in population.pop("require").items()}
        return cls(
            PopulationSettings(**population, require=required),
            ScoreSettings(**content["scores"]),
            CallListSettings(**content["call_list"], converted_days=population["converted_days"]),
            CrmImportSettings(**content["crm_import"]),
        )

    def of_scores(self) -> dict[str, Any]:
        """What decides the scores of a day, as plain JSON data."""
        return {"population": asdict(self.population), "scores": asdict(self.scores)}
