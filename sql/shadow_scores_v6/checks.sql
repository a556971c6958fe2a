{#-
  Figures of the gates of one day's scores. Parameters: @day.
-#}
{% import 'macros.sql' as m %}
WITH leads_of_the_day AS (
  SELECT Id, crd FROM {{ crm }} WHERE {{ m.day('Stage_Entered_Contacting__c') }} = @day
),
told AS (
  SELECT Id, COUNT(*) AS records FROM {{ candidate }} GROUP BY Id
)
SELECT
  (SELECT COUNT(*) FROM leads_of_the_day) AS leads,
  (SELECT COUNT(*) FROM {{ candidate }}) AS score_rows,
  (SELECT COUNTIF(outcome = 'scored') FROM {{ candidate }}) AS scored,
  (SELECT COUNTIF(outcome = 'skipped') FROM {{ candidate }}) AS skipped,
  (SELECT COUNTIF(outcome = 'failed') FROM {{ candidate }}) AS failed,
  (SELECT COUNTIF(outcome = 'scored' AND rep_snapshot_at IS NULL) FROM {{ candidate }}) AS unmatched,
  -- Leads without a row, and rows without a lead or of another advisor
  (SELECT COUNT(*) FROM leads_of_the_day LEFT JOIN told ON told.Id = leads_of_the_day.Id WHERE told.records IS NULL)
    + (SELECT COUNT(*) FROM {{ candidate }} AS scores LEFT JOIN leads_of_the_day ON leads_of_the_day.Id = scores.Id
      WHERE leads_of_the_day.Id IS NULL
        OR COALESCE(leads_of_the_day.crd, '') != COALESCE(scores.FA_CRD__c, '')) AS rows_unreconciled,
  (SELECT COALESCE(SUM(records - 1), 0) FROM told) AS rows_doubled,
  -- Scored: a probability and no reason against it; not scored: a reason and no probability
  (SELECT COUNTIF(NOT CASE outcome
      WHEN 'scored' THEN COALESCE(probability BETWEEN 0 AND 1, FALSE) AND why IS NULL
      WHEN 'skipped' THEN probability IS NULL AND COALESCE(why, '') != ''
      WHEN 'failed' THEN probability IS NULL AND COALESCE(why, '') != ''
      ELSE FALSE
    END) FROM {{ candidate }}) AS outcomes_wrong,
  (SELECT COUNTIF(rep_snapshot_at > @day OR score_date != @day) FROM {{ candidate }}) AS future_snapshots
