{#-
  When each advisor last scheduled a call, through whichever lead: for the call list, which asks the newest extract.
-#}
{% import 'macros.sql' as m %}
SELECT crd AS FA_CRD__c, MAX({{ m.day('Stage_Entered_Call_Scheduled__c') }}) AS last_call_on
FROM {{ crm }}
WHERE crd IS NOT NULL AND Stage_Entered_Call_Scheduled__c IS NOT NULL
GROUP BY crd
ORDER BY FA_CRD__c
