{#-
  Step 6.1: who is scored on a day, with the features of the serving copy (R51): open leads, one row per Id, and as
  prospects the advisors of the newest snapshot who have none. Each as if contacted that day.
  Parameters: @day (nothing later is known, R9), @open_lead_days (a lead contacted longer ago without a call is closed,
  and its advisor a prospect again), @converted_days (no prospect is who scheduled a call in so many days).
  Lists: features, the columns of the serving copy that the model reads.
-#}
{% import 'macros.sql' as m %}
WITH known AS (
  SELECT
    Id,
    crd,
    {{ m.day('Stage_Entered_Contacting__c') }} AS contacted_on,
    CASE
      WHEN {{ m.day('Stage_Entered_Call_Scheduled__c') }} <= @day THEN {{ m.day('Stage_Entered_Call_Scheduled__c') }}
    END AS scheduled_on
  FROM {{ crm }}
  -- A lead that enters Contacting later was not in the queue that day
  WHERE Stage_Entered_Contacting__c IS NULL OR {{ m.day('Stage_Entered_Contacting__c') }} <= @day
),
open_leads AS (
  SELECT Id, crd, contacted_on FROM known
  WHERE scheduled_on IS NULL AND (contacted_on IS NULL OR DATE_DIFF(@day, contacted_on, DAY) <= @open_lead_days)
),
advisors AS (
  SELECT crd, MAX(contacted_on) AS contacted_on, MAX(scheduled_on) AS scheduled_on
  FROM known WHERE crd IS NOT NULL GROUP BY crd
),
advisors_open AS (
  SELECT DISTINCT crd FROM open_leads WHERE crd IS NOT NULL
),
prospects AS (
  SELECT serving.FA_CRD__c AS crd, advisors.contacted_on
  FROM {{ serving }} AS serving
  LEFT JOIN advisors ON advisors.crd = serving.FA_CRD__c
  LEFT JOIN advisors_open ON advisors_open.crd = serving.FA_CRD__c
  -- Who left the newest snapshot cannot be called
  WHERE serving.rep_snapshot_at = serving.as_of AND advisors_open.crd IS NULL
    AND (advisors.scheduled_on IS NULL OR DATE_DIFF(@day, advisors.scheduled_on, DAY) > @converted_days)
),
subjects AS (
  SELECT 'lead' AS kind, Id, crd, contacted_on FROM open_leads
  UNION ALL
  SELECT 'prospect' AS kind, CAST(NULL AS STRING) AS Id, crd, contacted_on FROM prospects
),
keyed AS (
  -- Whom no snapshot knows is served the row of those (R25)
  SELECT subjects.*, COALESCE(serving.FA_CRD__c, 'unmatched') AS served_as
  FROM subjects
  LEFT JOIN {{ serving }} AS serving ON serving.FA_CRD__c = subjects.crd
),
firms AS (
  -- The firm of the row that serves the advisor, by the order of step 3.1 (R2); rows that tie are of one firm
  SELECT reps.RepCRD, reps.RIAFirmCRD,
    ROW_NUMBER() OVER (
      PARTITION BY reps.RepCRD
      ORDER BY
        reps.IsPrimaryRIAFirm DESC, LENGTH(reps.RIAFirmCRD) ASC NULLS LAST, reps.RIAFirmCRD ASC NULLS LAST
    ) AS place
  FROM {{ serving }} AS serving
  INNER JOIN {{ reps_vintages }} AS reps
    ON reps.RepCRD = serving.FA_CRD__c AND reps.snapshot_at = serving.rep_snapshot_at
)
SELECT
  keyed.kind,
  keyed.Id,
  keyed.crd AS FA_CRD__c,
  firms.RIAFirmCRD,
  keyed.contacted_on AS last_contact_on,
{% for feature in features %}
  serving.{{ feature }} AS {{ feature }},
{% endfor %}
  serving.rep_snapshot_at
FROM keyed
INNER JOIN {{ serving }} AS serving ON serving.FA_CRD__c = keyed.served_as
LEFT JOIN firms ON firms.RepCRD = keyed.served_as AND firms.place = 1
ORDER BY keyed.kind, keyed.Id, keyed.crd, keyed.contacted_on
