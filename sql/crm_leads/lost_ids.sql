{#- The first leads of the extract before that this one lacks: Ids, the newest contact first (R49, R57). Parameters: none. -#}
SELECT
  known.Id AS lead_id,
  MAX(known.Stage_Entered_Contacting__c) AS contacted_at
FROM {{ before }} AS known
LEFT JOIN {{ candidate }} AS delivered ON delivered.Id = known.Id
WHERE known.Id IS NOT NULL AND delivered.Id IS NULL
GROUP BY known.Id
ORDER BY contacted_at DESC NULLS LAST, known.Id
LIMIT 5
