{#-
  Step 3.1: each lead with what was known of its advisor and firm on the day of contact. One row per lead (R4).
  Parameters: @as_of; nothing dated after it is known (R9, R48): no lead contacted later is here, and each lead asks for
  snapshots up to its contact only; @label_window_days. Lists: tie_breakers, the contract's columns that settle between rows of one advisor
  in one snapshot after the primary firm and the lowest firm CRD (R2).

  Point in time: the newest date on which the advisor is known comes first (one MAX per advisor and day), then an
  equi-join fetches that date's rows. GoogleSQL has no ASOF join, and ranking every older row costs many times more.

  Only a lead that was dialled can convert (R50). From the first logged dial on, the log says who was; long before it each
  lead is assumed to have been dialled as it was contacted; in the label window before it nobody can tell.
-#}
{% import 'macros.sql' as m %}
WITH leads AS (
  SELECT
    Id,
    crd AS FA_CRD__c,
    Stage_Entered_Contacting__c,
    CASE
      WHEN {{ m.day('Stage_Entered_Call_Scheduled__c') }} <= @as_of THEN Stage_Entered_Call_Scheduled__c
    END AS Stage_Entered_Call_Scheduled__c,
    {{ m.day('Stage_Entered_Contacting__c') }} AS contact_date
  FROM {{ leads }}
  WHERE crd IS NOT NULL AND {{ m.day('Stage_Entered_Contacting__c') }} <= @as_of
),
dialled AS (
  -- A dial that moves a lead's stage can lie just before it, and midnight between them; that one counts as of the contact.
  -- Earlier ones were of an earlier round of the lead
  SELECT leads.Id, MIN(GREATEST({{ m.day('dials.dialled_at') }}, leads.contact_date)) AS dialled_on
  FROM leads
  INNER JOIN {{ crm_dials }} AS dials ON dials.Id = leads.Id
  WHERE {{ m.day('dials.dialled_at') }} >= DATE_SUB(leads.contact_date, INTERVAL 1 DAY)
    AND {{ m.day('dials.dialled_at') }} <= @as_of
  GROUP BY leads.Id
),
dial_log AS (
  SELECT MIN({{ m.day('dialled_at') }}) AS first_day FROM {{ crm_dials }} WHERE {{ m.day('dialled_at') }} <= @as_of
),
sourced AS (
  SELECT
    leads.*,
    dialled.dialled_on AS first_dial,
    CASE
      WHEN dial_log.first_day IS NULL
        OR leads.contact_date < DATE_SUB(dial_log.first_day, INTERVAL @label_window_days DAY) THEN 'assumed'
      WHEN leads.contact_date < dial_log.first_day THEN 'unknown'
      WHEN dialled.dialled_on IS NULL THEN 'none'
      ELSE 'logged'
    END AS dial_source
  FROM leads
  LEFT JOIN dialled ON dialled.Id = leads.Id
  CROSS JOIN dial_log
),
questions AS (
  SELECT DISTINCT FA_CRD__c, contact_date FROM leads
),
rep_dates AS (
  SELECT questions.FA_CRD__c, questions.contact_date, MAX(reps.snapshot_at) AS snapshot_at
  FROM questions
  INNER JOIN {{ reps_vintages }} AS reps
    ON reps.RepCRD = questions.FA_CRD__c AND reps.snapshot_at <= questions.contact_date
  GROUP BY questions.FA_CRD__c, questions.contact_date
),
needed AS (
  SELECT DISTINCT FA_CRD__c, snapshot_at FROM rep_dates
),
ranked AS (
  SELECT
    reps.*,
    ROW_NUMBER() OVER (
      PARTITION BY reps.RepCRD, reps.snapshot_at
      ORDER BY
        reps.IsPrimaryRIAFirm DESC,
        -- Canonical CRDs: the shorter one is the lower number, and it needs no cast that could overflow
        LENGTH(reps.RIAFirmCRD) ASC NULLS LAST,
        reps.RIAFirmCRD ASC NULLS LAST
{% for column in tie_breakers %}
        , reps.{{ column }} ASC NULLS LAST
{% endfor %}
    ) AS place
  FROM needed
  INNER JOIN {{ reps_vintages }} AS reps
    ON reps.RepCRD = needed.FA_CRD__c AND reps.snapshot_at = needed.snapshot_at
),
chosen AS (
  SELECT * FROM ranked WHERE place = 1
),
firm_questions AS (
  SELECT DISTINCT chosen.RIAFirmCRD, rep_dates.contact_date
  FROM rep_dates
  INNER JOIN chosen
    ON chosen.RepCRD = rep_dates.FA_CRD__c AND chosen.snapshot_at = rep_dates.snapshot_at
),
firm_dates AS (
  SELECT firm_questions.RIAFirmCRD, firm_questions.contact_date, MAX(firms.snapshot_at) AS snapshot_at
  FROM firm_questions
  INNER JOIN {{ firms_vintages }} AS firms
    ON firms.RIAFirmCRD = firm_questions.RIAFirmCRD AND firms.snapshot_at <= firm_questions.contact_date
  GROUP BY firm_questions.RIAFirmCRD, firm_questions.contact_date
)
SELECT
  leads.Id,
  leads.FA_CRD__c,
  leads.Stage_Entered_Contacting__c,
  leads.Stage_Entered_Call_Scheduled__c,
  leads.contact_date,
  CASE leads.dial_source WHEN 'assumed' THEN leads.contact_date WHEN 'logged' THEN leads.first_dial END AS dialled_on,
  leads.dial_source,
  -- The advisor on the day of contact; all NULL for a lead that no snapshot knows
  reps.RepCRD,
  reps.RIAFirmCRD,
  reps.TotalAssetsInMillions,
  reps.TotalAssets_PooledVehicles,
  reps.TotalAssets_SeparatelyManagedAccounts,
  reps.NumberClients_Individuals,
  reps.NumberClients_HNWIndividuals,
  reps.NumberClients_RetirementPlans,
  reps.PercentClients_Individuals,
  reps.PercentClients_HNWIndividuals,
  reps.AssetsInMillions_MutualFunds,
  reps.AssetsInMillions_PrivateFunds,
  reps.AssetsInMillions_Equity_ExchangeTraded,
  reps.PercentAssets_MutualFunds,
  reps.PercentAssets_PrivateFunds,
  reps.PercentAssets_Equity_ExchangeTraded,
  reps.Number_IAReps,
  reps.Number_BranchAdvisors,
  reps.NumberFirmAssociations,
  reps.NumberRIAFirmAssociations,
  reps.AUMGrowthRate_1Year,
  reps.AUMGrowthRate_5Year,
  reps.DateBecameRep_NumberOfYears,
  reps.DateOfHireAtCurrentFirm_NumberOfYears,
  reps.Number_YearsPriorFirm1,
  reps.Number_YearsPriorFirm2,
  reps.Number_YearsPriorFirm3,
  reps.Number_YearsPriorFirm4,
  reps.AverageTenureAtPriorFirms,
  reps.NumberOfPriorFirms,
  reps.IsPrimaryRIAFirm,
  reps.DuallyRegisteredBDRIARep,
  reps.Has_Series_7,
  reps.Has_Series_65,
  reps.Has_Series_66,
  reps.Has_Series_24,
  reps.Has_CFP,
  reps.Has_CFA,
  reps.Has_CIMA,
  reps.Has_AIF,
  reps.Has_Disclosure,
  reps.Disclosure_Known,
  reps.Is_BreakawayRep,
  reps.Has_Insurance_License,
  reps.Is_NonProducer,
  reps.Is_IndependentContractor,
  reps.Is_Owner,
  reps.Office_USPS_Certified,
  reps.Home_USPS_Certified,
  reps.Has_LinkedIn,
  reps.Home_MetropolitanArea,
  reps.Branch_State,
  reps.Home_State,
  reps.Home_ZipCode,
  reps.Branch_ZipCode,
  reps.MilesToWork,
  reps.SocialMedia_LinkedIn,
  -- Staged for their 0/1 flags only (R5)
  reps.Email_BusinessType,
  reps.Email_PersonalType,
  reps.CustodianAUM_Schwab,
  reps.CustodianAUM_Fidelity_NationalFinancial,
  reps.CustodianAUM_Pershing,
  reps.CustodianAUM_TDAmeritrade,
  reps.Has_Schwab_Relationship,
  reps.Has_Fidelity_Relationship,
  reps.Has_Pershing_Relationship,
  reps.Has_TDAmeritrade_Relationship,
  reps.Number_RegisteredStates,
  reps.snapshot_at AS rep_snapshot_at,
  -- The chosen row's firm, on the day of contact
  firms.total_firm_aum_millions,
  firms.total_reps,
  firms.total_firm_clients,
  firms.total_firm_hnw_clients,
  firms.avg_clients_per_rep,
  firms.aum_per_rep,
  firms.avg_firm_growth_1y,
  firms.avg_firm_growth_5y,
  firms.pct_reps_with_cfp,
  firms.pct_reps_with_disclosure,
  firms.firm_size_tier,
  firms.multi_state_firm,
  firms.national_firm,
  firms.snapshot_at AS firm_snapshot_at,
  @as_of AS as_of
FROM sourced AS leads
LEFT JOIN rep_dates
  ON rep_dates.FA_CRD__c = leads.FA_CRD__c AND rep_dates.contact_date = leads.contact_date
LEFT JOIN chosen AS reps
  ON reps.RepCRD = rep_dates.FA_CRD__c AND reps.snapshot_at = rep_dates.snapshot_at
LEFT JOIN firm_dates
  ON firm_dates.RIAFirmCRD = reps.RIAFirmCRD AND firm_dates.contact_date = leads.contact_date
LEFT JOIN {{ firms_vintages }} AS firms
  ON firms.RIAFirmCRD = firm_dates.RIAFirmCRD AND firms.snapshot_at = firm_dates.snapshot_at
