{#-
  What a model is trained on (step 4.1): the promoted version, in order of contact. Parameters: none.
  Lists: contract_columns (those of them that the promoted version has).
-#}
SELECT
{% for column in contract_columns %}
  {{ column }} AS {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ training }}
ORDER BY contact_date, Id
