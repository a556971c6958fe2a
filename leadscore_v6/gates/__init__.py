"""The plan's validation gates: what each one is, how it is judged, and how it holds in every later run.

Belongs here: steps and their parents, gates and verdicts, the ledger, the guard, and one attempt's life from
candidate to published table. Does not belong here: Dagster (assets/ is a thin layer over this), SQL of a step, or
text for people (reports/).
"""
