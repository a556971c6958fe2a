{#- Step 6.1: how far each feature and the score have moved, month by month. Parameters: none. -#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ drift }}
