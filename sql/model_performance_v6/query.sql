{#- Step 6.1: what the champion was worth on matured leads, month by month. Parameters: none. -#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ performance }}
