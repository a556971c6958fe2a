{#- Step 5.1: the scores of some days, in the order of their leads. Parameters: @first_day, @last_day. -#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ scores }}
WHERE score_date BETWEEN @first_day AND @last_day
ORDER BY score_date, Id
