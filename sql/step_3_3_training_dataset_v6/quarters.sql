{#- Leads and conversions by quarter of contact, for the class imbalance report of step 3.2. -#}
SELECT
  CONCAT(CAST(EXTRACT(YEAR FROM contact_date) AS STRING), ' Q', CAST(EXTRACT(QUARTER FROM contact_date) AS STRING)) AS quarter,
  COUNT(*) AS leads,
  COUNTIF(target_label = 1) AS positives,
  COUNTIF(target_label = 1) / COUNT(*) * 100 AS positive_percent
FROM {{ candidate }}
GROUP BY quarter
ORDER BY quarter
