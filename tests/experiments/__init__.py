"""The experiment's core against published values, exact tests and integrations that share no code with it."""
