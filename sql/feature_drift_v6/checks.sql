{#-
  Figures of the gates of one month's drift. Parameters: @day, @expected (features of the model, and the score).
-#}
SELECT
  COUNT(*) AS drift_rows,
  @expected - COUNT(DISTINCT feature) AS features_missing,
  COUNT(*) - COUNT(DISTINCT feature) AS features_doubled,
  COUNTIF(NOT COALESCE(
    score_date = @day
    -- All of it is judged, or nothing is
    AND (psi IS NULL) = (p_value IS NULL) AND (psi IS NULL) = (adjusted_p IS NULL) AND (psi IS NULL) = (alerts IS NULL)
    AND COALESCE(psi, 0) >= 0 AND COALESCE(p_value, 0) BETWEEN 0 AND COALESCE(adjusted_p, 1)
    AND COALESCE(adjusted_p, 0) <= 1 AND COALESCE(alerts, 0) <= COALESCE(is_large, 0), FALSE)) AS values_wrong
FROM {{ candidate }}
