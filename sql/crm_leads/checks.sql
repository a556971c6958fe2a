{#- Figures of the gates of the CRM extract (R37, R46, R49). Parameters: @records, counted by an independent reader. -#}
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
      + COUNT(Stage_Entered_Contacting__c) + COUNT(Stage_Entered_Call_Scheduled__c)), 0.0) AS unparsed_share
FROM {{ candidate }}
