"""The plan's steps as Dagster assets: one module per step of the plan, in the plan's order.

Belongs here: what each step reads, builds and measures, said to Dagster. Does not belong here: SQL text (sql/), maths,
or how gates hold (gates/).
"""
