{#-
  What the extract says of the leads that a test has assigned, found by their Id: whoever was dated anew or went to another
  advisor keeps its outcome, and one that is gone has no row. Parameters: @fingerprint, @as_of.
-#}
{% import 'macros.sql' as m %}
SELECT
  assigned.lead_id,
  leads.crd,
  {{ m.day('leads.Stage_Entered_Contacting__c') }} AS entered_on,
  CASE
    WHEN {{ m.day('leads.Stage_Entered_Call_Scheduled__c') }} <= @as_of
      THEN {{ m.day('leads.Stage_Entered_Call_Scheduled__c') }}
  END AS converted_on
FROM {{ assignments }} AS assigned
INNER JOIN {{ leads }} AS leads ON leads.Id = assigned.lead_id
WHERE assigned.fingerprint = @fingerprint
ORDER BY assigned.lead_id, converted_on NULLS LAST
