{#- MQLs among the matured leads of the promoted training set: today's rate. Parameters: none. -#}
SELECT
  COUNT(*) AS leads,
  COALESCE(SUM(target_label), 0) AS mqls
FROM {{ training }}
