{#-
  Figures of the gates of step 3.2, its imbalance metrics, and what was left out. Parameters: @as_of,
  @label_window_days, @entry_lag_days, @snapshot_dates (all registered ones), @first_snapshot (the earliest of them).
  What must be there is worked out anew from staging and the leads, in other words than the transform's own.
-#}
{% import 'macros.sql' as m %}
{% set engineered_flags = [
  'is_veteran_advisor', 'is_new_to_firm', 'avg_prior_firm_tenure_lt3', 'high_turnover_flag', 'multi_ria_relationships',
  'complex_registration', 'multi_state_registered', 'branch_vs_home_mismatch', 'remote_work_indicator',
  'local_advisor', 'has_linkedin', 'email_business_type_flag', 'email_personal_type_flag',
  'is_new_to_firm_x_has_series65', 'veteran_x_cfp', 'target_label',
] %}
{% set firm_flags = ['multi_state_firm', 'national_firm'] %}
{% set missing_flags = [
  ('doh_current_years_is_missing', 'DateOfHireAtCurrentFirm_NumberOfYears'),
  ('became_rep_years_is_missing', 'DateBecameRep_NumberOfYears'),
  ('avg_prior_firm_tenure_is_missing', 'AverageTenureAtPriorFirms'),
  ('num_prior_firms_is_missing', 'NumberOfPriorFirms'),
  ('num_registered_states_is_missing', 'Number_RegisteredStates'),
  ('firm_total_reps_is_missing', 'total_reps'),
] %}
WITH registered AS (
  SELECT snapshot_at FROM UNNEST(@snapshot_dates) AS snapshot_at
),
dated AS (
  SELECT
    Id,
    contact_date,
    dialled_on,
    dial_source,
    CASE
      WHEN dial_source = 'logged' THEN dialled_on ELSE {{ m.day('Stage_Entered_Contacting__c') }}
    END AS first_day,
    {{ m.day('Stage_Entered_Call_Scheduled__c') }} AS call_date
  FROM {{ staging }}
),
expected AS (
  SELECT
    *,
    dial_source IN ('assumed', 'logged') AS was_dialled,
    DATE_DIFF(call_date, first_day, DAY) AS days,
    DATE_ADD(first_day, INTERVAL @label_window_days DAY) AS last_day,
    DATE_ADD(first_day, INTERVAL @label_window_days + @entry_lag_days DAY) > @as_of AS is_young
  FROM dated
),
fates AS (
  SELECT
    COUNT(*) AS staging_rows,
    COUNTIF(is_young) AS dropped_young,
    COUNTIF(NOT is_young AND dial_source = 'none') AS dropped_undialled,
    COUNTIF(NOT is_young AND dial_source = 'unknown') AS dropped_dial_unknown,
    COUNTIF(NOT is_young AND was_dialled AND COALESCE(days, 0) < 0) AS dropped_negative_days
  FROM expected
),
sides AS (
  SELECT Id, 1 AS side FROM expected WHERE NOT is_young AND was_dialled AND COALESCE(days, 0) >= 0
  UNION ALL
  SELECT Id, -1 FROM {{ candidate }}
),
differences AS (
  SELECT ABS(SUM(side)) AS records FROM sides GROUP BY Id
),
reconciled AS (
  SELECT COALESCE(SUM(records), 0) AS rows_unreconciled FROM differences
),
labels AS (
  -- A training row that staging does not have has no label to agree with
  SELECT COUNT(*) AS labels_wrong
  FROM {{ candidate }} AS training
  LEFT JOIN expected ON expected.Id = training.Id
  WHERE expected.Id IS NULL
    OR training.target_label IS NULL
    OR training.target_label
      != CASE WHEN expected.call_date >= expected.first_day AND expected.call_date <= expected.last_day
        THEN 1 ELSE 0 END
    OR COALESCE(training.days_to_conversion, -1000000) != COALESCE(expected.days, -1000000)
    OR training.contact_date != expected.contact_date
    OR COALESCE(training.dialled_on != expected.first_day, TRUE)
),
crm AS (
  SELECT COUNT(DISTINCT FA_CRD__c) AS advisors_of_leads
  FROM {{ leads }}
  WHERE Stage_Entered_Contacting__c IS NOT NULL AND FA_CRD__c IS NOT NULL
),
measured AS (
  SELECT
    COUNT(*) AS total_samples,
    COUNTIF(target_label = 1) AS positive_samples,
    COUNTIF(target_label = 0) AS negative_samples,
    COUNT(*) - COUNT(DISTINCT Id) AS duplicate_ids,
    -- Assertion 1
    COUNTIF(days_to_conversion < 0) AS negative_days_count,
    -- Assertions 2 and 3: the plan's own figures, then the true ones (R11)
    COUNT(DISTINCT FA_CRD__c) AS advisors,
    SAFE_DIVIDE(
      COUNT(DISTINCT CASE WHEN RIAFirmCRD IS NOT NULL THEN FA_CRD__c END),
      COUNT(DISTINCT FA_CRD__c)) AS firm_match_rate_literal,
    COUNTIF(contact_date < @first_snapshot) AS samples_before_first_snapshot,
    SAFE_DIVIDE(
      COUNTIF(contact_date >= @first_snapshot AND rep_snapshot_at IS NOT NULL),
      COUNTIF(contact_date >= @first_snapshot)) AS rep_match_rate,
    SAFE_DIVIDE(
      COUNTIF(contact_date >= @first_snapshot AND firm_snapshot_at IS NOT NULL),
      COUNTIF(contact_date >= @first_snapshot)) AS firm_match_rate,
    -- Assertion 4, over both snapshots (R12)
    COUNTIF(
      rep_snapshot_at NOT IN (SELECT snapshot_at FROM registered)
      OR firm_snapshot_at NOT IN (SELECT snapshot_at FROM registered)) AS invalid_snapshot_count,
    -- Assertion 5, and nothing after as_of (R48)
    COUNTIF(
      rep_snapshot_at > {{ m.day('Stage_Entered_Contacting__c') }}
      OR firm_snapshot_at > {{ m.day('Stage_Entered_Contacting__c') }}
      OR rep_snapshot_at > @as_of
      OR firm_snapshot_at > @as_of) AS post_contact_features,
    -- Assertion 6: an engineered flag is never NULL, a snapshot's flag only where the lead has no such snapshot
    COUNTIF(
{% for flag in engineered_flags %}
      {{ 'OR ' if not loop.first }}{{ m.not_binary(flag) }}
{% endfor %}
{% for flag in m.rep_flags %}
      OR {{ flag }} NOT IN (0, 1) OR ({{ flag }} IS NULL AND rep_snapshot_at IS NOT NULL)
{% endfor %}
{% for flag in firm_flags %}
      OR {{ flag }} NOT IN (0, 1) OR ({{ flag }} IS NULL AND firm_snapshot_at IS NOT NULL)
{% endfor %}
    ) AS flags_not_binary,
    -- Assertion 7; a bin is missing exactly where the count is
    COUNTIF(
      firm_rep_count_bin NOT IN ('1', '2_5', '6_20', '21_plus')
      OR (firm_rep_count_bin IS NULL) != (total_reps IS NULL)) AS invalid_bin,
    -- Assertion 8, and each flag agrees with the column it speaks of
    COUNTIF(
{% for flag, column in missing_flags %}
      {{ m.not_binary(flag) }} OR ({{ flag }} = 1) != ({{ column }} IS NULL) OR
{% endfor %}
      COALESCE(missing_feature_count, -1) NOT BETWEEN 0 AND 6
      OR missing_feature_count != {% for flag, _ in missing_flags %}{{ ' + ' if not loop.first }}{{ flag }}{% endfor %}

    ) AS invalid_missing_flags,
    COUNTIF(
      CASE dial_source WHEN 'logged' THEN dialled_on ELSE {{ m.day('Stage_Entered_Contacting__c') }} END
        > DATE_SUB(@as_of, INTERVAL @label_window_days + @entry_lag_days DAY)) AS unmatured_leads,
    COUNTIF(dial_source = 'assumed') AS samples_dial_assumed,
    MIN(contact_date) AS first_contact,
    MAX(contact_date) AS last_contact
  FROM {{ candidate }}
)
SELECT
  measured.*,
  SAFE_DIVIDE(advisors, advisors_of_leads) AS rep_match_rate_literal,
  rows_unreconciled,
  labels_wrong,
  staging_rows,
  dropped_young,
  dropped_undialled,
  dropped_dial_unknown,
  dropped_negative_days,
  LEAST(positive_samples, negative_samples) AS smaller_class,
  ROUND(SAFE_DIVIDE(positive_samples, total_samples) * 100, 2) AS positive_class_percent,
  ROUND(SAFE_DIVIDE(negative_samples, positive_samples), 2) AS imbalance_ratio
FROM measured
CROSS JOIN reconciled
CROSS JOIN labels
CROSS JOIN crm
CROSS JOIN fates
