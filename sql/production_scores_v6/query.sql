{#- Step 6.1: the scores of one day, leads first. Parameters: @day. -#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ production }}
WHERE score_date = @day
ORDER BY kind, Id, FA_CRD__c
