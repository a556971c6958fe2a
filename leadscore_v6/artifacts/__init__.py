"""Files for people and for later steps, under the home's `artifacts/`, by the plan's names.

Belongs here: writing files whole, folders that are published as one, their manifests, and models read from them.
Does not belong here: what a file says (reports/), or whether it may be published (gates/).
"""
