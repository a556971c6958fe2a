"""Both engines, held against each other: the same commands, the same gates, the same rows.

Belongs here: the emulator, the proxy between it and Google's client, tests that must pass on DuckDB and on BigQuery.
Does not belong here: what the SQL means (tests/sql, tests/oracle): the emulator is DuckDB inside, and proves plumbing.
"""
