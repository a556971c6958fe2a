{#-
  Step 3.2: features, label and audit columns of every matured lead that was dialled (R50); the table is step 3.3's to promote.
  Parameters: @as_of, @label_window_days (30), @entry_lag_days (0: how late the CRM learns of a call, R10).

  Features come from the staged snapshots alone, which are not later than the contact. A feature that is NULL stays
  NULL (never silently imputed); flags of it are 0, and its *_is_missing flag is 1. No address, zip or URL passes (R5).
-#}
{% import 'macros.sql' as m %}
WITH engineered AS (
  SELECT
    staging.*,
    -- A) Maturity of advisor and firm
    {{ m.flag('DateBecameRep_NumberOfYears >= 10') }} AS is_veteran_advisor,
    {{ m.flag('DateOfHireAtCurrentFirm_NumberOfYears < 2') }} AS is_new_to_firm,
    {{ m.flag('AverageTenureAtPriorFirms < 3') }} AS avg_prior_firm_tenure_lt3,
    {{ m.flag('NumberOfPriorFirms > 3 AND AverageTenureAtPriorFirms < 3') }} AS high_turnover_flag,
    {{ m.flag('NumberRIAFirmAssociations > 1') }} AS multi_ria_relationships,
    {{ m.flag('NumberFirmAssociations > 2 OR NumberRIAFirmAssociations > 1') }} AS complex_registration,
    {{ m.flag('Number_RegisteredStates > 10') }} AS multi_state_registered,
    SAFE_DIVIDE(DateOfHireAtCurrentFirm_NumberOfYears, NumberOfPriorFirms + 1) AS Firm_Stability_Score,
    -- B) Licences and designations
    COALESCE(Has_Series_7, 0) + COALESCE(Has_Series_65, 0)
      + COALESCE(Has_Series_66, 0) + COALESCE(Has_Series_24, 0) AS license_count,
    COALESCE(Has_CFP, 0) + COALESCE(Has_CFA, 0) + COALESCE(Has_CIMA, 0) + COALESCE(Has_AIF, 0) AS designation_count,
    -- C) Geography: the three digits of a zip only where no metropolitan area is known; 02139 came as 2139 (R7)
    {{ m.flag('Branch_State != Home_State') }} AS branch_vs_home_mismatch,
    CASE
      WHEN Home_MetropolitanArea IS NULL AND Home_ZipCode BETWEEN 0 AND 99999 AND Home_ZipCode = FLOOR(Home_ZipCode)
        THEN SUBSTR(LPAD(CAST(CAST(Home_ZipCode AS INT64) AS STRING), 5, '0'), 1, 3)
    END AS Home_Zip_3Digit,
    {{ m.flag('MilesToWork > 50') }} AS remote_work_indicator,
    {{ m.flag('MilesToWork <= 10') }} AS local_advisor,
    -- D) Firm
    CASE
      WHEN total_reps IS NULL THEN NULL
      WHEN total_reps = 1 THEN '1'
      WHEN total_reps BETWEEN 2 AND 5 THEN '2_5'
      WHEN total_reps BETWEEN 6 AND 20 THEN '6_20'
      ELSE '21_plus'
    END AS firm_rep_count_bin,
    -- E) Contactability. BigQuery compares names without case, so Has_LinkedIn gives way to this one (R6)
    {{ m.flag('Has_LinkedIn = 1') }} AS linkedin_flag,
    {{ m.flag('Email_BusinessType IS NOT NULL') }} AS email_business_type_flag,
    {{ m.flag('Email_PersonalType IS NOT NULL') }} AS email_personal_type_flag,
    -- F) Missing values
    {{ m.flag('DateOfHireAtCurrentFirm_NumberOfYears IS NULL') }} AS doh_current_years_is_missing,
    {{ m.flag('DateBecameRep_NumberOfYears IS NULL') }} AS became_rep_years_is_missing,
    {{ m.flag('AverageTenureAtPriorFirms IS NULL') }} AS avg_prior_firm_tenure_is_missing,
    {{ m.flag('NumberOfPriorFirms IS NULL') }} AS num_prior_firms_is_missing,
    {{ m.flag('Number_RegisteredStates IS NULL') }} AS num_registered_states_is_missing,
    {{ m.flag('total_reps IS NULL') }} AS firm_total_reps_is_missing,
    SAFE_DIVIDE(Number_BranchAdvisors, NumberFirmAssociations) AS Branch_Advisors_per_Firm_Association,
    -- Label and maturity, in UTC days (R37) from the dial; without one nothing can mature but by the contact (R10)
    DATE_DIFF(
      {{ m.day('Stage_Entered_Call_Scheduled__c') }}, COALESCE(dialled_on, contact_date), DAY) AS days_to_conversion,
    DATE_DIFF(@as_of, COALESCE(dialled_on, contact_date), DAY)
      >= @label_window_days + @entry_lag_days AS is_matured
  FROM {{ staging }} AS staging
)
SELECT
  Id,
  FA_CRD__c,
  RIAFirmCRD,
  {{ m.flag('days_to_conversion <= @label_window_days') }} AS target_label,
  -- Advisor
  TotalAssetsInMillions,
  TotalAssets_PooledVehicles,
  TotalAssets_SeparatelyManagedAccounts,
  NumberClients_Individuals,
  NumberClients_HNWIndividuals,
  NumberClients_RetirementPlans,
  PercentClients_Individuals,
  PercentClients_HNWIndividuals,
  AssetsInMillions_MutualFunds,
  AssetsInMillions_PrivateFunds,
  AssetsInMillions_Equity_ExchangeTraded,
  PercentAssets_MutualFunds,
  PercentAssets_PrivateFunds,
  PercentAssets_Equity_ExchangeTraded,
  Number_IAReps,
  Number_BranchAdvisors,
  NumberFirmAssociations,
  NumberRIAFirmAssociations,
  AUMGrowthRate_1Year,
  AUMGrowthRate_5Year,
  DateBecameRep_NumberOfYears,
  DateOfHireAtCurrentFirm_NumberOfYears,
  Number_YearsPriorFirm1,
  Number_YearsPriorFirm2,
  Number_YearsPriorFirm3,
  Number_YearsPriorFirm4,
  AverageTenureAtPriorFirms,
  NumberOfPriorFirms,
  IsPrimaryRIAFirm,
  DuallyRegisteredBDRIARep,
  Has_Series_7,
  Has_Series_65,
  Has_Series_66,
  Has_Series_24,
  Has_CFP,
  Has_CFA,
  Has_CIMA,
  Has_AIF,
  Has_Disclosure,
  Disclosure_Known,
  Is_BreakawayRep,
  Has_Insurance_License,
  Is_NonProducer,
  Is_IndependentContractor,
  Is_Owner,
  Office_USPS_Certified,
  Home_USPS_Certified,
  Home_MetropolitanArea,
  Branch_State,
  Home_State,
  MilesToWork,
  CustodianAUM_Schwab,
  CustodianAUM_Fidelity_NationalFinancial,
  CustodianAUM_Pershing,
  CustodianAUM_TDAmeritrade,
  Has_Schwab_Relationship,
  Has_Fidelity_Relationship,
  Has_Pershing_Relationship,
  Has_TDAmeritrade_Relationship,
  Number_RegisteredStates,
  -- Firm
  total_firm_aum_millions,
  total_reps,
  total_firm_clients,
  total_firm_hnw_clients,
  avg_clients_per_rep,
  aum_per_rep,
  avg_firm_growth_1y,
  avg_firm_growth_5y,
  pct_reps_with_cfp,
  pct_reps_with_disclosure,
  firm_size_tier,
  multi_state_firm,
  national_firm,
  -- Engineered
  is_veteran_advisor,
  is_new_to_firm,
  avg_prior_firm_tenure_lt3,
  high_turnover_flag,
  multi_ria_relationships,
  complex_registration,
  multi_state_registered,
  Firm_Stability_Score,
  license_count,
  designation_count,
  branch_vs_home_mismatch,
  Home_Zip_3Digit,
  remote_work_indicator,
  local_advisor,
  firm_rep_count_bin,
  linkedin_flag AS has_linkedin,
  email_business_type_flag,
  email_personal_type_flag,
  doh_current_years_is_missing,
  became_rep_years_is_missing,
  avg_prior_firm_tenure_is_missing,
  num_prior_firms_is_missing,
  num_registered_states_is_missing,
  firm_total_reps_is_missing,
  doh_current_years_is_missing + became_rep_years_is_missing + avg_prior_firm_tenure_is_missing
    + num_prior_firms_is_missing + num_registered_states_is_missing
    + firm_total_reps_is_missing AS missing_feature_count,
  is_new_to_firm * COALESCE(Has_Series_65, 0) AS is_new_to_firm_x_has_series65,
  is_veteran_advisor * COALESCE(Has_CFP, 0) AS veteran_x_cfp,
  Branch_Advisors_per_Firm_Association,
  -- Made of financial figures that the feed does not have
  CAST(NULL AS FLOAT64) AS AUM_per_Client,
  CAST(NULL AS FLOAT64) AS AUM_per_IARep,
  CAST(NULL AS FLOAT64) AS Clients_per_IARep,
  CAST(NULL AS FLOAT64) AS Clients_per_BranchAdvisor,
  CAST(NULL AS FLOAT64) AS Branch_Advisor_Density,
  CAST(NULL AS FLOAT64) AS HNW_Client_Ratio,
  CAST(NULL AS FLOAT64) AS HNW_Asset_Concentration,
  CAST(NULL AS FLOAT64) AS Individual_Asset_Ratio,
  CAST(NULL AS FLOAT64) AS Alternative_Investment_Focus,
  CAST(NULL AS INT64) AS Positive_Growth_Trajectory,
  CAST(NULL AS INT64) AS Accelerating_Growth,
  -- Audit (R8): never a feature
  days_to_conversion,
  Stage_Entered_Contacting__c,
  contact_date,
  dialled_on,
  dial_source,
  rep_snapshot_at,
  firm_snapshot_at,
  as_of
FROM engineered
WHERE is_matured AND dialled_on IS NOT NULL AND (days_to_conversion >= 0 OR days_to_conversion IS NULL)
ORDER BY Id
