"""The model that serves: are the files that it scores by what was published (R24)?

Belongs here: what the ledger of a home knows, where it can be read. Does not belong here: whether the ledger itself is
sound (embedded.py). On BigQuery the dashboard's panel of models asks the same: doctor reads no table there.
"""

from __future__ import annotations

from collections.abc import Iterator

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.doctor.finding import Finding, missing, ok
from leadscore_v6.errors import LeadscoreError
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.champions import champion, damage
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.settings import Settings


def known_ledger(settings: Settings) -> Ledger | None:
    """The ledger of the home, while a run holds it from its mirror; None where there is none that can be read."""
    try:
        return read_ledger(settings)[0]
    except LeadscoreError:
        return None


def champion_whole(ledger: Ledger | None, settings: Settings) -> Iterator[Finding]:
    """Its folder beside its digests; nothing where none serves."""
    reign = None if ledger is None else champion(ledger)
    if reign is None:
        return
    broken = damage(FolderStore(settings.model_folders), reign)
    if broken:
        remedy = (
            "restore the home from a backup (leadscore restore ARCHIVE --home NEW), or let a former model serve "
            "(leadscore rollback --model FORMER --by NAME --reason WHY)"
        )
        yield missing("champion", f"model {reign.version} cannot score: {broken}", remedy)
        return
    yield ok("champion", f"model {reign.version} serves, its files are what was published")
