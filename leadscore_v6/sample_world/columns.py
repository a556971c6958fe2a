"""The raw columns of a feed: their names, in order, and the SQL that writes each from a frame of feed.py.

Belongs here: names and text forms. Does not belong here: values (panel.py, traits.py) and quirks by file (feed.py).
Sources: plan step 1.5 (every column its SQL reads), real_data_facts "The feed" (families, 471 columns, value forms).
Where the full list of columns is not public (R33), the name follows its family's pattern.
"""

from __future__ import annotations

from typing import Final

from leadscore_v6.sample_world.traits import PRIOR_FIRMS, WORDED
from leadscore_v6.sample_world.words import PLACES, TITLE_CATEGORIES

WIDE_COLUMNS: Final = 471
SYNTHETIC: Final = "Synthetic_Data"

Column = tuple[str, str]

# Numeric and worded columns in which a feed has a stray text now and then; outcomes read none of them.
DIRTY_NUMBERS: Final = ("Number_OfficeReps", "MilesToWork", "Office_Longitude", "Office_Latitude")
DIRTY_WORDS: Final = ("NonProducer", "IndependentContractor", "BreakawayRep")

_OTHER_SERIES: Final = tuple(
    """
    Series3_NationalCommodityFutures Series4_RegisteredOptionsPrincipal Series5_InterestRateOptions
    Series6_InvestmentCompanyAndVariableContracts Series8_GeneralSecuritiesSalesSupervisor
    Series9_GeneralSecuritiesSalesSupervisorOptions Series10_GeneralSecuritiesSalesSupervisorGeneral
    Series11_AssistantRepresentative Series14_ComplianceOfficial Series15_ForeignCurrencyOptions
    Series16_SupervisoryAnalyst Series17_UnitedKingdomRepresentative Series22_DirectParticipationPrograms
    Series23_GeneralSecuritiesPrincipalSales Series26_InvestmentCompanyPrincipal
    Series27_FinancialAndOperationsPrincipal Series28_IntroducingBrokerDealerFinancial
    Series30_BranchManagersNFA Series31_FuturesManagedFunds Series34_RetailOffExchangeForex
    Series37_CanadaRepresentative Series39_DirectParticipationPrincipal Series42_RegisteredOptions
    Series51_MunicipalFundSecuritiesPrincipal Series52_MunicipalSecuritiesRepresentative
    Series53_MunicipalSecuritiesPrincipal Series55_EquityTrader Series57_SecuritiesTrader
    Series62_CorporateSecurities Series63_UniformSecuritiesAgent Series79_InvestmentBanking
    Series99_OperationsProfessional
    """.split()
)
_OTHER_DESIGNATIONS: Final = tuple(
    """
    AAMS AEP CAIA CAP CASL CDFA CEBS ChFC CIC CLU CMFC CPA CPWA CRPC CRPS FRM PFS RICP
    """.split()
)
_COMMON_SERIES: Final = {"Series63_UniformSecuritiesAgent": 0.71, "Series6_InvestmentCompanyAndVariableContracts": 0.3}

# Worded columns that only a wide feed has, as traits.WORDED.
WIDE_WORDED: Final[dict[str, dict[str, float]]] = {
    **{
        name: {"Yes": _COMMON_SERIES.get(name, 0.02), "No": 1 - _COMMON_SERIES.get(name, 0.02)}
        for name in _OTHER_SERIES
    },
    **{f"Designations_{name}": {"Yes": 0.02, "No": 0.98} for name in _OTHER_DESIGNATIONS},
    **{f"TitleCategory_{name}": {"Yes": 0.09} for name in TITLE_CATEGORIES},
}

_HISTORY_METRICS: Final = tuple(
    """
    Number_OfficeReps Number_FirmReps Number_FirmOffices Number_FirmStates Number_RegisteredStates_Firm
    Number_FirmIAReps Number_FirmBDReps Number_FirmDuallyRegistered Number_FirmHires Number_FirmDepartures
    Number_FirmTrainees Number_OfficeHires Number_OfficeDepartures Number_FirmCFP Number_FirmOwners
    """.split()
)
_HISTORY_PERIODS: Final = (
    *(f"YE{year}" for year in range(2012, 2024)),
    "Change1Year",
    "Change3Year",
    "Change5Year",
    "%Change2Year",
    "%ChangeQTD",
    "%ChangeYTD",
)

_CRD_FORM: Final = (
    "CASE {form} WHEN 0 THEN {crd}::VARCHAR WHEN 1 THEN {crd} || '.0' WHEN 2 THEN ' ' || {crd} || ' '"
    " ELSE '0' || {crd} END"
)
_LAST_NAME: Final = "replace(replace(last_name, '''', ''), ' ', '')"
_ROTATION: Final = "[" + ", ".join(f"'{s}'" for s in sorted({place.state for place in PLACES}) * 3) + "]"


def feed_columns(*, wide: bool) -> list[Column]:
    """(name, SQL expression over the frame) of every column, in file order; exactly 471 of them if `wide`."""
    columns = [*_identity(), *_worded(), *_offices(), *_careers(), *_licences(), *_contact()]
    if wide:
        columns += _wide_families()
        columns += _history()[: WIDE_COLUMNS - 1 - len(columns)]
    else:
        columns += [column for column in _history() if column[0] in _NARROW_HISTORY]
    return [*columns, (SYNTHETIC, "'Yes'")]


_NARROW_HISTORY: Final = ("Number_OfficeReps_YE2019", "Number_OfficeReps_Change1Year", "Number_OfficeReps_%ChangeYTD")


def _identity() -> list[Column]:
    return [
        ("DiscoveryRepID", "'D' || (crd + 10000000)"),
        ("RepCRD", _CRD_FORM.format(form="crd_form", crd="crd")),
        ("RIAFirmCRD", _CRD_FORM.format(form="firm_form", crd="firm_crd")),
        ("RIAFirmName", "CASE WHEN noise % 97 = 0 THEN upper(firm_name) ELSE firm_name::VARCHAR END"),
        ("PrimaryRIAFirmCRD", "primary_crd"),
        ("PrimaryFirmCRD", "primary_crd"),
        ("FullName", "first_name || ' ' || last_name"),
        ("FirstName", "first_name"),
        ("MiddleName", "CASE WHEN noise % 3 = 0 THEN chr((65 + noise % 26)::INTEGER) END"),
        ("LastName", "last_name"),
        ("Suffix", "suffix"),
        ("Title", "title"),
        ("Education1", "school"),
        ("Notes", "note"),
    ]


def _worded() -> list[Column]:
    dirty = {
        name: f"CASE WHEN dirty = '{name}' THEN stray::VARCHAR ELSE \"{name}\"::VARCHAR END" for name in DIRTY_WORDS
    }
    plain = [name for name in WORDED if not name.startswith(("Series", "Designations", "Office", "Home"))]
    return [(name, dirty.get(name, f'"{name}"')) for name in plain]


def _offices() -> list[Column]:
    columns: list[Column] = []
    for kind in ("Office", "Home"):
        known = f"{kind.lower()}_state IS NOT NULL"
        side = kind.lower()
        columns += [
            (f"{kind}_Address1", f"CASE WHEN {known} THEN {side}_address END"),
            (f"{kind}_City", f"{side}_city"),
            (f"{kind}_County", f"{side}_county"),
            (f"{kind}_State", f"{side}_state"),
            (f"{kind}_ZipCode", f"{side}_zip"),
            (f"{kind}_MetropolitanArea", f"{side}_metro"),
            (f"{kind}_Longitude", f"{side}_longitude"),
            (f"{kind}_Latitude", f"{side}_latitude"),
            (f"{kind}_USPSCertified", f'CASE WHEN {known} THEN "{kind}_USPSCertified"::VARCHAR END'),
        ]
    columns += [
        ("MilesToWork", "miles"),
        ("Number_OfficeReps", "office_reps"),
        ("NumberFirmAssociations", "firm_associations"),
        ("NumberRIAFirmAssociations", "ria_associations"),
        ("Number_RegisteredStates", "states"),
    ]
    return [(name, _maybe_dirty(name, expression)) for name, expression in columns]


def _maybe_dirty(name: str, expression: str) -> str:
    if name not in DIRTY_NUMBERS:
        return expression
    return f"CASE WHEN dirty = '{name}' THEN stray::VARCHAR ELSE ({expression})::VARCHAR END"


def _careers() -> list[Column]:
    columns: list[Column] = []
    for name, stem in (("DateBecameRep", "became"), ("DateOfHireAtCurrentFirm", "hire")):
        columns += [
            (f"{name}_Date", f"CASE WHEN {stem}_years IS NOT NULL THEN {stem}_date END"),
            (f"{name}_Year", f"CASE WHEN {stem}_years IS NOT NULL THEN year({stem}_date) END"),
            (f"{name}_NumberOfYears", f"{stem}_years"),
        ]
    for k in range(1, PRIOR_FIRMS + 1):
        columns += [
            (f"PriorFirm{k}_FirmCRD", f"CASE WHEN prior{k}_years IS NOT NULL THEN prior{k}_crd END"),
            (f"PriorFirm{k}_NumberOfYears", f"prior{k}_years"),
        ]
    return columns


def _licences() -> list[Column]:
    held = [name for name in WORDED if name.startswith(("Series", "Designations"))]
    listed = ", ".join(f"CASE WHEN \"{name}\" = 'Yes' THEN '{_spoken(name)}' END" for name in held)
    columns: list[Column] = [("LicensesDesignations", f"nullif(concat_ws(', ', {listed}), '')")]
    for name in held:
        columns.append((name, f'"{name}"'))
        if name.startswith("Series"):
            columns.append((f"{name}_Date", _licence_date(name)))
    return columns


def _spoken(column: str) -> str:
    """`Series7_GeneralSecuritiesRepresentative` -> `Series 7`; `Designations_CFP` -> `CFP`."""
    kind, _, rest = column.partition("_")
    return rest if kind == "Designations" else kind.replace("Series", "Series ")


def _licence_date(column: str) -> str:
    return f"CASE WHEN \"{column}\" = 'Yes' THEN became_date + (noise % {211 + len(column)})::INTEGER END"


def _contact() -> list[Column]:
    mail = f"lower(first_name) || '.' || lower({_LAST_NAME})"
    return [
        ("Email_BusinessType", f"CASE WHEN email_business THEN {mail} || '@firm' || firm_crd || '.example' END"),
        ("Email_PersonalType", f"CASE WHEN email_personal THEN {mail} || noise % 100 || '@mail.example' END"),
        ("PersonalWebsite", "CASE WHEN noise % 41 = 0 THEN 'https://advisor' || crd || '.example' END"),
        ("FirmWebsite", "CASE WHEN firm_crd % 5 > 0 THEN 'https://firm' || firm_crd || '.example' END"),
        # An empty field is sometimes quoted; it is no less empty (R36).
        (
            "SocialMedia_LinkedIn",
            f"CASE WHEN linkedin THEN 'https://linkedin.example/in/' || {_LAST_NAME} WHEN noise % 10 = 0 THEN '' END",
        ),
    ]


def _wide_families() -> list[Column]:
    columns: list[Column] = [
        ("PrimaryBDFirmCRD", "CASE WHEN \"DuallyRegisteredBDRIARep\" = 'Yes' THEN primary_crd END"),
        ("TitleCategories", "CASE WHEN title IS NOT NULL THEN 'Advisor, ' || title END"),
        (
            "RegisteredStates",
            f"array_to_string(list_slice({_ROTATION}, noise % 40, noise % 40 + states::INT - 1), ', ')",
        ),
        ("Email_BusinessTypeValidationSupported", "CASE WHEN email_business THEN 'Yes' END"),
        ("SocialMedia_Facebook", "CASE WHEN noise % 29 = 0 THEN 'https://facebook.example/' || crd END"),
        ("SocialMedia_Twitter", "CASE WHEN noise % 31 = 0 THEN 'https://twitter.example/' || crd END"),
        ("DateBecameRep_YearMonth", "CASE WHEN became_years IS NOT NULL THEN strftime(became_date, '%Y-%m') END"),
        ("DateOfHireAtCurrentFirm_YearMonth", "CASE WHEN hire_years IS NOT NULL THEN strftime(hire_date, '%Y-%m') END"),
        ("Office_DiscoveryAddressID", "office_zip_number * 100 + noise % 100"),
        ("Office_BranchCRD", "CASE WHEN noise % 3 > 0 THEN 100000 + noise % 600000 END"),
        ("Office_Phone", "'(555) 01' || noise % 10 || '-' || (1000 + noise % 9000)"),
        ("Home_DiscoveryAddressID", "CASE WHEN home_state IS NOT NULL THEN 7000000 + noise % 1000000 END"),
        ("Home_Phone", "CASE WHEN home_state IS NOT NULL AND noise % 2 = 0 THEN '(555) 0199-' || noise % 1000 END"),
    ]
    for k in range(1, PRIOR_FIRMS + 1):
        known = f"CASE WHEN prior{k}_years IS NOT NULL THEN"
        columns += [
            (f"PriorFirm{k}_Name", f"{known} prior{k}_name::VARCHAR END"),
            (f"PriorFirm{k}_StartDate", f"{known} hire_date - (365 * (prior{k}_years + {3 * k - 3}))::INTEGER END"),
            (f"PriorFirm{k}_EndDate", f"{known} hire_date - {1100 * (k - 1) + 20} END"),
        ]
    for name in WIDE_WORDED:
        columns.append((name, f'"{name}"'))
        if name.startswith("Series"):
            columns.append((f"{name}_Date", _licence_date(name)))
    return columns


def _history() -> list[Column]:
    """History columns, metric by metric; a percentage has a % in its name, which BigQuery forbids (R1)."""
    columns: list[Column] = []
    for m, metric in enumerate(_HISTORY_METRICS):
        for p, period in enumerate(_HISTORY_PERIODS):
            spin = f"(noise // {3 + 2 * p + 37 * m})"
            if period.startswith("YE"):
                value = f"CASE WHEN became_years > {2025 - int(period[2:])} THEN {spin} % {7 + 11 * m} END"
            elif period.startswith("%"):
                value = f"CASE WHEN {spin} % 4 = 0 THEN ({spin} % 400 - 150) / 10.0 END"
            else:
                value = f"CASE WHEN {spin} % 3 = 0 THEN {spin} % 21 - 8 END"
            columns.append((f"{metric}_{period}", value))
    return columns
