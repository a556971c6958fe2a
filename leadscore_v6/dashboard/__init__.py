"""The production health dashboard as one HTML page: plain values in, text out (plan step 6.1).

Belongs here: what a page is made of (page.py), pictures as geometry (charts.py), the file that describes it
(settings.py), the template with its style, and turning all of that into bytes (render.py). Does not belong here: where
a figure comes from, and what it means (dashboard_panels/). Nothing here reads a file but its own template.
"""
