{#-
  One lead as the promoted version has it. Parameters: @lead (its Id).
  Lists: contract_columns (those of them that the promoted version has).
-#}
SELECT
{% for column in contract_columns %}
  {{ column }} AS {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ training }}
WHERE Id = @lead
