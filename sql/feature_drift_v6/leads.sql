{#-
  Step 6.1: leads that entered Contacting in a window, each with what was known of it on that day, and how many days
  later a call was scheduled. Made by the very texts of steps 3.1 and 3.2, so that what is watched cannot differ from
  what was learned from: only that no lead is too young. As there, a lead whose call came before its contact is left
  out, and so is one without a CRD.
  Parameters: @first_day, @as_of (the last day; nothing later is known, R9), @label_window_days, @entry_lag_days (minus
  the label window: no lead is too young).
  Lists: tie_breakers (R2), features (those of the model). The texts of 3.1 and 3.2 read the names set here.
-#}
{% set leads, staging, crm_dials = 'entered', 'staged', 'no_dials' %}
{% import 'macros.sql' as m %}
WITH entered AS (
  SELECT Id, crd, Stage_Entered_Contacting__c, Stage_Entered_Call_Scheduled__c FROM {{ crm }}
  WHERE {{ m.day('Stage_Entered_Contacting__c') }} BETWEEN @first_day AND @as_of
),
-- Days to a call run from the contact here: whoever reads this text moves them to the first dial himself (R50).
no_dials AS (
  SELECT Id, Stage_Entered_Contacting__c AS dialled_at FROM entered WHERE FALSE
),
staged AS (
{% include 'step_3_1_staging_join_v6/query.sql' %}
)
SELECT
  Id,
  FA_CRD__c,
  contact_date,
  days_to_conversion,
{% for feature in features %}
  {{ feature }}{{ ',' if not loop.last }}
{% endfor %}
FROM (
{% include 'step_3_3_training_dataset_v6/query.sql' %}
) AS known
ORDER BY contact_date, Id, FA_CRD__c, days_to_conversion
