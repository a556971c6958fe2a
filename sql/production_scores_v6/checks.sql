{#-
  Figures of the gates of one day's production scores, counted anew from the CRM extract and the table itself.
  Parameters: @day, @open_lead_days.
-#}
{% import 'macros.sql' as m %}
WITH open_leads AS (
  SELECT Id, crd FROM {{ crm }}
  WHERE COALESCE({{ m.day('Stage_Entered_Contacting__c') }}, @day) <= @day
    AND COALESCE(DATE_DIFF(@day, {{ m.day('Stage_Entered_Contacting__c') }}, DAY), 0) <= @open_lead_days
    AND COALESCE({{ m.day('Stage_Entered_Call_Scheduled__c') }} > @day, TRUE)
),
leads AS (
  SELECT Id, COUNT(*) AS records FROM {{ candidate }} WHERE kind = 'lead' GROUP BY Id
),
prospects AS (
  SELECT FA_CRD__c, COUNT(*) AS records FROM {{ candidate }} WHERE kind = 'prospect' GROUP BY FA_CRD__c
),
in_order AS (
  SELECT
    probability, percentile, decile, ROW_NUMBER() OVER (ORDER BY probability, FA_CRD__c, Id) AS place
  FROM {{ candidate }} WHERE outcome = 'scored'
),
first_places AS (
  -- Equal scores share the first of their places
  SELECT probability, MIN(place) AS place FROM in_order GROUP BY probability
),
ranked AS (
  SELECT
    in_order.percentile, in_order.decile, first_places.place - 1 AS below, COUNT(*) OVER () AS everybody
  FROM in_order
  INNER JOIN first_places ON first_places.probability = in_order.probability
)
SELECT
  (SELECT COUNT(*) FROM {{ candidate }}) AS score_rows,
  (SELECT COUNT(*) FROM open_leads) AS open_leads,
  (SELECT COALESCE(SUM(records), 0) FROM prospects) AS prospects,
  (SELECT COUNTIF(outcome = 'scored') FROM {{ candidate }}) AS scored,
  (SELECT COUNTIF(outcome = 'skipped') FROM {{ candidate }}) AS skipped,
  (SELECT COUNTIF(outcome = 'failed') FROM {{ candidate }}) AS failed,
  (SELECT SAFE_DIVIDE(COUNTIF(outcome = 'scored'), COUNT(*)) FROM {{ candidate }}) AS success_rate,
  (SELECT SAFE_DIVIDE(COUNTIF(outcome = 'failed'), COUNT(*)) FROM {{ candidate }}) AS error_rate,
  -- Of the leads alone, whom prospects would outnumber; who has no CRD can be scored by nobody, and is counted apart
  (SELECT SAFE_DIVIDE(COUNTIF(outcome = 'scored'), COUNT(*)) FROM {{ candidate }}
    WHERE kind = 'lead' AND FA_CRD__c IS NOT NULL) AS success_rate_leads,
  (SELECT SAFE_DIVIDE(COUNTIF(outcome = 'failed'), COUNT(*)) FROM {{ candidate }}
    WHERE kind = 'lead' AND FA_CRD__c IS NOT NULL) AS error_rate_leads,
  (SELECT SAFE_DIVIDE(COUNTIF(FA_CRD__c IS NULL), COUNT(*)) FROM {{ candidate }} WHERE kind = 'lead')
    AS leads_without_crd_share,
  -- Open leads without a row, and rows of no open lead or of another advisor
  (SELECT COUNT(*) FROM open_leads LEFT JOIN leads ON leads.Id = open_leads.Id WHERE leads.records IS NULL)
    + (SELECT COUNT(*) FROM {{ candidate }} AS scores LEFT JOIN open_leads ON open_leads.Id = scores.Id
      WHERE scores.kind = 'lead'
        AND (open_leads.Id IS NULL OR COALESCE(open_leads.crd, '') != COALESCE(scores.FA_CRD__c, '')))
    AS leads_unreconciled,
  -- An Id or a prospect more than once, and prospects who are leads as well
  (SELECT COALESCE(SUM(records - 1), 0) FROM leads) + (SELECT COALESCE(SUM(records - 1), 0) FROM prospects)
    + (SELECT COUNT(*) FROM prospects INNER JOIN open_leads ON open_leads.crd = prospects.FA_CRD__c) AS rows_doubled,
  (SELECT COUNTIF(NOT CASE outcome
      WHEN 'scored' THEN COALESCE(probability BETWEEN 0 AND 1, FALSE) AND why IS NULL
      WHEN 'skipped' THEN probability IS NULL AND percentile IS NULL AND COALESCE(why, '') != ''
      WHEN 'failed' THEN probability IS NULL AND percentile IS NULL AND COALESCE(why, '') != ''
      ELSE FALSE
    END) FROM {{ candidate }}) AS outcomes_wrong,
  -- The share of the day's scores below one's own, in whole hundredths, 1 to 100; and the tenth that it lies in
  (SELECT COUNTIF(NOT COALESCE(
      (percentile - 1) * everybody <= 100 * below AND 100 * below < percentile * everybody
      AND 10 * (decile - 1) < percentile AND percentile <= 10 * decile, FALSE)) FROM ranked) AS percentiles_wrong,
  (SELECT COUNTIF(rep_snapshot_at > @day OR score_date != @day) FROM {{ candidate }}) AS future_snapshots
