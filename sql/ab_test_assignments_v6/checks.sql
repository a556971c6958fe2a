{#-
  Figures of the assignments: the table is only ever appended to, and an advisor has one arm in a test (R28).
  `earlier` is the table as it is served; for the first one the candidate itself. Parameters: none.
-#}
WITH advisors AS (
  SELECT fingerprint, crd, COUNT(DISTINCT arm) AS arms FROM {{ candidate }} GROUP BY fingerprint, crd
),
leads AS (
  SELECT fingerprint, lead_id, COUNT(*) AS records FROM {{ candidate }} GROUP BY fingerprint, lead_id
)
SELECT
  (SELECT COUNT(*) FROM {{ candidate }}) AS assignments,
  (SELECT COUNT(*) FROM {{ earlier }} AS earlier
    LEFT JOIN {{ candidate }} AS now ON
      now.lead_id = earlier.lead_id AND now.fingerprint = earlier.fingerprint AND now.crd = earlier.crd
      AND now.arm = earlier.arm AND now.segment = earlier.segment AND now.block = earlier.block
      AND now.place = earlier.place AND now.enrolled_on = earlier.enrolled_on
      AND now.has_snapshot = earlier.has_snapshot AND now.entered_at = earlier.entered_at
    WHERE now.lead_id IS NULL) AS earlier_rows_changed,
  (SELECT COUNTIF(arms > 1) FROM advisors) AS advisors_in_two_arms,
  (SELECT COALESCE(SUM(records - 1), 0) FROM leads) AS leads_doubled
