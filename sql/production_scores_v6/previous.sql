{#-
  Where each advisor stood on an earlier day by the same model, since the places of two models are not comparable: one row
  per CRD (several leads of one advisor score alike). Parameters: @day, @model_digest.
-#}
SELECT FA_CRD__c, MAX(percentile) AS percentile
FROM {{ production }}
WHERE score_date = @day AND model_digest = @model_digest AND percentile IS NOT NULL AND FA_CRD__c IS NOT NULL
GROUP BY FA_CRD__c
ORDER BY FA_CRD__c
