{#- Calls scheduled by leads that entered Contacting since a test began. Parameters: @first_day, @as_of. -#}
{% import 'macros.sql' as m %}
SELECT
  Id AS lead_id,
  {{ m.day('Stage_Entered_Call_Scheduled__c') }} AS converted_on
FROM {{ leads }}
WHERE
  {{ m.day('Stage_Entered_Contacting__c') }} BETWEEN @first_day AND @as_of
  AND {{ m.day('Stage_Entered_Call_Scheduled__c') }} <= @as_of
ORDER BY Id NULLS LAST, converted_on
