"""The modeling core against references that share no code with it."""
