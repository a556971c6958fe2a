"""What watches a model in production, and what decides between two: pure functions (plan steps 6.1, 6.2).

Belongs here: frames, arrays and days in, a dataclass out, with `figures()` for gates and alerts. None is "not
judgeable". Does not belong here: Dagster, the warehouse, files, the judging of gates, the sending of alerts
(alerting/).

Each check has a module: `health` (daily), `class_balance` (weekly), `psi` and `performance` (monthly), `champion` (each
quarter). What they measure with is modeling's. How often each is wrong: docs/operating-characteristics.md.
"""

# How often: what `leadscore monitor` is asked by, and what the schedules are.
DAILY, WEEKLY, MONTHLY = PERIODS = ("daily", "weekly", "monthly")
