{#-
  One staged lead, dialled or not, by the very text of step 3.2, so that it scores as it would have in training.
  Parameters: those of query.sql, @lead (its Id). With an @entry_lag_days of minus the label window no lead is too young.
-#}
{% set dataset, staging = staging, 'as_dialled' %}
WITH as_dialled AS (
  SELECT * EXCEPT (dialled_on), contact_date AS dialled_on FROM {{ dataset }}
)
SELECT * FROM (
{% include 'step_3_3_training_dataset_v6/query.sql' %}
) AS leads
WHERE {% block which %}Id = @lead{% endblock %}
