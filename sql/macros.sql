{#
  What several queries say in the same words: typing rules, flags, exact means, and the lists of the feed's columns
  that are typed or hold Yes/No words (query and checks must agree on them, bit by bit).

  Does not belong here: anything that one query alone needs.
  Everything renders to GoogleSQL in the subset that DuckDB answers alike. `\s` and `\S` are ASCII blanks in RE2, on
  both engines.
#}

{# ---- lists ------------------------------------------------------------------------------------------------- #}

{# (column of the feed, column of snapshot_reps, type). The place in the list is the bit in typing_losses. #}
{% set numbers = [
  ('DateBecameRep_NumberOfYears', 'DateBecameRep_NumberOfYears', 'float64'),
  ('DateOfHireAtCurrentFirm_NumberOfYears', 'DateOfHireAtCurrentFirm_NumberOfYears', 'float64'),
  ('NumberFirmAssociations', 'NumberFirmAssociations', 'int64'),
  ('NumberRIAFirmAssociations', 'NumberRIAFirmAssociations', 'int64'),
  ('Number_OfficeReps', 'Number_BranchAdvisors', 'int64'),
  ('PriorFirm1_NumberOfYears', 'Number_YearsPriorFirm1', 'float64'),
  ('PriorFirm2_NumberOfYears', 'Number_YearsPriorFirm2', 'float64'),
  ('PriorFirm3_NumberOfYears', 'Number_YearsPriorFirm3', 'float64'),
  ('PriorFirm4_NumberOfYears', 'Number_YearsPriorFirm4', 'float64'),
  ('Office_ZipCode', 'Branch_ZipCode', 'float64'),
  ('Home_ZipCode', 'Home_ZipCode', 'float64'),
  ('Office_Longitude', 'Branch_Longitude', 'float64'),
  ('Office_Latitude', 'Branch_Latitude', 'float64'),
  ('Home_Longitude', 'Home_Longitude', 'float64'),
  ('Home_Latitude', 'Home_Latitude', 'float64'),
  ('MilesToWork', 'MilesToWork', 'float64'),
  ('Number_RegisteredStates', 'Number_RegisteredStates', 'int64'),
] %}

{# CRDs of the feed; their bits in typing_losses follow those of the numbers. #}
{% set crds = ['RepCRD', 'RIAFirmCRD', 'PrimaryRIAFirmCRD'] %}

{# (column of the feed, the 0/1 column made from it). The place in the list is the bit in domain_losses. #}
{% set words = [
  ('DuallyRegisteredBDRIARep', 'DuallyRegisteredBDRIARep'),
  ('BreakawayRep', 'Is_BreakawayRep'),
  ('InsuranceLicensed', 'Has_Insurance_License'),
  ('NonProducer', 'Is_NonProducer'),
  ('IndependentContractor', 'Is_IndependentContractor'),
  ('Owner', 'Is_Owner'),
  ('Office_USPSCertified', 'Office_USPS_Certified'),
  ('Home_USPSCertified', 'Home_USPS_Certified'),
  ('Series7_GeneralSecuritiesRepresentative', 'Has_Series_7'),
  ('Series65_InvestmentAdviserRepresentative', 'Has_Series_65'),
  ('Series66_CombinedUniformStateLawAndIARepresentative', 'Has_Series_66'),
  ('Series24_GeneralSecuritiesPrincipal', 'Has_Series_24'),
  ('Designations_CFP', 'Has_CFP'),
  ('Designations_CFA', 'Has_CFA'),
  ('Designations_CIMA', 'Has_CIMA'),
  ('Designations_AIF', 'Has_AIF'),
  ('RegulatoryDisclosures', 'Has_Disclosure'),
] %}

{# The 0/1 columns of snapshot_reps that staging and training take over (NULL there for a lead without a rep). #}
{% set rep_flags = [
  'DuallyRegisteredBDRIARep', 'IsPrimaryRIAFirm', 'Is_BreakawayRep', 'Has_Insurance_License', 'Is_NonProducer',
  'Is_IndependentContractor', 'Is_Owner', 'Office_USPS_Certified', 'Home_USPS_Certified', 'Has_Series_7',
  'Has_Series_65', 'Has_Series_66', 'Has_Series_24', 'Has_CFP', 'Has_CFA', 'Has_CIMA', 'Has_AIF', 'Has_Disclosure',
  'Disclosure_Known', 'Has_Schwab_Relationship', 'Has_Fidelity_Relationship', 'Has_Pershing_Relationship',
  'Has_TDAmeritrade_Relationship',
] %}

{# ---- typing (R34, R35, R36) -------------------------------------------------------------------------------- #}

{# An empty field is NULL; every other text stays as it is. #}
{% macro text(column) -%}
NULLIF({{ column }}, '')
{%- endmacro %}

{# A whole number, blanks around it and an integral `.0` allowed: 12.0 is 12; 12.7, 1e3 and overflow are NULL. What
   FLOAT64 holds exactly goes by it, four times as fast on millions of rows as cutting the digits out of the text. #}
{% macro int64(column) -%}
CASE
      WHEN REGEXP_CONTAINS({{ column }}, r'^[0-9]{1,15}(?:\.0*)?$')
        THEN CAST(SAFE_CAST({{ column }} AS FLOAT64) AS INT64)
      ELSE SAFE_CAST(REGEXP_EXTRACT({{ column }}, r'^\s*([+-]?[0-9]+)(?:\.0*)?\s*$') AS INT64)
    END
{%- endmacro %}

{# A decimal number, blanks around it and an exponent allowed; hex, nan, inf and overflow are NULL. Exponents have two
   digits at most, so that a sum of four numbers cannot overflow either. #}
{% macro float64(column) -%}
CASE
      WHEN REGEXP_CONTAINS({{ column }}, r'^\s*[+-]?(?:[0-9]{1,99}\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?0*[0-9]{1,2})?\s*$')
        THEN SAFE_CAST({{ column }} AS FLOAT64)
    END
{%- endmacro %}

{# The canonical CRD: digits without leading zeros; blanks around it and an integral `.0` allowed, all else is NULL.
   The first branch is for speed alone. #}
{% macro crd(column) -%}
CASE
      WHEN REGEXP_CONTAINS({{ column }}, r'^[1-9][0-9]*$') THEN {{ column }}
      ELSE REGEXP_EXTRACT({{ column }}, r'^\s*0*([1-9][0-9]*)(?:\.0*)?\s*$')
    END
{%- endmacro %}

{% macro number(column, type) -%}
{% if type == 'int64' %}{{ int64(column) }}{% else %}{{ float64(column) }}{% endif %}
{%- endmacro %}

{# Text that is more than blanks. #}
{% macro filled(column) -%}
REGEXP_CONTAINS({{ column }}, r'\S')
{%- endmacro %}

{# ---- flags and means --------------------------------------------------------------------------------------- #}

{# 1 when the condition holds, else 0 (also when it is NULL). The cast is for engines whose literals are smaller. #}
{% macro flag(condition) -%}
CASE WHEN {{ condition }} THEN CAST(1 AS INT64) ELSE 0 END
{%- endmacro %}

{# Not 0 and not 1, or NULL. #}
{% macro not_binary(column) -%}
COALESCE({{ column }}, -1) NOT IN (0, 1)
{%- endmacro %}

{# One bit of a mask of losses, and how many rows have it set. #}
{% macro bit(condition, place) -%}
CASE WHEN {{ condition }} THEN {{ 2 ** place }} ELSE 0 END
{%- endmacro %}

{% macro count_bit(mask, place) -%}
COUNTIF(({{ mask }} & {{ 2 ** place }}) != 0)
{%- endmacro %}

{# Mean of a FLOAT64 over the rows that have it, the same to the last bit in any order of rows (R45): summed as
   NUMERIC. What NUMERIC cannot hold in a sum (beyond 1e18) is left out of the mean. #}
{% macro exact_mean(column) -%}
SAFE_DIVIDE(
      CAST(SUM(CASE WHEN ABS({{ column }}) < 1e18 THEN CAST({{ column }} AS NUMERIC) END) AS FLOAT64),
      COUNTIF(ABS({{ column }}) < 1e18))
{%- endmacro %}

{# ---- times ------------------------------------------------------------------------------------------------- #}

{# The UTC day of a timestamp (R37). #}
{% macro day(timestamp) -%}
DATE({{ timestamp }}, 'UTC')
{%- endmacro %}

{# ---- timestamps (R37) ---------------------------------------------------------------------------------------- #}

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
