{#- Figures of the gates of the CRM's dials (R50). Parameters: @records, counted by an independent reader. -#}
{% import 'macros.sql' as m %}
WITH contacted AS (
  SELECT
    Id,
    MIN(crd) AS crd,
    MIN({{ m.day('Stage_Entered_Contacting__c') }}) AS contact_date
  FROM {{ leads }}
  WHERE Stage_Entered_Contacting__c IS NOT NULL AND Id IS NOT NULL
  GROUP BY Id
),
staff AS (
  SELECT DISTINCT associate
  FROM {{ crm_associates }}
  WHERE associate IS NOT NULL
),
held AS (
  SELECT
    dials.dialled_at,
    dials.queue,
    CASE WHEN contacted.Id IS NULL THEN 1 ELSE 0 END AS of_unknown_lead,
    CASE WHEN dials.crd IS NULL OR dials.crd != contacted.crd THEN 1 ELSE 0 END AS crd_wrong,
    CASE WHEN staff.associate IS NULL THEN 1 ELSE 0 END AS by_unknown_associate,
    -- Step 3.1 takes one of the day before for the contact's
    CASE WHEN DATE_DIFF(contacted.contact_date, {{ m.day('dials.dialled_at') }}, DAY) > 1 THEN 1 ELSE 0 END AS before_contact,
    ROW_NUMBER() OVER (
      PARTITION BY dials.Id, dials.associate, dials.dialled_at ORDER BY dials.Id
    ) AS copy
  FROM {{ candidate }} AS dials
  LEFT JOIN contacted ON contacted.Id = dials.Id
  LEFT JOIN staff ON staff.associate = dials.associate
)
SELECT
  COUNT(*) AS dials,
  @records - COUNT(*) AS rows_missing,
  COUNTIF(dialled_at IS NULL) AS unparsed,
  COALESCE(SAFE_DIVIDE(COUNTIF(dialled_at IS NULL), COUNT(*)), 0.0) AS unparsed_share,
  COUNTIF(of_unknown_lead = 1) AS of_unknown_leads,
  COALESCE(SAFE_DIVIDE(COUNTIF(of_unknown_lead = 1), COUNT(*)), 0.0) AS unknown_lead_share,
  COUNTIF(crd_wrong = 1) AS crds_wrong,
  COALESCE(SAFE_DIVIDE(COUNTIF(crd_wrong = 1), COUNT(*)), 0.0) AS crd_wrong_share,
  COUNTIF(copy > 1) AS duplicates,
  COUNTIF(queue IS NULL OR queue NOT IN ('model', 'own', 'usual')) AS queue_unknown,
  (SELECT COUNT(*) FROM staff) AS associates,
  COUNTIF(by_unknown_associate = 1) AS by_unknown_associates,
  COUNTIF(before_contact = 1) AS before_contact,
  COALESCE(SAFE_DIVIDE(COUNTIF(before_contact = 1), COUNT(*)), 0.0) AS before_contact_share,
  MIN({{ m.day('dialled_at') }}) AS logged_since
FROM held
