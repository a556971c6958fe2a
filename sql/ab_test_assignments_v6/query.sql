{#- Step 5.3: every assignment there is, of every test. Parameters: none. -#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ assignments }}
