{#-
  Figures of the gates of step 3.1. Parameters: @as_of, @label_window_days, @snapshot_dates (all registered ones).
  What must be there is worked out anew from the leads, the dials and the vintages, in other words than the join's own.
-#}
{% import 'macros.sql' as m %}
WITH first_snapshot AS (
  SELECT MIN(snapshot_at) AS snapshot_at FROM UNNEST(@snapshot_dates) AS snapshot_at
),
crm AS (
  SELECT
    Id,
    crd,
    Stage_Entered_Contacting__c,
    {{ m.day('Stage_Entered_Contacting__c') }} AS contact_date,
    CASE
      WHEN {{ m.day('Stage_Entered_Call_Scheduled__c') }} > @as_of THEN NULL
      ELSE Stage_Entered_Call_Scheduled__c
    END AS known_call,
    {{ m.day('Stage_Entered_Call_Scheduled__c') }} > @as_of AS call_after_as_of
  FROM {{ leads }}
),
left_out AS (
  SELECT
    COUNT(*) AS leads_in_extract,
    COUNTIF(contact_date IS NULL) AS leads_not_contacted,
    COUNTIF(contact_date > @as_of) AS leads_after_as_of,
    COUNTIF(contact_date <= @as_of AND crd IS NULL) AS leads_without_crd,
    COUNTIF(contact_date <= @as_of AND crd IS NOT NULL AND call_after_as_of) AS calls_after_as_of
  FROM crm
),
sides AS (
  SELECT Id, crd, Stage_Entered_Contacting__c AS contact, contact_date, known_call, 1 AS side
  FROM crm
  WHERE contact_date IS NOT NULL AND NOT contact_date > @as_of AND crd IS NOT NULL
  UNION ALL
  SELECT Id, FA_CRD__c, Stage_Entered_Contacting__c, contact_date, Stage_Entered_Call_Scheduled__c, -1
  FROM {{ candidate }}
),
differences AS (
  SELECT ABS(SUM(side)) AS records FROM sides GROUP BY Id, crd, contact, contact_date, known_call
),
reconciled AS (
  SELECT COALESCE(SUM(records), 0) AS rows_unreconciled FROM differences
),
rep_sightings AS (
  -- Each lead beside every row of its advisor in every snapshot; which of them it may see is only counted
  SELECT
    staged.Id,
    staged.rep_snapshot_at,
    COUNTIF(reps.snapshot_at <= LEAST(staged.contact_date, @as_of)
      AND reps.snapshot_at > COALESCE(staged.rep_snapshot_at, DATE '0001-01-01')) AS newer,
    COUNTIF(reps.snapshot_at = staged.rep_snapshot_at
      AND COALESCE(reps.RIAFirmCRD, '') = COALESCE(staged.RIAFirmCRD, '')) AS taken,
    COUNTIF(reps.snapshot_at = staged.rep_snapshot_at AND (
      reps.IsPrimaryRIAFirm > staged.IsPrimaryRIAFirm
      OR (reps.IsPrimaryRIAFirm = staged.IsPrimaryRIAFirm AND reps.RIAFirmCRD IS NOT NULL
        AND (staged.RIAFirmCRD IS NULL
          OR LPAD(reps.RIAFirmCRD, 40, '0') < LPAD(staged.RIAFirmCRD, 40, '0'))))) AS better
  FROM {{ candidate }} AS staged
  LEFT JOIN {{ reps_vintages }} AS reps ON reps.RepCRD = staged.FA_CRD__c
  GROUP BY staged.Id, staged.rep_snapshot_at
),
firm_sightings AS (
  SELECT
    staged.Id,
    staged.firm_snapshot_at,
    COUNTIF(firms.snapshot_at <= LEAST(staged.contact_date, @as_of)
      AND firms.snapshot_at > COALESCE(staged.firm_snapshot_at, DATE '0001-01-01')) AS newer,
    COUNTIF(firms.snapshot_at = staged.firm_snapshot_at) AS taken
  FROM {{ candidate }} AS staged
  LEFT JOIN {{ firms_vintages }} AS firms ON firms.RIAFirmCRD = staged.RIAFirmCRD
  GROUP BY staged.Id, staged.firm_snapshot_at
),
dial_log AS (
  SELECT MIN({{ m.day('dialled_at') }}) AS first_day FROM {{ crm_dials }} WHERE NOT {{ m.day('dialled_at') }} > @as_of
),
dial_sightings AS (
  -- Each lead beside every dial of it; which of them counts is worked out afterwards
  SELECT
    staged.Id,
    staged.contact_date,
    staged.dialled_on,
    staged.dial_source,
    dial_log.first_day,
    DATE_DIFF(dial_log.first_day, staged.contact_date, DAY) AS days_before_log,
    MIN(CASE
      -- One of the day before the contact is the contact's
      WHEN DATE_DIFF({{ m.day('dials.dialled_at') }}, staged.contact_date, DAY) = -1 THEN staged.contact_date
      WHEN DATE_DIFF({{ m.day('dials.dialled_at') }}, staged.contact_date, DAY) >= 0
        AND DATE_DIFF(@as_of, {{ m.day('dials.dialled_at') }}, DAY) >= 0 THEN {{ m.day('dials.dialled_at') }}
    END) AS first_dial
  FROM {{ candidate }} AS staged
  CROSS JOIN dial_log
  LEFT JOIN {{ crm_dials }} AS dials ON dials.Id = staged.Id
  GROUP BY staged.Id, staged.contact_date, staged.dialled_on, staged.dial_source, dial_log.first_day
),
dial_rule AS (
  SELECT
    COUNTIF(NOT COALESCE(CASE
      WHEN first_day IS NULL OR days_before_log > @label_window_days
        THEN dial_source = 'assumed' AND dialled_on = contact_date
      WHEN days_before_log > 0 THEN dial_source = 'unknown' AND dialled_on IS NULL
      WHEN first_dial IS NULL THEN dial_source = 'none' AND dialled_on IS NULL
      ELSE dial_source = 'logged' AND dialled_on = first_dial
    END, FALSE)) AS dials_wrong,
    MIN(first_day) AS dials_logged_since
  FROM dial_sightings
),
rep_rule AS (
  SELECT
    COUNTIF(newer > 0 OR (rep_snapshot_at IS NOT NULL AND taken = 0)) AS stale_rep_snapshots,
    COUNTIF(better > 0) AS lesser_rows
  FROM rep_sightings
),
firm_rule AS (
  SELECT COUNTIF(newer > 0 OR (firm_snapshot_at IS NOT NULL AND taken = 0)) AS stale_firm_snapshots
  FROM firm_sightings
),
staged AS (
  SELECT
    staged.*,
    staged.contact_date >= first_snapshot.snapshot_at AS since_first,
    staged.dial_source IN ('logged', 'none') AS is_logged,
    DATE_DIFF({{ m.day('staged.Stage_Entered_Call_Scheduled__c') }}, staged.contact_date, DAY)
      BETWEEN 0 AND @label_window_days AS has_call
  FROM {{ candidate }} AS staged
  CROSS JOIN first_snapshot
),
quarters AS (
  SELECT COUNT(rep_snapshot_at) / COUNT(*) AS rep_match_rate
  FROM staged
  WHERE since_first
  GROUP BY EXTRACT(YEAR FROM contact_date), EXTRACT(QUARTER FROM contact_date)
),
measured AS (
  SELECT
    COUNT(*) AS leads,
    COUNT(*) - COUNT(DISTINCT Id) AS duplicate_ids,
    COUNTIF(since_first) AS leads_since_first_snapshot,
    COUNTIF(NOT since_first) AS leads_before_first_snapshot,
    COUNT(rep_snapshot_at) AS leads_with_rep,
    COUNT(firm_snapshot_at) AS leads_with_firm,
    SAFE_DIVIDE(COUNT(rep_snapshot_at), COUNT(*)) AS rep_match_rate_all,
    SAFE_DIVIDE(COUNT(firm_snapshot_at), COUNT(*)) AS firm_match_rate_all,
    SAFE_DIVIDE(COUNTIF(since_first AND rep_snapshot_at IS NOT NULL), COUNTIF(since_first)) AS rep_match_rate,
    SAFE_DIVIDE(COUNTIF(since_first AND firm_snapshot_at IS NOT NULL), COUNTIF(since_first)) AS firm_match_rate,
    COUNTIF(
      rep_snapshot_at > contact_date OR rep_snapshot_at > @as_of
      OR firm_snapshot_at > contact_date OR firm_snapshot_at > @as_of) AS future_snapshots,
    COUNTIF(dial_source = 'logged') AS leads_dial_logged,
    COUNTIF(dial_source = 'assumed') AS leads_dial_assumed,
    COUNTIF(dial_source = 'unknown') AS leads_dial_unknown,
    COUNTIF(dial_source = 'none') AS leads_undialled,
    -- Nobody converts undialled: such a call is a hole in the log, and its lead is lost to the training set
    COUNTIF(is_logged AND has_call) AS calls_since_log,
    COUNTIF(dial_source = 'none' AND has_call) AS calls_undialled,
    COALESCE(SAFE_DIVIDE(COUNTIF(dial_source = 'none' AND has_call), COUNTIF(is_logged AND has_call)), 0.0)
      AS calls_undialled_share,
    MAX(DATE_DIFF(contact_date, rep_snapshot_at, DAY)) AS oldest_snapshot_days,
    MIN(contact_date) AS first_contact,
    MAX(contact_date) AS last_contact
  FROM staged
)
SELECT
  measured.*,
  rows_unreconciled,
  -- A newer known snapshot has the advisor (or the firm), or the one that was taken does not have that row
  stale_rep_snapshots + stale_firm_snapshots AS stale_snapshots,
  stale_rep_snapshots,
  stale_firm_snapshots,
  -- The snapshot has a row of the advisor that goes before the one taken (R2)
  lesser_rows,
  dials_wrong,
  dials_logged_since,
  (SELECT MIN(rep_match_rate) FROM quarters) AS worst_quarter_rep_match_rate,
  leads_in_extract,
  leads_not_contacted,
  leads_after_as_of,
  leads_without_crd,
  calls_after_as_of
FROM measured
CROSS JOIN reconciled
CROSS JOIN rep_rule
CROSS JOIN firm_rule
CROSS JOIN dial_rule
CROSS JOIN left_out
