"""Plan step 6.1 as assets: the scores of each day by the champion.

A package, because what is here decides no table of the training path: it is not in the content key of any of them.
"""
