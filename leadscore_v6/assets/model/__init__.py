"""Plan steps 4.1, 4.3 and 4.4 as assets: train, calibrate, backtest.

A package, because a model's code decides no table's content: what is here is not in the content key of any table.
"""
