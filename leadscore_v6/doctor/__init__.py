"""`leadscore doctor`: is everything there that a run needs, on this machine and in the warehouse; if not, what to do.

Belongs here: looking, and saying what is missing. Does not belong here: making anything, or judging data: that is the
gates' business. Of the feed no row is looked at; of the CRM's files what a run would refuse at once.
"""

from leadscore_v6.doctor.examination import examine
from leadscore_v6.doctor.finding import MISSING, OK, UNCHECKED, Finding, render

__all__ = ["MISSING", "OK", "UNCHECKED", "Finding", "examine", "render"]
