{#- Figures of the gates of one month's performance. Parameters: @day, @mature_by (the last day that has matured). -#}
SELECT
  COUNT(*) AS performance_rows,
  COUNTIF(NOT COALESCE(
    score_date = @day
    AND leads >= 0 AND mqls BETWEEN 0 AND leads AND assumed_dials BETWEEN 0 AND leads AND young_leads >= 0
    AND COALESCE(cohort_from, @mature_by) <= COALESCE(cohort_to, @mature_by) AND COALESCE(cohort_to, @mature_by) <= @mature_by
    AND (average_precision IS NULL) = (auc_roc IS NULL) AND (auc_roc IS NULL) = (expected_observed IS NULL)
    AND COALESCE(average_precision, 0) BETWEEN 0 AND 1 AND COALESCE(auc_roc, 0) BETWEEN 0 AND 1
    AND COALESCE(ece, 0) BETWEEN 0 AND 1 AND COALESCE(expected_observed, 0) >= 0, FALSE)) AS counts_wrong
FROM {{ candidate }}
