{#-
  The first dial of each lead that is known on a day, and whether any of its dials was in the model's queue, followed
  or not; the first day of the log goes with each (R50).
  Parameters: @as_of (nothing later is known, R9).
-#}
{% import 'macros.sql' as m %}
WITH dials AS (
  SELECT Id, {{ m.day('dialled_at') }} AS dialled_on, {{ m.flag("queue IN ('model', 'own')") }} AS by_model FROM {{ crm_dials }}
  WHERE {{ m.day('dialled_at') }} <= @as_of
),
log AS (
  SELECT MIN(dialled_on) AS log_begins FROM dials
)
SELECT dials.Id, MIN(dials.dialled_on) AS first_dial, MAX(dials.by_model) AS by_model, log.log_begins
FROM dials
CROSS JOIN log
WHERE dials.Id IS NOT NULL
GROUP BY dials.Id, log.log_begins
ORDER BY dials.Id
