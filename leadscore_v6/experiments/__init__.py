"""The experiment, from its design to its reading: pure functions (plan steps 5.2 and 5.3).

Belongs here: frames and numbers in, values out. Does not belong here: Dagster, the warehouse, files, the judging of
gates (each stage hands its `figures()` to them), report texts, and who is dialled when (the published queue).

In the plan's order: `power.power_analysis` (5.2) → `assignment.assign`, week by week → `cohort.cohort`, which joins
assignments, dials and outcomes and refuses what contradicts itself → `daily.daily_metrics`, and at the planned looks
`readout.analyse` (5.3). Below them: `sequential` (boundaries) and `effect` (two arms compared, advisors as clusters).
scipy and statsmodels are imported where they are used.
"""
