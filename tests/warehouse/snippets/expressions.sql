-- Expressions of the columns of `LeadScoring.t` in ../test_sql_dialect.py, one a line.

-- numbers
i + j
i - j
k * 2
-i
f + i
f * g
f - 0.1
0.1 + 0.2
1 + 2000000000 * 2
n + 1
i / 7
f / 4
SAFE_DIVIDE(i, j)
SAFE_DIVIDE(f, g)
SAFE_DIVIDE(g, 1e-100)
SAFE_DIVIDE(i + j, j - j)
ABS(f)
ABS(i - 5)
FLOOR(f)
FLOOR(k)
ROUND(k)
ROUND(k, 2)
ROUND(f, 2)
FLOOR(i / 7) * 7
ROUND(f)
ROUND(f * 1.0, 2)
ROUND(SAFE_DIVIDE(i, 7) * 100, 2)
MOD(i, 5)
MOD(-7, 3)
i & 3
i | 4
i | (6 & 3)
NOT i = 3
b OR b AND i > 0
NOT s IS NULL
-i + 1 - -2
i - j - 1
i - (j - 1)
i / 7 * 3
(i & 2) != 0
i & 2 + 1
GREATEST(i, 1, j)
LEAST(f, g)
GREATEST(d, e)
2
-5
1.25
1e3
0.1
4611686018427387904 + 1
i | 4611686018427387904

-- logic
b AND i > 0
b OR i > 0
NOT b
b IS TRUE
b IS NOT TRUE
s IS NULL
(s IS NULL) = (p IS NULL)
i BETWEEN 0 AND 3
i NOT BETWEEN j AND 7
i IN (3, 0)
i NOT IN (3, NULL)
s IN ('ab', '')
d < e
i != j
f >= g
f <= 0.1
i = 3
d != @d
IF(i > 0, 'x', s)
IF(b, i, 0)
IFNULL(i, -1)
n > 1
CASE WHEN i > 0 THEN 1 WHEN i = 0 THEN 0 END
CASE i WHEN 3 THEN 'three' ELSE s END
s > 'a'
COALESCE(i, j, 0)
COALESCE(SAFE_DIVIDE(i, j), 0.0)
NULLIF(s, '')
NULLIF(i, 3)
i IN UNNEST([3, 7])
d IN UNNEST(@days)
d NOT IN UNNEST(@days)
d IN UNNEST(@none)
s IN UNNEST(@texts)

-- text
s || '-' || p
CONCAT(s, 'é', p)
LENGTH(s)
LPAD(s, 5, '0')
RPAD(s, 3, 'xy')
LPAD(s, 1, '0')
LPAD(s, 4)
SUBSTR(s, 0, 0)
SUBSTR(s, 0, 1)
SUBSTR(s, 0, 2)
SUBSTR(s, 0, 9)
SUBSTR(s, 1, 0)
SUBSTR(s, 1, 1)
SUBSTR(s, 1, 2)
SUBSTR(s, 1, 9)
SUBSTR(s, 2, 0)
SUBSTR(s, 2, 1)
SUBSTR(s, 2, 2)
SUBSTR(s, 2, 9)
SUBSTR(s, -1, 0)
SUBSTR(s, -1, 1)
SUBSTR(s, -1, 2)
SUBSTR(s, -1, 9)
SUBSTR(s, -2, 0)
SUBSTR(s, -2, 1)
SUBSTR(s, -2, 2)
SUBSTR(s, -2, 9)
SUBSTR(s, -9, 0)
SUBSTR(s, -9, 1)
SUBSTR(s, -9, 2)
SUBSTR(s, -9, 9)
SUBSTR(s, 2)
SUBSTR(s, -2)
SUBSTR(s, 0)
'a\'b\\n'
r'a\d'
"q'q"
'日'
REGEXP_CONTAINS(p, r'^\s*\d+\s*$')
REGEXP_CONTAINS(s, r'^a$')
REGEXP_CONTAINS(s, 'b.a')
REGEXP_CONTAINS(s, '')
REGEXP_EXTRACT(p, r'^\s*0*([1-9][0-9]*)(?:\.0*)?\s*$')
REGEXP_EXTRACT(s, 'a(b)?')
REGEXP_EXTRACT(s, 'b*')
REGEXP_EXTRACT(s, '(x*)b')
REGEXP_EXTRACT(p, r'\(?([(\]0-9])')
REGEXP_EXTRACT(s, r'(?P<first>\pL)')
REGEXP_EXTRACT(s, '[A-Z]+')
REGEXP_EXTRACT(p, r'\\d')
REGEXP_EXTRACT(s, r'(\n)')
REGEXP_REPLACE(p, r'([0-9])', r'<\1>')
REGEXP_REPLACE(s, 'b', '')
REGEXP_REPLACE(p, r'^(\s*)(\d+).*', r'\2\1')

-- days and instants
DATE_ADD(d, INTERVAL 30 DAY)
DATE_SUB(d, INTERVAL @n + @m DAY)
DATE_ADD(d, INTERVAL j DAY)
d = DATE '2024-01-31'
DATE_ADD(d, INTERVAL 1 MONTH)
DATE_ADD(d, INTERVAL 1 QUARTER)
DATE_ADD(d, INTERVAL 1 YEAR)
DATE_ADD(d, INTERVAL -1 MONTH)
DATE_ADD(d, INTERVAL -1 QUARTER)
DATE_ADD(d, INTERVAL -1 YEAR)
DATE_DIFF(d, e, DAY)
DATE_DIFF(d, e, MONTH)
DATE_DIFF(d, e, QUARTER)
DATE_DIFF(d, e, YEAR)
DATE_TRUNC(d, DAY)
DATE_TRUNC(d, MONTH)
DATE_TRUNC(d, QUARTER)
DATE_TRUNC(d, YEAR)
EXTRACT(DAY FROM d)
EXTRACT(MONTH FROM d)
EXTRACT(QUARTER FROM d)
EXTRACT(YEAR FROM d)
TIMESTAMP_DIFF(z, y, SECOND)
TIMESTAMP_DIFF(z, y, MINUTE)
TIMESTAMP_DIFF(z, y, HOUR)
TIMESTAMP_DIFF(z, y, DAY)
DATE(z, 'UTC')
DATE(z, 'UTC') > @d
TIMESTAMP(d)
TIMESTAMP(DATE_ADD(d, INTERVAL 1 DAY))
z < y
LEAST(z, y)
DATE_DIFF(DATE(z, 'UTC'), d, DAY) <= @n

-- arrays
ARRAY_LENGTH(@days)
ARRAY_LENGTH([1, 2, 3])
@days[SAFE_OFFSET(1)]
@days[SAFE_OFFSET(9)]
ARRAY_LENGTH(@none)

-- casts within other things
CAST(f AS INT64) + 1
CAST(i + f AS NUMERIC)
CAST(-f AS FLOAT64)
SAFE_CAST(p || '0' AS INT64)
