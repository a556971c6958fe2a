{#- The CRM extract, typed: every record stays a row (R49). Parameters: none. -#}
{% import 'macros.sql' as m %}
{# Spelled first and cast then: an engine that looks at the text several times to cast it has it spelled once. #}
WITH spelled AS (
  SELECT
    {{ m.text('Id') }} AS Id,
    {{ m.text('FA_CRD__c') }} AS FA_CRD__c,
    {{ m.crd('FA_CRD__c') }} AS crd,
    Stage_Entered_Contacting__c AS contacting_text,
    Stage_Entered_Call_Scheduled__c AS scheduled_text,
    {{ m.spelled('Stage_Entered_Contacting__c') }} AS contacting_spelled,
    {{ m.spelled('Stage_Entered_Call_Scheduled__c') }} AS scheduled_spelled
  FROM {{ lead }}
),
typed AS (
  SELECT
    Id,
    FA_CRD__c,
    crd,
    contacting_text,
    scheduled_text,
    SAFE_CAST(contacting_spelled AS TIMESTAMP) AS Stage_Entered_Contacting__c,
    SAFE_CAST(scheduled_spelled AS TIMESTAMP) AS Stage_Entered_Call_Scheduled__c
  FROM spelled
)
SELECT
  Id,
  FA_CRD__c,
  crd,
  Stage_Entered_Contacting__c,
  Stage_Entered_Call_Scheduled__c,
  {{ m.flag('Stage_Entered_Contacting__c IS NULL AND ' ~ m.filled('contacting_text')) }} AS contacting_unparsed,
  {{ m.flag('Stage_Entered_Call_Scheduled__c IS NULL AND ' ~ m.filled('scheduled_text')) }} AS scheduled_unparsed
FROM typed
