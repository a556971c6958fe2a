{#- Leads and their match rate by quarter of contact, for the report of step 3.1 (R11). -#}
SELECT
  CONCAT(CAST(EXTRACT(YEAR FROM contact_date) AS STRING), ' Q', CAST(EXTRACT(QUARTER FROM contact_date) AS STRING)) AS quarter,
  COUNT(*) AS leads,
  COUNT(rep_snapshot_at) AS with_rep,
  COUNT(rep_snapshot_at) / COUNT(*) AS rep_match_rate
FROM {{ candidate }}
GROUP BY quarter
ORDER BY quarter
