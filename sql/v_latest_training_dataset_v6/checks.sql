{#- Figures of the gate of step 3.3: the view against the version that passed, counted and by Id. Parameters: none. -#}
WITH sides AS (
  SELECT Id, target_label, 1 AS side FROM {{ training }}
  UNION ALL
  SELECT Id, target_label, -1 FROM {{ candidate }}
),
differences AS (
  SELECT ABS(SUM(side)) AS records FROM sides GROUP BY Id, target_label
)
SELECT
  (SELECT COUNT(*) FROM {{ candidate }}) AS promoted_rows,
  (SELECT COUNT(*) FROM {{ training }}) AS version_rows,
  COALESCE((SELECT SUM(records) FROM differences), 0) AS rows_unreconciled
