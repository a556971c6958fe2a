{#- Dials since a test began, as its cohort reads them. Parameters: @first_day, @as_of. -#}
{% import 'macros.sql' as m %}
SELECT
  Id AS lead_id,
  {{ m.day('dialled_at') }} AS dialled_on,
  queue
FROM {{ crm_dials }}
WHERE {{ m.day('dialled_at') }} BETWEEN @first_day AND @as_of AND Id IS NOT NULL
ORDER BY dialled_at, Id, queue NULLS LAST
