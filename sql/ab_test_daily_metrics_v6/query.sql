{#- Step 5.3: how the running test goes, day by day. Parameters: none. -#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ metrics }}
