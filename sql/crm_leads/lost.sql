{#-
  Figures of the gate that holds an extract against the one before: which of its leads this one lacks (R49).
  Parameters: @recent_since, from which day on a contact is recent.
-#}
{% import 'macros.sql' as m %}
WITH known AS (
  SELECT
    Id,
    MAX(CASE WHEN {{ m.day('Stage_Entered_Contacting__c') }} >= @recent_since THEN 1 ELSE 0 END) AS is_recent
  FROM {{ before }}
  WHERE Id IS NOT NULL
  GROUP BY Id
),
delivered AS (
  SELECT DISTINCT Id
  FROM {{ candidate }}
  WHERE Id IS NOT NULL
),
held AS (
  SELECT
    known.is_recent,
    CASE WHEN delivered.Id IS NULL THEN 1 ELSE 0 END AS is_lost
  FROM known
  LEFT JOIN delivered ON delivered.Id = known.Id
)
SELECT
  COUNT(*) AS leads_before,
  COUNTIF(is_lost = 1) AS lost_leads,
  COALESCE(SAFE_DIVIDE(COUNTIF(is_lost = 1), COUNT(*)), 0.0) AS lost_share,
  COUNTIF(is_recent = 1) AS recent_before,
  COUNTIF(is_recent = 1 AND is_lost = 1) AS lost_recent,
  COALESCE(SAFE_DIVIDE(COUNTIF(is_recent = 1 AND is_lost = 1), COUNTIF(is_recent = 1)), 0.0) AS lost_recent_share
FROM held
