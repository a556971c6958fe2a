{#-
  The leads that entered Contacting on a UTC day, in the order of their arrival, with what the rules ask of them.
  Parameters: @day. Call_before_contact is 1 for a lead that step 3.2 would leave out of the training set (R10).
-#}
{% import 'macros.sql' as m %}
SELECT
  Id AS lead_id,
  crd,
  {{ m.flag(m.day('Stage_Entered_Call_Scheduled__c') ~ ' < ' ~ m.day('Stage_Entered_Contacting__c')) }}
    AS call_before_contact
FROM {{ crm }}
WHERE {{ m.day('Stage_Entered_Contacting__c') }} = @day
ORDER BY Stage_Entered_Contacting__c, Id
