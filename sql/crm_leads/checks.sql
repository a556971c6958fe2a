{#- Figures of the gates of the CRM extract (R37, R46, R47, R49).
    Parameters: @records, counted by an independent reader; @among, of so many times one may be mistyped. -#}
{% import 'macros.sql' as m %}
WITH times AS (
  SELECT Stage_Entered_Contacting__c AS moment
  FROM {{ candidate }}
  WHERE Stage_Entered_Contacting__c IS NOT NULL
  UNION ALL
  SELECT Stage_Entered_Call_Scheduled__c AS moment
  FROM {{ candidate }}
  WHERE Stage_Entered_Call_Scheduled__c IS NOT NULL
),

placed AS (
  SELECT {{ m.day('moment') }} AS day, ROW_NUMBER() OVER (ORDER BY moment DESC) AS place, COUNT(*) OVER () AS times
  FROM times
),

last_times AS (
  SELECT
    COUNT(*) AS times,
    DATE_DIFF(MAX(day), MIN(CASE WHEN (place - 1) * @among <= times THEN day END), DAY) AS last_time_alone_days
  FROM placed
)

SELECT
  COUNT(*) AS leads,
  @records - COUNT(*) AS rows_missing,
  COUNTIF(Stage_Entered_Contacting__c IS NOT NULL) AS contacted,
  COUNTIF(Stage_Entered_Contacting__c IS NOT NULL AND crd IS NOT NULL) AS contacted_with_crd,
  COUNTIF(Stage_Entered_Contacting__c IS NOT NULL AND crd IS NULL) AS contacted_without_crd,
  COUNTIF(FA_CRD__c IS NOT NULL AND crd IS NULL) AS invalid_crd,
  COUNTIF(Stage_Entered_Contacting__c IS NOT NULL)
    - COUNT(DISTINCT CASE WHEN Stage_Entered_Contacting__c IS NOT NULL THEN Id END) AS duplicate_ids,
  COUNTIF(contacting_unparsed = 1) AS contacting_unparsed,
  COUNTIF(scheduled_unparsed = 1) AS scheduled_unparsed,
  COALESCE(SAFE_DIVIDE(
    COUNTIF(contacting_unparsed = 1) + COUNTIF(scheduled_unparsed = 1),
    COUNTIF(contacting_unparsed = 1) + COUNTIF(scheduled_unparsed = 1)
      + COUNT(Stage_Entered_Contacting__c) + COUNT(Stage_Entered_Call_Scheduled__c)), 0.0) AS unparsed_share,
  (SELECT times FROM last_times) AS times,
  (SELECT last_time_alone_days FROM last_times) AS last_time_alone_days
FROM {{ candidate }}
