{#-
  Leads that entered Contacting within a test's enrolment, in the order of their arrival, with what keeps one out.
  Parameters: @first_day, @as_of.
-#}
{% import 'macros.sql' as m %}
WITH dialled AS (
  SELECT DISTINCT Id FROM {{ crm_dials }} WHERE {{ m.day('dialled_at') }} <= @as_of
)
SELECT
  leads.Id AS lead_id,
  leads.crd,
  leads.Stage_Entered_Contacting__c AS entered_at,
  {{ m.flag('dialled.Id IS NOT NULL') }} AS dialled_already,
  {{ m.flag(m.day('leads.Stage_Entered_Call_Scheduled__c') ~ ' <= @as_of') }} AS called_already
FROM {{ leads }} AS leads
LEFT JOIN dialled ON dialled.Id = leads.Id
WHERE {{ m.day('leads.Stage_Entered_Contacting__c') }} BETWEEN @first_day AND @as_of
ORDER BY leads.Stage_Entered_Contacting__c, leads.Id NULLS LAST, leads.crd NULLS LAST, called_already
