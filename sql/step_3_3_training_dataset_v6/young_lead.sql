{#-
  One staged lead by the very text of step 3.2, so that it scores as it would have in training.
  Parameters: those of query.sql, @lead (its Id). With an @entry_lag_days of minus the label window no lead is too young.
-#}
SELECT * FROM (
{% include 'step_3_3_training_dataset_v6/query.sql' %}
) AS leads
WHERE Id = @lead
