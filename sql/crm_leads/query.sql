{#- The CRM extract, typed: every record stays a row (R49). Parameters: none. -#}
{% import 'macros.sql' as m %}
{#
  A timestamp as CRMs write it: ISO date, optional time and fraction (kept to the microsecond), optional zone as Z, UTC
  or an offset with or without a colon. Without a zone it is UTC (R37). It is put into the one spelling that every
  engine reads alike; what is none is NULL.
#}
{% set date = "([12][0-9]{3}-[01][0-9]-[0-3][0-9])" %}
{% set time = "((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\\.([0-9]{1,6})[0-9]*)?)?" %}
{% set zone = "(?:[Zz]|UTC|([+-](?:0[0-9]|1[0-3])):?([0-5][0-9])?)" %}
{% set iso = "^\\s*" ~ date ~ "(?:[Tt ]" ~ time ~ ")? ?" ~ zone ~ "?\\s*$" %}
{% macro part(column, group) -%}
NULLIF(REGEXP_REPLACE({{ column }}, r'{{ iso }}', r'\{{ group }}'), '')
{%- endmacro %}
{% macro spelled(column) -%}
CASE WHEN REGEXP_CONTAINS({{ column }}, r'{{ iso }}') THEN CONCAT(
      {{ part(column, 1) }}, ' ', COALESCE({{ part(column, 2) }}, '00:00'), ':', COALESCE({{ part(column, 3) }}, '00'),
      '.', COALESCE({{ part(column, 4) }}, '0'),
      COALESCE({{ part(column, 5) }}, '+00'), ':', COALESCE({{ part(column, 6) }}, '00')) END
{%- endmacro %}
{# Spelled first and cast then: an engine that looks at the text several times to cast it has it spelled once. #}
WITH spelled AS (
  SELECT
    {{ m.text('Id') }} AS Id,
    {{ m.text('FA_CRD__c') }} AS FA_CRD__c,
    {{ m.crd('FA_CRD__c') }} AS crd,
    Stage_Entered_Contacting__c AS contacting_text,
    Stage_Entered_Call_Scheduled__c AS scheduled_text,
    {{ spelled('Stage_Entered_Contacting__c') }} AS contacting_spelled,
    {{ spelled('Stage_Entered_Call_Scheduled__c') }} AS scheduled_spelled
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
