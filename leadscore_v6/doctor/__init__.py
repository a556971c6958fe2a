"""`leadscore doctor`: is everything there that a run needs, on this machine and in the warehouse; if not, what to do.

Belongs here: looking, and saying what is missing. Does not belong here: making anything, or judging data: that is the
gates' business, and a doctor that finds all well has not looked at one row.
"""

from leadscore_v6.doctor.examination import examine
from leadscore_v6.doctor.finding import MISSING, OK, UNCHECKED, Finding, render

__all__ = ["MISSING", "OK", "UNCHECKED", "Finding", "examine", "render"]
