{#-
  Where each advisor stood when last scored before a day by the same model, since the places of two models are not
  comparable: one row per CRD (several leads of one advisor score alike).
  Parameters: @first_day (no earlier score counts), @day, @model_digest.
-#}
WITH earlier AS (
  SELECT FA_CRD__c, score_date, percentile FROM {{ production }}
  WHERE score_date >= @first_day AND score_date < @day AND model_digest = @model_digest AND percentile IS NOT NULL AND FA_CRD__c IS NOT NULL
),
last_days AS (
  SELECT FA_CRD__c, MAX(score_date) AS score_date FROM earlier GROUP BY FA_CRD__c
)
SELECT earlier.FA_CRD__c, MAX(earlier.percentile) AS percentile
FROM earlier
INNER JOIN last_days ON last_days.FA_CRD__c = earlier.FA_CRD__c AND last_days.score_date = earlier.score_date
GROUP BY earlier.FA_CRD__c
ORDER BY FA_CRD__c
