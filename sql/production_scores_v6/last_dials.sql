{#-
  When each advisor was last dialled, through whichever lead: for the call list, which asks the newest log.
-#}
{% import 'macros.sql' as m %}
SELECT crd AS FA_CRD__c, MAX({{ m.day('dialled_at') }}) AS last_dial_on
FROM {{ crm_dials }}
WHERE crd IS NOT NULL AND dialled_at IS NOT NULL
GROUP BY crd
ORDER BY FA_CRD__c
