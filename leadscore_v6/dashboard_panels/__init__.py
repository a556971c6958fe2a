"""From ledger, warehouse and outbox to the dashboard's panels: what each figure is, and how it stands (plan step 6.1).

Belongs here: one module for each panel, what all of them read (home.py), putting the page together (assemble.py). Does
not belong here: how a page looks (dashboard/), judging a gate (gates/), measuring anything anew. Everything is read; no
row of a lead or an advisor reaches the page: counts, shares and figures do (architecture's rule 8).
"""
