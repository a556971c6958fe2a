"""Alerts: figures that miss what the configuration asks, kept in the outbox, and sent to people (plan step 6.1).

Belongs here: which figures alert, the outbox, delivery, acknowledgement, escalation. Does not belong here: measuring
anything (monitoring/), stopping a run (gates/). Nothing here raises because a message could not be delivered: that is
written into the outbox, and said.

The way of an alert: `rules.alerts_for` (figures → alerts) → `Outbox.file` (one file each, de-duplicated) →
`delivery.send` (what is due, now and at every later call). The time is always a parameter. Nothing personal gets in:
words come from the configuration, figures are numbers, and subjects are names of features, steps and versions.
"""
