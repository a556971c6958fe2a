{#- The table as its local file takes it, in the order of CRDs. Parameters: none. -#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ candidate }}
ORDER BY FA_CRD__c
