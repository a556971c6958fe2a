{#- The day of the newest dial that the CRM knows, of whatever queue; NULL if it knows none. Parameters: @as_of. -#}
{% import 'macros.sql' as m %}
SELECT MAX({{ m.day('dialled_at') }}) AS dialled_on
FROM {{ crm_dials }}
WHERE {{ m.day('dialled_at') }} <= @as_of
