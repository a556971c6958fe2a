{#-
  The leads that were assigned with one extract, in the order of their arrival. Parameters: @enrolled_on, @fingerprint.
-#}
SELECT
  assigned.lead_id,
  assigned.crd,
  assigned.arm,
  leads.Stage_Entered_Contacting__c AS entered_at
FROM {{ assignments }} AS assigned
INNER JOIN {{ leads }} AS leads ON leads.Id = assigned.lead_id
WHERE
  assigned.enrolled_on = @enrolled_on
  AND assigned.fingerprint = @fingerprint
  AND leads.Stage_Entered_Contacting__c IS NOT NULL
ORDER BY leads.Stage_Entered_Contacting__c, assigned.lead_id, assigned.crd, assigned.arm
