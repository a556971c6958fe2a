-- Queries over `LeadScoring.t` and `LeadScoring.u` of ../test_sql_dialect.py, one a line.
SELECT * FROM `LeadScoring.t`
SELECT t.* FROM `LeadScoring.t` AS t WHERE i > 0 AND NOT b
SELECT * EXCEPT (s, p) FROM `LeadScoring.t`
SELECT DISTINCT i, s FROM `LeadScoring.t`
SELECT i AS a, d FROM (SELECT i, DATE_ADD(d, INTERVAL 1 DAY) AS d FROM `LeadScoring.t`) AS x ORDER BY a
SELECT k, s FROM `LeadScoring.t` ORDER BY s DESC, k LIMIT 4
SELECT k, s FROM `LeadScoring.t` ORDER BY s, k DESC LIMIT 4
SELECT k, i FROM `LeadScoring.t` ORDER BY i ASC NULLS LAST, 1
SELECT k, i FROM `LeadScoring.t` ORDER BY i DESC NULLS FIRST, k

-- joins
SELECT t.k, w FROM `LeadScoring.t` AS t INNER JOIN `LeadScoring.u` AS u ON u.k = t.k
SELECT t.k, w FROM `LeadScoring.t` AS t LEFT JOIN `LeadScoring.u` AS u ON u.k = t.k AND w != 'uno'
SELECT t.k, w FROM `LeadScoring.t` AS t RIGHT JOIN `LeadScoring.u` AS u ON u.k = t.k
SELECT t.k, w FROM `LeadScoring.t` AS t FULL JOIN `LeadScoring.u` AS u ON u.k = t.k
SELECT t.k, w FROM `LeadScoring.t` AS t CROSS JOIN `LeadScoring.u` AS u
SELECT t.k, w FROM `LeadScoring.t` AS t, `LeadScoring.u` AS u
SELECT k FROM `LeadScoring.t` AS t WHERE EXISTS (SELECT 1 FROM `LeadScoring.u` AS u WHERE u.k = t.k)
SELECT k FROM `LeadScoring.t` AS t WHERE NOT EXISTS (SELECT 1 FROM `LeadScoring.u` AS u WHERE u.k = t.k)
SELECT k FROM `LeadScoring.t` WHERE k NOT IN (SELECT k FROM `LeadScoring.u`)
SELECT k FROM `LeadScoring.t` WHERE k IN (SELECT k FROM `LeadScoring.u`)
SELECT (SELECT MAX(w) FROM `LeadScoring.u`) AS w, (SELECT COUNT(*) FROM `LeadScoring.t` WHERE k > 99) AS c
SELECT x FROM UNNEST(@days) AS x ORDER BY x
SELECT COUNT(*) AS c FROM UNNEST(@none) AS x

-- set operations
SELECT i FROM `LeadScoring.t` UNION ALL SELECT k FROM `LeadScoring.u`
SELECT i, 1 AS side FROM `LeadScoring.t` UNION ALL SELECT k, -1 FROM `LeadScoring.u`
SELECT i FROM `LeadScoring.t` UNION DISTINCT SELECT k FROM `LeadScoring.u`
SELECT i FROM `LeadScoring.t` UNION ALL SELECT k FROM `LeadScoring.u` ORDER BY i DESC
WITH a AS (SELECT k FROM `LeadScoring.u`) SELECT k FROM a UNION ALL SELECT i FROM `LeadScoring.t`
WITH a AS (SELECT i AS x FROM `LeadScoring.t`), c AS (SELECT x FROM a WHERE x > 0) SELECT COUNT(*) AS n FROM c

-- aggregates, over rows and over none
SELECT COUNT(*) AS a, COUNT(i) AS b, COUNT(DISTINCT i) AS c, COUNTIF(b) AS d, MIN(s) AS e, MAX(d) AS f FROM `LeadScoring.t`
SELECT COUNT(*) AS a, COUNTIF(b) AS d, MIN(s) AS e, SUM(i) AS g FROM `LeadScoring.t` WHERE k > 99
SELECT s, COUNT(*) AS c, SUM(i & 7) AS total, MAX(i) AS m FROM `LeadScoring.t` GROUP BY s HAVING COUNT(*) >= 1
SELECT SUM(i - j) AS a, SUM(-k) AS b, SUM(IF(b, 1, 0)) AS c, ABS(SUM(k)) AS d FROM `LeadScoring.t`
SELECT SUM(CAST(f AS NUMERIC)) AS a, CAST(SUM(CAST(f AS NUMERIC)) AS FLOAT64) AS b FROM `LeadScoring.t`
SELECT SUM(CASE WHEN ABS(g) < 1e18 THEN CAST(g AS NUMERIC) END) AS a FROM `LeadScoring.t`
SELECT SAFE_DIVIDE(CAST(SUM(CAST(f AS NUMERIC)) AS FLOAT64), COUNTIF(f IS NOT NULL)) AS m FROM `LeadScoring.t`
SELECT SUM(k) / COUNT(*) AS share FROM `LeadScoring.t`
SELECT STRING_AGG(s, ',' ORDER BY s) AS a, STRING_AGG(p ORDER BY p DESC) AS b FROM `LeadScoring.t`
SELECT STRING_AGG(s, ',' ORDER BY s) AS a FROM `LeadScoring.t` WHERE k > 99
SELECT ARRAY_AGG(k ORDER BY k DESC) AS a FROM `LeadScoring.t`
SELECT EXTRACT(YEAR FROM d) AS y, COUNT(*) AS c FROM `LeadScoring.t` GROUP BY y ORDER BY y
SELECT EXTRACT(YEAR FROM d) AS y, COUNT(*) AS c FROM `LeadScoring.t` GROUP BY 1 ORDER BY 1 DESC
SELECT -k AS k, COUNT(*) AS c FROM `LeadScoring.t` GROUP BY k ORDER BY k
SELECT -k AS k, i FROM `LeadScoring.t` ORDER BY k LIMIT 2

-- windows
SELECT k, ROW_NUMBER() OVER (PARTITION BY s ORDER BY i DESC, k) AS place FROM `LeadScoring.t`
SELECT k FROM `LeadScoring.t` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY s ORDER BY d, k) = 1
SELECT k, COUNT(*) OVER (PARTITION BY s) AS c, MAX(k) OVER () AS m, COUNTIF(b) OVER () AS n FROM `LeadScoring.t`
SELECT s, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, s) AS place FROM `LeadScoring.t` GROUP BY s
