{#- The CRM's dials, typed: every record stays a row (R50). Parameters: none. -#}
{% import 'macros.sql' as m %}
{# Spelled first and cast then: an engine that looks at the text several times to cast it has it spelled once. #}
WITH spelled AS (
  SELECT
    {{ m.text('Id') }} AS Id,
    {{ m.text('FA_CRD__c') }} AS FA_CRD__c,
    {{ m.crd('FA_CRD__c') }} AS crd,
    {{ m.text('associate') }} AS associate,
    {{ m.spelled('dialled_at') }} AS dialled_spelled,
    {{ m.text('queue') }} AS queue
  FROM {{ dials }}
)
SELECT
  Id,
  FA_CRD__c,
  crd,
  associate,
  SAFE_CAST(dialled_spelled AS TIMESTAMP) AS dialled_at,
  queue
FROM spelled
