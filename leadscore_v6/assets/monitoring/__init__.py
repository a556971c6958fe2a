"""Plan step 6.1 as assets: what is looked at month by month, drift of features and score, and what the model is worth.

A package, because what is here decides no score: a change of it must not have the day scored again.
"""
