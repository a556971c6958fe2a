{#-
  The staged leads that came in some days, dialled or not, as young_lead.sql has one: what a model ranks them by that is
  asked whom it would have dialled (R31). `dial_source` says who was: 'none' was not, of 'unknown' nobody can tell (R50).
  Parameters: those of query.sql, @after and @until (days of contact; the first is not in, the last is).
-#}
{% extends 'step_3_3_training_dataset_v6/young_lead.sql' %}
{% block which %}contact_date > @after AND contact_date <= @until{% endblock %}
