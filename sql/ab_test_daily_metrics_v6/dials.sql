{#-
  Dials since a test began, as its cohort reads them. Those of leads that another test assigned, and this one did not, are
  none of its business: the last queue of a test may still be dialled when the next one begins.
  Parameters: @first_day, @as_of, @fingerprint.
-#}
{% import 'macros.sql' as m %}
WITH tests AS (
  SELECT
    lead_id,
    MAX(CASE WHEN fingerprint = @fingerprint THEN 1 ELSE 0 END) AS of_this_one
  FROM {{ assignments }}
  GROUP BY lead_id
)
SELECT
  dials.Id AS lead_id,
  dials.dialled_at,
  dials.queue
FROM {{ crm_dials }} AS dials
LEFT JOIN tests ON tests.lead_id = dials.Id
WHERE
  {{ m.day('dials.dialled_at') }} BETWEEN @first_day AND @as_of
  AND dials.Id IS NOT NULL
  AND COALESCE(tests.of_this_one, 1) = 1
ORDER BY dials.dialled_at, dials.Id, dials.queue NULLS LAST
