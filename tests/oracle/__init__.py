"""The reference for what GoogleSQL means: Google's own ZetaSQL, offline, beside DuckDB.

Belongs here: loading the reference engine, its catalog, and the comparison of two engines' rows.
Does not belong here: the nasty rows themselves (`tests/sql/`), and anything that the product imports.
"""
