"""Plan step 5.1 as assets: the serving copy, the scores of each day, and seven of them judged together.

A package, because what is here decides no table of the training path: it is not in the content key of any of them.
"""
