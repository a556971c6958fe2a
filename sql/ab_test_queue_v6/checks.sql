{#-
  Figures of the queues. `earlier` is the table as it is served; for the first one the candidate itself. A queue is made of
  the leads that were in none before it, and that a rule or a call does not forbid to dial; one that is served already stands
  as it is, whoever was assigned since. Parameters: @fingerprint, @queue_date, @stands (1: the queue of that day is served
  already), @advisors_excluded and @leads_excluded (with an empty text, so that neither is without a type).
-#}
{% import 'macros.sql' as m %}
WITH advisors_excluded AS (
  SELECT DISTINCT excluded AS crd FROM UNNEST(@advisors_excluded) AS excluded
),
leads_excluded AS (
  SELECT DISTINCT excluded AS lead_id FROM UNNEST(@leads_excluded) AS excluded
),
forbidden AS (
  SELECT DISTINCT assigned.lead_id
  FROM {{ assignments }} AS assigned
  LEFT JOIN {{ leads }} AS leads ON leads.Id = assigned.lead_id
  LEFT JOIN advisors_excluded ON advisors_excluded.crd = assigned.crd
  LEFT JOIN leads_excluded ON leads_excluded.lead_id = assigned.lead_id
  WHERE
    assigned.fingerprint = @fingerprint
    AND (
      advisors_excluded.crd IS NOT NULL
      OR leads_excluded.lead_id IS NOT NULL
      OR {{ m.day('leads.Stage_Entered_Call_Scheduled__c') }} < @queue_date
    )
),
queued_before AS (
  SELECT DISTINCT Id FROM {{ candidate }} WHERE queue_date < @queue_date AND fingerprint = @fingerprint
),
served AS (
  SELECT DISTINCT Id FROM {{ earlier }} WHERE queue_date = @queue_date AND fingerprint = @fingerprint
),
batch AS (
  SELECT
    assigned.lead_id,
    assigned.arm
  FROM {{ assignments }} AS assigned
  LEFT JOIN queued_before ON queued_before.Id = assigned.lead_id
  LEFT JOIN served ON served.Id = assigned.lead_id
  LEFT JOIN forbidden ON forbidden.lead_id = assigned.lead_id
  WHERE
    assigned.fingerprint = @fingerprint
    AND assigned.enrolled_on < @queue_date
    AND queued_before.Id IS NULL
    AND ((@stands = 0 AND forbidden.lead_id IS NULL) OR (@stands = 1 AND served.Id IS NOT NULL))
),
queue AS (
  SELECT * FROM {{ candidate }} WHERE queue_date = @queue_date AND fingerprint = @fingerprint
),
numbered AS (
  SELECT arm, position, Id, ROW_NUMBER() OVER (PARTITION BY arm ORDER BY position, Id) AS expected FROM queue
),
neighbours AS (
  SELECT
    queue.arm,
    queue.entered_at,
    queue.probability,
    ahead.entered_at AS entered_ahead,
    ahead.probability AS probability_ahead
  FROM queue
  INNER JOIN numbered ON numbered.arm = queue.arm AND numbered.Id = queue.Id
  INNER JOIN numbered AS numbered_ahead
    ON numbered_ahead.arm = numbered.arm AND numbered_ahead.expected = numbered.expected - 1
  INNER JOIN queue AS ahead ON ahead.arm = numbered_ahead.arm AND ahead.Id = numbered_ahead.Id
)
SELECT
  (SELECT COUNT(*) FROM queue) AS queued,
  (SELECT COUNTIF(arm = 'treatment') FROM queue) AS queued_treatment,
  (SELECT COUNTIF(arm = 'control') FROM queue) AS queued_control,
  (SELECT COUNTIF(arm = 'treatment' AND probability IS NULL) FROM queue) AS not_scored,
  COALESCE(SAFE_DIVIDE(
    (SELECT COUNTIF(arm = 'treatment' AND probability IS NULL) FROM queue),
    (SELECT COUNTIF(arm = 'treatment') FROM queue)), 0.0) AS not_scored_share,
  (SELECT COUNT(*) FROM batch LEFT JOIN queue ON queue.Id = batch.lead_id AND queue.arm = batch.arm
    WHERE queue.Id IS NULL)
    + (SELECT COUNT(*) FROM queue LEFT JOIN batch ON queue.Id = batch.lead_id AND queue.arm = batch.arm
      WHERE batch.lead_id IS NULL) AS rows_unreconciled,
  (SELECT COUNTIF(position != expected) FROM numbered) AS positions_wrong,
  (SELECT COUNTIF(
    arm = 'treatment'
    AND (probability > probability_ahead OR (probability IS NOT NULL AND probability_ahead IS NULL))
    OR arm = 'control' AND entered_at < entered_ahead) FROM neighbours)
    + (SELECT COUNTIF(arm = 'control' AND probability IS NOT NULL) FROM queue) AS out_of_order,
  (SELECT COUNT(*) FROM {{ earlier }} AS earlier
    LEFT JOIN {{ candidate }} AS now ON
      now.queue_date = earlier.queue_date AND now.arm = earlier.arm AND now.position = earlier.position
      AND now.Id = earlier.Id AND now.fingerprint = earlier.fingerprint AND now.model_digest = earlier.model_digest
    WHERE now.Id IS NULL) AS earlier_rows_changed,
  (SELECT COUNT(DISTINCT model_digest) FROM {{ candidate }} WHERE fingerprint = @fingerprint) AS models
