"""Plan steps 5.2 and 5.3 as assets: the power analysis, assignments and queues, daily metrics, the planned looks.

A package, because the experiment's code decides no content of a table that a model is trained on.
"""
