"""Files for people and for later steps, under the home's `artifacts/`, by the plan's names."""
