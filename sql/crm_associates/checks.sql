{#- Figures of the gates of the associates (R50). Parameters: @records, counted by an independent reader. -#}
SELECT
  COUNT(*) AS associates,
  @records - COUNT(*) AS rows_missing,
  COUNT(*) - COUNT(DISTINCT associate) AS not_one_row_each,
  COUNTIF(active IS NULL) AS active_unknown,
  COUNTIF(weekly_capacity IS NULL OR weekly_capacity < 0) AS capacities_wrong,
  COALESCE(SUM(CASE WHEN active = 1 THEN weekly_capacity END), 0) AS weekly_capacity
FROM {{ candidate }}
