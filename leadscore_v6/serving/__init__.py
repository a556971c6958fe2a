"""Serving: one lead looked up and scored, as production does it, and the local file that the look-up reads.

Belongs here: the single-lead path (R43). Does not belong here: which leads are scored and when (assets/), how a model
scores (modeling/), how a folder is verified (artifacts/).
"""

from leadscore_v6.serving.copy import UNMATCHED, Known, NotACopy, ServingCopy, open_copy, write_copy
from leadscore_v6.serving.path import ERRORS, Answer, SingleLeadPath

__all__ = [
    "ERRORS",
    "UNMATCHED",
    "Answer",
    "Known",
    "NotACopy",
    "ServingCopy",
    "SingleLeadPath",
    "open_copy",
    "write_copy",
]
