{#- Figures of the gates of step 1.6, held against the rep table firm by firm. Parameters: @snapshot_at. -#}
WITH pairs AS (
  SELECT RIAFirmCRD, RepCRD, COUNT(*) AS records
  FROM {{ reps }}
  WHERE RIAFirmCRD IS NOT NULL
  GROUP BY RIAFirmCRD, RepCRD
),
sides AS (
  SELECT RIAFirmCRD, SUM(records) AS records, COUNT(RepCRD) AS reps
  FROM pairs
  GROUP BY RIAFirmCRD
  UNION ALL
  SELECT RIAFirmCRD, -total_records, -total_reps FROM {{ candidate }}
),
differences AS (
  SELECT ABS(SUM(records)) AS records, ABS(SUM(reps)) AS reps
  FROM sides
  GROUP BY RIAFirmCRD
),
reconciled AS (
  SELECT
    COALESCE(SUM(records), 0) AS rows_unreconciled,
    COALESCE(SUM(reps), 0) AS pairs_unreconciled
  FROM differences
),
rep_table AS (
  SELECT COUNT(*) AS rep_rows, COUNT(RIAFirmCRD) AS rows_with_firm FROM {{ reps }}
),
measured AS (
  SELECT
    COUNT(*) AS firms,
    COUNT(*) - COUNT(DISTINCT RIAFirmCRD) AS duplicate_firms,
    COUNTIF(total_reps IS NULL OR total_reps <= 0) AS firms_without_reps,
    COUNTIF(snapshot_at IS NULL OR snapshot_at != @snapshot_at) AS wrong_snapshot_at
  FROM {{ candidate }}
)
SELECT
  firms,
  rep_rows,
  SAFE_DIVIDE(rows_with_firm, firms) AS rows_per_firm,
  duplicate_firms,
  firms_without_reps,
  wrong_snapshot_at,
  rows_unreconciled,
  pairs_unreconciled
FROM measured
CROSS JOIN rep_table
CROSS JOIN reconciled
