"""From a training set to a calibrated, explained, backtested model: pure functions (plan steps 4.1, 4.3, 4.4).

Belongs here: arrays, frames and numbers in, values out. Does not belong here: Dagster, the warehouse, files (a model
goes out and comes in as `ModelParts`), the judging of gates (each stage hands its `figures()` to them), report texts.

The stages, in the plan's order: `data.training_data` → `training.train` (4.1) → `calibrated.calibrate` (4.3) →
`backtest.backtest` (4.4); what goes to production is a `scorer.LeadScorer`. xgboost, scikit-learn and scipy are
imported where they are used: `leadscore --help` loads none of them.
"""
