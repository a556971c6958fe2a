{#-
  The same for the advisors of one day's leads alone, as of that day: what a batch scores the day by, and what a day
  before the newest snapshot is served from (R2, R43). Parameters: those of query.sql.
-#}
{% extends 'serving_advisors_v6/query.sql' %}
{% import 'macros.sql' as m %}
{% block advisors %}
  SELECT DISTINCT crd FROM {{ crm }}
  WHERE crd IS NOT NULL AND {{ m.day('Stage_Entered_Contacting__c') }} = @as_of
{% endblock %}
