{#-
  Step 1.6: one row per RIAFirmCRD of one rep snapshot (R3). Parameters: none.
  Names and most frequent values are exact: most rows first, then the lowest by code point; never a NULL while there
  is a value. Means are the same in any order of rows (R45).
-#}
{% import 'macros.sql' as m %}
{% macro values_by_firm(column) -%}
  SELECT
    RIAFirmCRD,
    MAX(CASE WHEN place = 1 THEN {{ column }} END) AS most_frequent,
    COUNT({{ column }}) AS distinct_values
  FROM (
    SELECT
      RIAFirmCRD,
      {{ column }},
      ROW_NUMBER() OVER (PARTITION BY RIAFirmCRD ORDER BY COUNT(*) DESC, {{ column }}) AS place
    FROM {{ reps }}
    WHERE RIAFirmCRD IS NOT NULL AND {{ column }} IS NOT NULL
    GROUP BY RIAFirmCRD, {{ column }}
  ) AS placed
  GROUP BY RIAFirmCRD
{%- endmacro %}
{% macro share(flag) -%}
SUM({{ flag }}) / COUNT(*)
{%- endmacro %}
WITH firms AS (
  SELECT
    RIAFirmCRD,
    COUNT(DISTINCT RepCRD) AS total_reps,
    COUNT(*) AS total_records,
    {{ share('Has_Series_7') }} AS pct_reps_with_series_7,
    {{ share('Has_CFP') }} AS pct_reps_with_cfp,
    {{ share('Has_Disclosure') }} AS pct_reps_with_disclosure,
    {{ share('Has_Series_65') }} AS pct_reps_with_series_65,
    {{ share('Has_Series_66') }} AS pct_reps_with_series_66,
    {{ share('Has_Series_24') }} AS pct_reps_with_series_24,
    {{ m.exact_mean('DateBecameRep_NumberOfYears') }} AS avg_rep_experience_years,
    {{ m.exact_mean('DateOfHireAtCurrentFirm_NumberOfYears') }} AS avg_tenure_at_firm_years,
    {{ m.exact_mean('AverageTenureAtPriorFirms') }} AS avg_tenure_at_prior_firms,
    {{ share('NumberOfPriorFirms') }} AS avg_prior_firms_per_rep,
    MAX(snapshot_at) AS snapshot_at
  FROM {{ reps }}
  WHERE RIAFirmCRD IS NOT NULL
  GROUP BY RIAFirmCRD
),
names AS (
{{ values_by_firm('RIAFirmName') }}
),
home_states AS (
{{ values_by_firm('Home_State') }}
),
home_metro_areas AS (
{{ values_by_firm('Home_MetropolitanArea') }}
),
branch_states AS (
{{ values_by_firm('Branch_State') }}
)
SELECT
  firms.RIAFirmCRD,
  names.most_frequent AS RIAFirmName,
  total_reps,
  total_records,
  -- Financial, growth and client metrics: not in the feed
  CAST(NULL AS FLOAT64) AS total_firm_aum_millions,
  CAST(NULL AS FLOAT64) AS avg_rep_aum_millions,
  CAST(NULL AS FLOAT64) AS max_rep_aum_millions,
  CAST(NULL AS FLOAT64) AS min_rep_aum_millions,
  CAST(NULL AS FLOAT64) AS avg_firm_growth_1y,
  CAST(NULL AS FLOAT64) AS avg_firm_growth_5y,
  CAST(NULL AS INT64) AS total_firm_clients,
  CAST(NULL AS INT64) AS total_firm_hnw_clients,
  CAST(NULL AS FLOAT64) AS avg_clients_per_rep,
  -- Shares of the firm's rows
  pct_reps_with_series_7,
  pct_reps_with_cfp,
  pct_reps_with_disclosure,
  pct_reps_with_series_65,
  pct_reps_with_series_66,
  pct_reps_with_series_24,
  -- Most frequent values and diversity
  home_states.most_frequent AS primary_state,
  home_metro_areas.most_frequent AS primary_metro_area,
  branch_states.most_frequent AS primary_branch_state,
  COALESCE(home_states.distinct_values, 0) AS states_represented,
  COALESCE(home_metro_areas.distinct_values, 0) AS metro_areas_represented,
  COALESCE(branch_states.distinct_values, 0) AS branch_states,
  -- Tenure
  avg_rep_experience_years,
  avg_tenure_at_firm_years,
  avg_tenure_at_prior_firms,
  avg_prior_firms_per_rep,
  -- Custodian and investment metrics: not in the feed
  CAST(NULL AS FLOAT64) AS total_schwab_aum,
  CAST(NULL AS FLOAT64) AS total_fidelity_aum,
  CAST(NULL AS FLOAT64) AS total_pershing_aum,
  CAST(NULL AS FLOAT64) AS total_tdameritrade_aum,
  CAST(NULL AS FLOAT64) AS total_mutual_fund_aum,
  CAST(NULL AS FLOAT64) AS total_private_fund_aum,
  CAST(NULL AS FLOAT64) AS total_etf_aum,
  -- Engineered
  CAST(NULL AS STRING) AS firm_size_tier,
  CAST(NULL AS FLOAT64) AS aum_per_rep,
  {{ m.flag('home_states.distinct_values > 5') }} AS multi_state_firm,
  {{ m.flag('home_states.distinct_values > 10') }} AS national_firm,
  firms.snapshot_at
FROM firms
LEFT JOIN names ON names.RIAFirmCRD = firms.RIAFirmCRD
LEFT JOIN home_states ON home_states.RIAFirmCRD = firms.RIAFirmCRD
LEFT JOIN home_metro_areas ON home_metro_areas.RIAFirmCRD = firms.RIAFirmCRD
LEFT JOIN branch_states ON branch_states.RIAFirmCRD = firms.RIAFirmCRD
