{#-
  How the scores of a day are spread: scored rows by kind and step of probability, whose upper ends are these; step 0 is
  the lowest. Parameters: @day.
-#}
SELECT
  kind,
  CASE
{% for edge in ['0.001', '0.002', '0.005', '0.01', '0.02', '0.05', '0.1', '0.2', '0.5'] %}
    WHEN probability <= {{ edge }} THEN {{ loop.index0 }}
{% endfor %}
    ELSE 9
  END AS step,
  COUNT(*) AS scored
FROM {{ production }}
WHERE score_date = @day AND outcome = 'scored'
GROUP BY kind, step
ORDER BY kind, step
