{#- Who dials, typed: every record stays a row (R50). Parameters: none. -#}
{% import 'macros.sql' as m %}
SELECT
  {{ m.text('associate') }} AS associate,
  {{ m.int64('weekly_capacity') }} AS weekly_capacity,
  CASE active WHEN 'Yes' THEN 1 WHEN 'No' THEN 0 END AS active
FROM {{ associates }}
