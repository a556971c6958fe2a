"""What advisors are like: careers, licences, places, words. Drawn once; the panel lets them age and move.

Belongs here: marginal rates and correlations of an advisor. Does not belong here: anything that changes by quarter.
Source: real_data_facts, "The feed": rates, value domains, correlations, coverage.

Leads are not a random sample of advisors: 78 % of them have a prior firm, against 19 % of all. So an advisor is a
`prospect` or not, prospects have the leads' coverage, and the others are given what makes the whole come out right.
A world with few advisors for its leads (the demo) has mostly prospects, and its overall coverage is the leads'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.sample_world.draws import choose, distinct_numbers, share, stream
from leadscore_v6.sample_world.roster import Roster
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.words import FIRST_NAMES, LAST_NAMES, PLACES, SCHOOLS, SUFFIXES, TITLES

DAYS_A_YEAR: Final = 365.25
PRIOR_FIRMS: Final = 5
HOME_AS_OFFICE: Final = -2  # the home is where the office is
_CRD_PRIME: Final = 7_999_993  # CRDs end below it; leads' own ones, of no advisor, begin above (leads.py)
EPOCH: Final = 719_163  # date(1970, 1, 1).toordinal()

Codes = NDArray[np.int8]

# Column -> words and their rates; what is left of 1 is blank.
WORDED: Final[dict[str, dict[str, float]]] = {
    "DuallyRegisteredBDRIARep": {"Yes": 0.69, "No": 0.31},
    "BreakawayRep": {"Yes": 0.76, "No": 0.19},
    "NonProducer": {"Yes": 0.03, "No": 0.72, "Unknown": 0.22},
    "IndependentContractor": {"Yes": 0.24, "No": 0.41, "Unknown": 0.31},
    "Owner": {"Yes": 0.14},
    "InsuranceLicensed": {"Yes": 0.55},
    "Office_USPSCertified": {"Yes": 0.90, "No": 0.07},
    "Home_USPSCertified": {"Yes": 0.86, "No": 0.08},
    "RegulatoryDisclosures": {"Yes": 0.15, "No": 0.02, "Unknown": 0.55},
    "Gender": {"Male": 0.72, "Female": 0.25},
    "Series7_GeneralSecuritiesRepresentative": {"Yes": 0.69, "No": 0.31},
    "Series65_InvestmentAdviserRepresentative": {"Yes": 0.44, "No": 0.56},
    "Series66_CombinedUniformStateLawAndIARepresentative": {"Yes": 0.43, "No": 0.57},
    "Series24_GeneralSecuritiesPrincipal": {"Yes": 0.16, "No": 0.84},
    "Designations_CFP": {"Yes": 0.174, "No": 0.826},
    "Designations_CFA": {"Yes": 0.115, "No": 0.885},
    "Designations_CIMA": {"Yes": 0.076, "No": 0.924},
    "Designations_AIF": {"Yes": 0.105, "No": 0.895},
}

_STAYER: Final = 0.57  # never changed firms: tenure is (nearly) the whole career
_PRIOR_AMONG_PROSPECTS: Final = 0.803  # 78.5 % of all leads, of whom 97.7 % are matched
_PRIOR_AMONG_ALL: Final = 0.19
_ANOTHER_PRIOR: Final = (0.68, 0.69, 0.78, 0.70)  # 19 -> 13 -> 9 -> 7 % of all have a 2nd, 3rd, 4th
_LOADING: Final = (0.58, 0.66, 0.76, 0.80, 0.80)  # of log prior tenures on a common factor: PF1-PF2 .3, PF3-PF4 .5
_HOME_KNOWN: Final = (0.36, 0.541)  # others, prospects
_MILES_IF_HOME: Final = 0.73
_LATE_PROSPECTS: Final = 0.35  # those who enter later are contacted less often


@dataclass(frozen=True)
class Traits:
    """One entry an advisor (n,). Days count from 1970-01-01; NaN and code -1 mean blank."""

    crd: NDArray[np.int32]
    prospect: NDArray[np.bool_]
    became_day: NDArray[np.int32]
    became_known: NDArray[np.bool_]
    hire_day: NDArray[np.int32]
    hire_known: NDArray[np.bool_]
    prior_years: NDArray[np.float32]  # (n, 5), NaN from the first firm that is not known
    region: NDArray[np.int16]  # index into PLACES: where the office is, unless the firm has one place for all
    home: NDArray[np.int16]  # index into PLACES, HOME_AS_OFFICE or -1
    miles: NDArray[np.float32]
    states: NDArray[np.float32]
    first_name: NDArray[np.int16]
    last_name: NDArray[np.int16]
    suffix: Codes
    title: Codes
    school: Codes
    linkedin: NDArray[np.bool_]
    email_business: NDArray[np.bool_]
    email_personal: NDArray[np.bool_]
    noise: NDArray[np.int32]  # [0, 2**31): decides what nothing depends on (telephone numbers, licence dates)
    words: dict[str, Codes]


def draw_traits(spec: WorldSpec, roster: Roster) -> Traits:
    """The traits of every advisor of the roster, as they are on the day the advisor enters."""
    cohorts = [_draw_cohort(spec, quarter, int(size)) for quarter, size in enumerate(np.bincount(roster.entry))]
    return Traits(
        **{name: np.concatenate([cohort[name] for cohort in cohorts]) for name in cohorts[0]},
        crd=1_000 + distinct_numbers(stream(spec.seed, "crd"), roster.size, _CRD_PRIME),
        words=draw_words(spec.seed, WORDED, roster.size),
    )


def _draw_cohort(spec: WorldSpec, quarter: int, n: int) -> dict[str, NDArray[Any]]:
    """The traits of the `n` advisors who enter with snapshot `quarter`, by name of the field."""
    rng = stream(spec.seed, "traits", quarter)
    entry_day = spec.snapshot_dates[quarter].toordinal() - EPOCH
    wanted = _prospect_share(spec)
    prospect = share(rng, n, wanted * (_LATE_PROSPECTS if quarter else 1.0))
    became, hire = _draw_careers(rng, np.full(n, quarter > 0))
    weights = np.array([place.weight for place in PLACES])
    home = np.where(share(rng, n, 0.04), choose(rng, weights, n), HOME_AS_OFFICE).astype(np.int16)
    home[~share(rng, n, np.where(prospect, _HOME_KNOWN[1], _HOME_KNOWN[0]))] = -1
    miles = np.round(np.exp(rng.normal(2.2, 1.1, n)), 1).astype(np.float32)
    miles[(home == -1) | ~share(rng, n, _MILES_IF_HOME)] = np.nan
    return {
        "prospect": prospect,
        "became_day": (entry_day - became).astype(np.int32),
        "became_known": share(rng, n, 0.993),
        "hire_day": (entry_day - hire).astype(np.int32),
        "hire_known": share(rng, n, 0.981),
        "prior_years": _draw_prior_tenures(rng, _prior_rate(prospect, wanted)),
        "region": choose(rng, weights, n).astype(np.int16),
        "home": home,
        "miles": miles,
        "states": _draw_states(rng, n),
        "first_name": rng.integers(0, len(FIRST_NAMES), n, np.int16),
        "last_name": rng.integers(0, len(LAST_NAMES), n, np.int16),
        "suffix": np.where(share(rng, n, 0.04), rng.integers(0, len(SUFFIXES), n), -1).astype(np.int8),
        "title": np.where(share(rng, n, 0.83), rng.integers(0, len(TITLES), n), -1).astype(np.int8),
        "school": np.where(share(rng, n, 0.35), rng.integers(0, len(SCHOOLS), n), -1).astype(np.int8),
        "linkedin": share(rng, n, 0.62),
        "email_business": share(rng, n, 0.78),
        "email_personal": share(rng, n, 0.17),
        "noise": rng.integers(0, 2**31, n, np.int32),
    }


def draw_words(seed: int, table: dict[str, dict[str, float]], size: int) -> dict[str, Codes]:
    """For each column of `table` the index of a word for each of `size` advisors, -1 for blank."""
    codes = {}
    for column, rates in table.items():
        edges = np.cumsum(list(rates.values()))
        drawn = np.searchsorted(edges, stream(seed, column).random(size), side="right").astype(np.int8)
        codes[column] = np.where(drawn == len(rates), np.int8(-1), drawn)
    return codes


def _prospect_share(spec: WorldSpec) -> float:
    """Who may be bought as a lead: a tenth of all at full scale, as many as are needed in a small world."""
    return float(np.clip(0.96 * spec.leads / spec.head_counts[0], 0.08, 1.0))


def _prior_rate(prospect: NDArray[np.bool_], wanted: float) -> NDArray[np.float64]:
    """Chance of a known prior firm, so that prospects have the leads' rate and all together the published one."""
    others = np.clip((_PRIOR_AMONG_ALL - _PRIOR_AMONG_PROSPECTS * wanted) / max(1 - wanted, 1e-9), 0.02, 1.0)
    return np.where(prospect, _PRIOR_AMONG_PROSPECTS, others)


def _draw_careers(rng: np.random.Generator, entering: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Days since each advisor became a rep, and since the present firm hired; who is `entering` (n,) was just hired.

    Stayers are the younger ones and movers the older ones, which gives mean experience 16-17 years and a correlation
    of experience with tenure of about .35 although 57 % have spent nearly their whole career at the present firm.
    """
    n = len(entering)
    stayer = share(rng, n, _STAYER)
    experience = np.where(stayer, rng.gamma(1.7, 9.5 / 1.7, n), 7 + rng.gamma(3.0, 19.0 / 3.0, n))
    tenure = np.where(
        stayer,
        experience * (1 - 0.08 * rng.random(n) ** 3),
        np.minimum(rng.exponential(4.0, n) + 0.26 * rng.random(n) * experience, 0.89 * experience),
    )
    tenure = np.where(entering, rng.random(n) * 0.25, tenure)
    experience = np.minimum(np.where(entering & stayer, tenure, experience), 60.0)
    days = np.round(np.stack([experience, np.minimum(tenure, experience)]) * DAYS_A_YEAR).astype(np.int64)
    return days[0], days[1]


def _draw_prior_tenures(rng: np.random.Generator, rate: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, 5) years at prior firms, newest first: log-normal on a common factor, NaN where there is none."""
    n = len(rate)
    common = rng.standard_normal(n)
    years = np.empty((n, PRIOR_FIRMS), np.float32)
    known = share(rng, n, rate)
    for firm in range(PRIOR_FIRMS):
        loading = _LOADING[firm]
        score = loading * common + np.sqrt(1 - loading**2) * rng.standard_normal(n)
        years[:, firm] = np.where(known, np.round(np.clip(np.exp(1.42 + 0.75 * score), 0.1, 45.0), 1), np.nan)
        known &= share(rng, n, _ANOTHER_PRIOR[min(firm, len(_ANOTHER_PRIOR) - 1)])
    return years


def _draw_states(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Number of registered states: 28 % in one, the rest with a long tail up to 53; 0.6 % blank."""
    many = np.clip(2 + np.floor(np.exp(rng.normal(1.45, 1.0, n))), 2, 53)
    states = np.where(share(rng, n, 0.28), 1, many).astype(np.float32)
    states[share(rng, n, 0.006)] = np.nan
    return states
