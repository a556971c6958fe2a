{#-
  The days on which each lead was dialled, as known on a day, and whether the model's queue had it then, followed or
  not; the first day of the log goes with each (R50). Which of them is a lead's first depends on its contact.
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
SELECT dials.Id, dials.dialled_on, MAX(dials.by_model) AS by_model, log.log_begins
FROM dials
CROSS JOIN log
WHERE dials.Id IS NOT NULL
GROUP BY dials.Id, dials.dialled_on, log.log_begins
ORDER BY dials.Id, dials.dialled_on
