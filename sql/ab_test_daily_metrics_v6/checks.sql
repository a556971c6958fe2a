{#- Figures of the daily metrics. Parameters: @first_day, @as_of, @expected (days from one to the other). -#}
SELECT
  COUNT(*) AS days,
  @expected - COUNT(DISTINCT CASE WHEN day BETWEEN @first_day AND @as_of THEN day END) AS days_missing,
  COUNTIF(day NOT BETWEEN @first_day AND @as_of) AS days_outside,
  COUNTIF(dialled_leads > enrolled_leads OR matured_dialled_leads > dialled_leads OR mqls > matured_dialled_leads)
    AS counts_wrong
FROM {{ candidate }}
