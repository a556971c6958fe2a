"""Alerts: rules, outbox, delivery; channels over real sockets."""
