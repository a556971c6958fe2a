{#- Leads with a CRD to be dialled by, and the days on which they entered Contacting, up to the extract. Parameters: @as_of. -#}
{% import 'macros.sql' as m %}
SELECT
  crd,
  {{ m.day('Stage_Entered_Contacting__c') }} AS entered_on
FROM {{ leads }}
WHERE crd IS NOT NULL AND {{ m.day('Stage_Entered_Contacting__c') }} <= @as_of
ORDER BY entered_on, crd
