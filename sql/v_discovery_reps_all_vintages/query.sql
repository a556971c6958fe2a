{#-
  Step 2.1: the registered reps snapshots as one, columns by name, never by position.
  Lists: snapshots, contract_columns.
-#}
{% for snapshot in snapshots %}
{% if not loop.first %}
UNION ALL
{% endif %}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ snapshot }}
{% endfor %}
