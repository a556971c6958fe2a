{#-
  Figures of the gates of the serving copy. Parameters: @as_of (the newest snapshot).
-#}
WITH advisors AS (
  SELECT RepCRD, MAX(snapshot_at) AS snapshot_at FROM {{ reps_vintages }} WHERE snapshot_at <= @as_of GROUP BY RepCRD
),
served AS (
  SELECT
    FA_CRD__c, COUNT(*) AS records, MIN(rep_snapshot_at) AS rep_snapshot_at, MAX(rep_snapshot_at) AS newest_of_them
  FROM {{ candidate }} GROUP BY FA_CRD__c
)
SELECT
  (SELECT COUNT(*) FROM {{ candidate }}) AS serving_rows,
  (SELECT COUNT(*) FROM advisors) AS advisors,
  (SELECT COALESCE(SUM(records - 1), 0) FROM served) AS rows_doubled,
  -- Of the newest snapshot, and of any: each must be there
  (SELECT COUNT(*) FROM advisors LEFT JOIN served ON served.FA_CRD__c = advisors.RepCRD
    WHERE advisors.snapshot_at = @as_of AND served.records IS NULL) AS newest_missing,
  (SELECT COUNT(*) FROM advisors LEFT JOIN served ON served.FA_CRD__c = advisors.RepCRD
    WHERE served.records IS NULL) AS advisors_missing,
  (SELECT COUNT(*) FROM served LEFT JOIN advisors ON served.FA_CRD__c = advisors.RepCRD
    WHERE advisors.RepCRD IS NULL AND served.FA_CRD__c != 'unmatched') AS strangers,
  (SELECT COUNT(*) FROM served INNER JOIN advisors ON served.FA_CRD__c = advisors.RepCRD
    WHERE COALESCE(served.rep_snapshot_at != advisors.snapshot_at, TRUE)
      OR served.newest_of_them != advisors.snapshot_at)
    + (SELECT COUNT(*) FROM {{ candidate }} WHERE as_of != @as_of) AS snapshots_wrong,
  -- A lead without an advisor keeps NULL rep columns, its flags are 0, and all six are missing
  1 - (SELECT COUNT(*) FROM {{ candidate }} WHERE FA_CRD__c = 'unmatched' AND rep_snapshot_at IS NULL
    AND firm_snapshot_at IS NULL AND missing_feature_count = 6 AND is_veteran_advisor + is_new_to_firm = 0
    AND Has_CFP IS NULL) AS unmatched_wrong
