{#- Figures of the power curve. Parameters: none. -#}
SELECT
  COUNT(*) AS weeks,
  COUNT(*) - COUNT(DISTINCT weeks) AS weeks_doubled,
  COUNTIF(power < 0 OR power > 1 OR power_at_adoption < 0 OR power_at_adoption > 1) AS powers_wrong
FROM {{ candidate }}
