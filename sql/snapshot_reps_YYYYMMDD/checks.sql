{#-
  Figures of the gates of step 1.5. Parameters: @snapshot_at, @records (counted at landing by an independent reader).
-#}
{% import 'macros.sql' as m %}
WITH measured AS (
  SELECT
    COUNT(*) AS rep_rows,
    COUNT(DISTINCT RepCRD) AS reps,
    COUNTIF(
{% for flag in m.rep_flags + ['Has_LinkedIn'] %}
      {{ 'OR ' if not loop.first }}{{ m.not_binary(flag) }}
{% endfor %}
    ) AS flags_not_binary,
    COUNTIF(snapshot_at IS NULL OR snapshot_at != @snapshot_at) AS wrong_snapshot_at,
    COUNTIF(RepCRD IS NULL OR NOT REGEXP_CONTAINS(RepCRD, r'^[1-9][0-9]*$')) AS invalid_rep_crd,
    COUNTIF(RIAFirmCRD IS NULL OR NOT REGEXP_CONTAINS(RIAFirmCRD, r'^[1-9][0-9]*$')) AS firm_crd_missing,
{% for source, target, _ in m.numbers %}
    COUNT({{ target }}) AS typed__{{ source }},
    {{ m.count_bit('typing_losses', loop.index0) }} AS typing_loss__{{ source }},
{% endfor %}
{% for source in m.crds %}
    {{ m.count_bit('typing_losses', loop.index0 + m.numbers | length) }} AS typing_loss__{{ source }},
{% endfor %}
{% for source, _ in m.words %}
    {{ m.count_bit('domain_losses', loop.index0) }} AS domain_loss__{{ source }}{{ ',' if not loop.last }}
{% endfor %}
  FROM {{ candidate }}
)
SELECT
  rep_rows,
  reps,
  -- The transform makes one row of each row of the raw table, in the engine's one pass over the file
  @records - rep_rows AS rows_missing,
  flags_not_binary,
  wrong_snapshot_at,
  invalid_rep_crd,
  firm_crd_missing,
  COALESCE(SAFE_DIVIDE(firm_crd_missing, rep_rows), 0.0) AS firm_crd_missing_share,
  -- Of the filled values of the column. RepCRD and RIAFirmCRD have gates of their own; PrimaryRIAFirmCRD is not kept,
  -- so its share is of all rows.
  GREATEST(
{% for source, _, _ in m.numbers %}
    COALESCE(SAFE_DIVIDE(typing_loss__{{ source }}, typed__{{ source }} + typing_loss__{{ source }}), 0.0),
{% endfor %}
    COALESCE(SAFE_DIVIDE(typing_loss__PrimaryRIAFirmCRD, rep_rows), 0.0)) AS worst_typing_loss,
  -- Of all rows: a blank is one of the documented words (R36)
  GREATEST(
{% for source, _ in m.words %}
    COALESCE(SAFE_DIVIDE(domain_loss__{{ source }}, rep_rows), 0.0){{ ',' if not loop.last }}
{% endfor %}
  ) AS worst_domain_loss,
{% for source, _, _ in m.numbers %}
  typing_loss__{{ source }},
{% endfor %}
{% for source in m.crds %}
  typing_loss__{{ source }},
{% endfor %}
{% for source, _ in m.words %}
  domain_loss__{{ source }}{{ ',' if not loop.last }}
{% endfor %}
FROM measured
