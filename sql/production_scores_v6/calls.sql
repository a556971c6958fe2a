{#-
  How many records the CRM has of each advisor, and when a call was last scheduled through any of them: for the call
  list, which asks the newest extract.
-#}
{% import 'macros.sql' as m %}
SELECT
  crd AS FA_CRD__c,
  COUNT(*) AS crm_records,
  MAX({{ m.day('Stage_Entered_Call_Scheduled__c') }}) AS last_call_on
FROM {{ crm }}
WHERE crd IS NOT NULL
GROUP BY crd
ORDER BY FA_CRD__c
