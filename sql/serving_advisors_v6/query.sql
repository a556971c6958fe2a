{#-
  Step 5.1: what is known of each advisor on one day, as features of the model: the row that a lead of that advisor gets
  if it is scored on that day (R43). Made by the very texts of steps 3.1 and 3.2 on leads that are not there: one for
  each advisor, contacted on that day, so that serving cannot differ from training. `unmatched` is what a lead gets
  whose advisor no snapshot knows (R25).
  Parameters: @as_of (the day), @label_window_days, @entry_lag_days (minus the label window: no lead is too young).
  Lists: tie_breakers (R2), contract_columns. The texts of 3.1 and 3.2 read the names set here.
-#}
{% set leads, staging, crm_dials = 'asked', 'staged', 'no_dials' %}
WITH advisors AS (
{% block advisors %}
  SELECT DISTINCT RepCRD AS crd FROM {{ reps_vintages }} WHERE snapshot_at <= @as_of
{% endblock %}
  UNION ALL
  SELECT 'unmatched' AS crd
),
asked AS (
  SELECT
    crd AS Id,
    crd,
    -- The first instant of the day in UTC, whatever zone a project has set
    SAFE_CAST(CONCAT(CAST(@as_of AS STRING), ' 00:00:00+00:00') AS TIMESTAMP) AS Stage_Entered_Contacting__c,
    CAST(NULL AS TIMESTAMP) AS Stage_Entered_Call_Scheduled__c
  FROM advisors
),
no_dials AS (
  -- Whoever is scored would be dialled on that day
  SELECT Id, Stage_Entered_Contacting__c AS dialled_at FROM asked WHERE FALSE
),
staged AS (
{% include 'step_3_1_staging_join_v6/query.sql' %}
)
SELECT
{% for column in contract_columns %}
  {{ column }}{{ ',' if not loop.last }}
{% endfor %}
FROM (
{% include 'step_3_3_training_dataset_v6/query.sql' %}
) AS known
ORDER BY FA_CRD__c
