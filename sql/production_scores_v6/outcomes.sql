{#-
  What is known on a day of the leads contacted by then: when a call was scheduled, if one was (R9).
  As in step 3.2 a lead whose call came before its contact is left out (R10). Parameters: @day.
-#}
{% import 'macros.sql' as m %}
WITH known AS (
  SELECT
    Id,
    {{ m.day('Stage_Entered_Contacting__c') }} AS contact_date,
    CASE
      WHEN {{ m.day('Stage_Entered_Call_Scheduled__c') }} <= @day THEN {{ m.day('Stage_Entered_Call_Scheduled__c') }}
    END AS scheduled_on
  FROM {{ crm }}
  WHERE crd IS NOT NULL AND {{ m.day('Stage_Entered_Contacting__c') }} <= @day
)
SELECT Id, contact_date, scheduled_on
FROM known
WHERE scheduled_on IS NULL OR scheduled_on >= contact_date
ORDER BY contact_date, Id
