"""The synthetic world: feeds, leads and outcomes for trying the product out and for testing it.

Belongs here: everything invented. It stands apart: it imports nothing of the product but its errors, and only the
cli and the tests import it, so that no invented figure can reach a real report. Deleting the truth file changes no
byte of what the pipeline makes (R52).
"""

from leadscore_v6.sample_world.best import best_possible
from leadscore_v6.sample_world.lift import TrueLift, true_lift
from leadscore_v6.sample_world.played import PlayRequest, PlaySummary, play
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.world import WorldSummary, truth_folder, write_world

__all__ = [
    "PlayRequest",
    "PlaySummary",
    "TrueLift",
    "WorldSpec",
    "WorldSummary",
    "best_possible",
    "play",
    "true_lift",
    "truth_folder",
    "write_world",
]
