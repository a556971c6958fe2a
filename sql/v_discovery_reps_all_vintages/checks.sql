{#-
  Figures of the gates of step 2.3. Parameters: @snapshot_dates (all registered ones, R12), @rows (the sum of the
  snapshot tables' rows, counted by the caller).
-#}
WITH found AS (
  SELECT snapshot_at, COUNT(*) AS records FROM {{ candidate }} GROUP BY snapshot_at
),
registered AS (
  SELECT snapshot_at FROM UNNEST(@snapshot_dates) AS snapshot_at
)
SELECT
  COALESCE((SELECT SUM(records) FROM found), 0) AS vintage_rows,
  ABS(@rows - COALESCE((SELECT SUM(records) FROM found), 0)) AS rows_unreconciled,
  (SELECT COUNT(*) FROM found WHERE snapshot_at IS NOT NULL) AS snapshots,
  -- Registered but absent, present but not registered, and rows without a date
  (SELECT COUNT(*) FROM registered LEFT JOIN found ON found.snapshot_at = registered.snapshot_at
    WHERE found.records IS NULL)
    + (SELECT COUNT(*) FROM found LEFT JOIN registered ON registered.snapshot_at = found.snapshot_at
      WHERE registered.snapshot_at IS NULL) AS dates_wrong,
  (SELECT MIN(snapshot_at) FROM found) AS first_snapshot,
  (SELECT MAX(snapshot_at) FROM found) AS last_snapshot
