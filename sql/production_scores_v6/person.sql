{#-
  Step 6.1: what one day's scores say of a person, by the Id of a lead or by CRD; as on a call list a lead before a
  prospect, then the newest contact, then the lowest Id. Parameters: @day, @lead, @crd (one that none has: no CRD).
-#}
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM {{ production }}
WHERE score_date = @day AND (Id = @lead OR FA_CRD__c = @crd)
ORDER BY kind, last_contact_on DESC NULLS LAST, Id
