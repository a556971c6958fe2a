{#-
  Step 1.5: the feed's columns under the plan's names and types, one row per row of the feed. Parameters: @snapshot_at.
  Typing losses are counted in this pass (R60); the columns of the feed that have no financial figures stay NULL.
-#}
{% import 'macros.sql' as m %}
WITH typed AS (
  SELECT
{% for source in m.crds %}
    {{ m.crd(source) }} AS {{ source }},
    {{ source }} AS {{ source }}_text,
{% endfor %}
{% for source, target, type in m.numbers %}
    {{ m.number(source, type) }} AS {{ target }},
    {{ source }} AS {{ target }}_text,
{% endfor %}
{% for source, _ in m.words if source != 'RegulatoryDisclosures' %}
    {{ source }},
{% endfor %}
    {{ m.text('RegulatoryDisclosures') }} AS RegulatoryDisclosures,
    {{ m.text('LicensesDesignations') }} AS LicensesDesignations,
    {{ m.text('Education1') }} AS Education1,
    {{ m.text('Gender') }} AS Gender,
    {{ m.text('Office_State') }} AS Office_State,
    {{ m.text('Home_State') }} AS Home_State,
    {{ m.text('Office_City') }} AS Office_City,
    {{ m.text('Home_City') }} AS Home_City,
    {{ m.text('Office_County') }} AS Office_County,
    {{ m.text('Home_County') }} AS Home_County,
    {{ m.text('Office_MetropolitanArea') }} AS Office_MetropolitanArea,
    {{ m.text('Home_MetropolitanArea') }} AS Home_MetropolitanArea,
    {{ m.text('FirstName') }} AS FirstName,
    {{ m.text('LastName') }} AS LastName,
    {{ m.text('Title') }} AS Title,
    {{ m.text('RIAFirmName') }} AS RIAFirmName,
    {{ m.text('Email_BusinessType') }} AS Email_BusinessType,
    {{ m.text('Email_PersonalType') }} AS Email_PersonalType,
    {{ m.text('SocialMedia_LinkedIn') }} AS SocialMedia_LinkedIn,
    {{ m.text('PersonalWebsite') }} AS PersonalWebsite,
    {{ m.text('FirmWebsite') }} AS FirmWebsite
  FROM {{ raw }}
),
counted AS (
  SELECT
    *,
    {{ m.flag('Number_YearsPriorFirm1 IS NOT NULL') }} + {{ m.flag('Number_YearsPriorFirm2 IS NOT NULL') }}
      + {{ m.flag('Number_YearsPriorFirm3 IS NOT NULL') }}
      + {{ m.flag('Number_YearsPriorFirm4 IS NOT NULL') }} AS NumberOfPriorFirms
  FROM typed
)
SELECT
  -- Identifiers: canonical CRDs (R34)
  RepCRD,
  RIAFirmCRD,
  -- Financial metrics: not in the feed
  CAST(NULL AS FLOAT64) AS TotalAssetsInMillions,
  CAST(NULL AS INT64) AS Number_IAReps,
  CAST(NULL AS FLOAT64) AS AUMGrowthRate_1Year,
  CAST(NULL AS FLOAT64) AS AUMGrowthRate_5Year,
  -- Tenure
  DateBecameRep_NumberOfYears,
  DateOfHireAtCurrentFirm_NumberOfYears,
  -- Clients and assets: not in the feed
  CAST(NULL AS INT64) AS NumberClients_Individuals,
  CAST(NULL AS INT64) AS NumberClients_HNWIndividuals,
  CAST(NULL AS INT64) AS NumberClients_RetirementPlans,
  CAST(NULL AS FLOAT64) AS AssetsInMillions_Individuals,
  CAST(NULL AS FLOAT64) AS AssetsInMillions_HNWIndividuals,
  CAST(NULL AS FLOAT64) AS TotalAssets_SeparatelyManagedAccounts,
  CAST(NULL AS FLOAT64) AS TotalAssets_PooledVehicles,
  CAST(NULL AS FLOAT64) AS AssetsInMillions_MutualFunds,
  CAST(NULL AS FLOAT64) AS AssetsInMillions_PrivateFunds,
  CAST(NULL AS FLOAT64) AS AssetsInMillions_Equity_ExchangeTraded,
  CAST(NULL AS FLOAT64) AS PercentClients_HNWIndividuals,
  CAST(NULL AS FLOAT64) AS PercentClients_Individuals,
  CAST(NULL AS FLOAT64) AS PercentAssets_HNWIndividuals,
  CAST(NULL AS FLOAT64) AS PercentAssets_Individuals,
  CAST(NULL AS FLOAT64) AS PercentAssets_MutualFunds,
  CAST(NULL AS FLOAT64) AS PercentAssets_PrivateFunds,
  CAST(NULL AS FLOAT64) AS PercentAssets_Equity_ExchangeTraded,
  -- Firm associations
  NumberFirmAssociations,
  NumberRIAFirmAssociations,
  Number_BranchAdvisors,
  -- Custodian AUM: not in the feed
  CAST(NULL AS FLOAT64) AS CustodianAUM_Fidelity_NationalFinancial,
  CAST(NULL AS FLOAT64) AS CustodianAUM_Pershing,
  CAST(NULL AS FLOAT64) AS CustodianAUM_Schwab,
  CAST(NULL AS FLOAT64) AS CustodianAUM_TDAmeritrade,
  -- Prior firms: counted and averaged from the typed values, not from text (R36)
  Number_YearsPriorFirm1,
  Number_YearsPriorFirm2,
  Number_YearsPriorFirm3,
  Number_YearsPriorFirm4,
  SAFE_DIVIDE(
    COALESCE(Number_YearsPriorFirm1, 0) + COALESCE(Number_YearsPriorFirm2, 0)
      + COALESCE(Number_YearsPriorFirm3, 0) + COALESCE(Number_YearsPriorFirm4, 0),
    NumberOfPriorFirms) AS AverageTenureAtPriorFirms,
  NumberOfPriorFirms,
  -- Text kept for reference
  LicensesDesignations AS Licenses,
  RegulatoryDisclosures,
  Education1 AS Education,
  Gender,
  CAST(NULL AS STRING) AS KnownNonAdvisor,
  {{ m.flag("DuallyRegisteredBDRIARep = 'Yes'") }} AS DuallyRegisteredBDRIARep,
  {{ m.flag('RIAFirmCRD = PrimaryRIAFirmCRD') }} AS IsPrimaryRIAFirm,
  {{ m.flag("BreakawayRep = 'Yes'") }} AS Is_BreakawayRep,
  {{ m.flag("InsuranceLicensed = 'Yes'") }} AS Has_Insurance_License,
  {{ m.flag("NonProducer = 'Yes'") }} AS Is_NonProducer,
  {{ m.flag("IndependentContractor = 'Yes'") }} AS Is_IndependentContractor,
  {{ m.flag("Owner = 'Yes'") }} AS Is_Owner,
  {{ m.flag("Office_USPSCertified = 'Yes'") }} AS Office_USPS_Certified,
  {{ m.flag("Home_USPSCertified = 'Yes'") }} AS Home_USPS_Certified,
  -- Custodians: not in the feed
  CAST(NULL AS STRING) AS Custodian1,
  CAST(NULL AS STRING) AS Custodian2,
  CAST(NULL AS STRING) AS Custodian3,
  CAST(NULL AS STRING) AS Custodian4,
  CAST(NULL AS STRING) AS Custodian5,
  -- Location
  Office_State AS Branch_State,
  Home_State,
  Office_City AS Branch_City,
  Home_City,
  Office_County AS Branch_County,
  Home_County,
  Branch_ZipCode,
  Home_ZipCode,
  Branch_Longitude,
  Branch_Latitude,
  Home_Longitude,
  Home_Latitude,
  Office_MetropolitanArea AS Branch_MetropolitanArea,
  Home_MetropolitanArea,
  MilesToWork,
  -- Personal and contact details: never leave the rep and staging tables
  FirstName,
  LastName,
  Title,
  RIAFirmName,
  Email_BusinessType,
  Email_PersonalType,
  SocialMedia_LinkedIn,
  {{ m.flag('SocialMedia_LinkedIn IS NOT NULL') }} AS Has_LinkedIn,
  PersonalWebsite AS PersonalWebpage,
  FirmWebsite,
  CAST(NULL AS STRING) AS Brochure_Keywords,
  CAST(NULL AS STRING) AS Notes,
  CAST(NULL AS STRING) AS CustomKeywords,
  -- Licences and designations
  {{ m.flag("Series7_GeneralSecuritiesRepresentative = 'Yes'") }} AS Has_Series_7,
  {{ m.flag("Series65_InvestmentAdviserRepresentative = 'Yes'") }} AS Has_Series_65,
  {{ m.flag("Series66_CombinedUniformStateLawAndIARepresentative = 'Yes'") }} AS Has_Series_66,
  {{ m.flag("Series24_GeneralSecuritiesPrincipal = 'Yes'") }} AS Has_Series_24,
  {{ m.flag("Designations_CFP = 'Yes'") }} AS Has_CFP,
  {{ m.flag("Designations_CFA = 'Yes'") }} AS Has_CFA,
  {{ m.flag("Designations_CIMA = 'Yes'") }} AS Has_CIMA,
  {{ m.flag("Designations_AIF = 'Yes'") }} AS Has_AIF,
  -- The plan's flag counts Unknown as a disclosure; the next column lets a model tell (R15)
  {{ m.flag("RegulatoryDisclosures != 'No'") }} AS Has_Disclosure,
  {{ m.flag("RegulatoryDisclosures IN ('Yes', 'No')") }} AS Disclosure_Known,
  -- Custodian relationships: not in the feed
  CAST(0 AS INT64) AS Has_Schwab_Relationship,
  CAST(0 AS INT64) AS Has_Fidelity_Relationship,
  CAST(0 AS INT64) AS Has_Pershing_Relationship,
  CAST(0 AS INT64) AS Has_TDAmeritrade_Relationship,
  Number_RegisteredStates,
  -- Audit: one bit per column whose text was no number, no CRD, or none of its documented words
  CAST(0
{% for _, target, _ in m.numbers %}
    + {{ m.bit(target ~ ' IS NULL AND ' ~ m.filled(target ~ '_text'), loop.index0) }}
{% endfor %}
{% for source in m.crds %}
    + {{ m.bit(source ~ ' IS NULL AND ' ~ m.filled(source ~ '_text'), loop.index0 + m.numbers | length) }}
{% endfor %}
    AS INT64) AS typing_losses,
  CAST(0
{% for source, _ in m.words %}
    + {{ m.bit(source ~ " NOT IN ('Yes', 'No', 'Unknown') AND " ~ m.filled(source), loop.index0) }}
{% endfor %}
    AS INT64) AS domain_losses,
  @snapshot_at AS snapshot_at
FROM counted
