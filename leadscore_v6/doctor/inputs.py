"""The input folder: feed files by name, the newest one's header, the CRM's files (plan step 1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from leadscore_v6.contracts import contract
from leadscore_v6.doctor.crm import crm_file, not_there
from leadscore_v6.doctor.finding import Finding, missing, ok
from leadscore_v6.errors import InputError, LeadscoreError
from leadscore_v6.gates.extract import known_extract_day
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.locations import Location, is_local, open_object, reaching
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import CRM_FILES, files_in, parse_feed_name
from leadscore_v6.warehouse.landing.folder import PREFIX
from leadscore_v6.warehouse.landing.header import read_header
from leadscore_v6.warehouse.landing.leads import FILE_NAME as LEADS_FILE

_HEADER_BYTES = 1 << 21


class Inbox:
    """What the input folder holds, looked at once."""

    def __init__(self, settings: Settings, today: date) -> None:
        """Lists the folder. `today` is the day of receipt (R48)."""
        self.folder, self._today = settings.data, today
        self.feeds: list[Location] = []
        self.refused: list[str] = []
        self.trouble: str = ""
        self.of_crm: dict[str, Location] = {}
        self._store = settings.store
        try:
            with reaching(self.folder):
                self._look()
        except LeadscoreError as error:
            self.trouble = str(error)

    def _look(self) -> None:
        for path in files_in(self.folder):
            if path.name in CRM_FILES:
                self.of_crm[path.name] = path
            elif path.name.lower().startswith(PREFIX.lower()):
                try:
                    self.feeds.append(parse_feed_name(path, self._today).path)
                except InputError as error:
                    self.refused.append(str(error).splitlines()[0])

    def bytes_to_land(self) -> int:
        """Size of the files whose content the store does not seem to have (none of the same size)."""
        kept = {entry.stat().st_size for entry in self._store.glob("*.csv")} if self._store.is_dir() else set()
        files = [*self.feeds, *self.of_crm.values()]
        return sum(size for file in files if (size := int(file.stat().st_size)) not in kept)

    def findings(self, ledger: Ledger | None, *, leads_from_folder: bool) -> Iterator[Finding]:
        """The folder, its feed files, the newest one's header; the CRM's files where they come from the folder.

        ledger: what was landed before, if anything was; a home that has an extract goes on with it.
        """
        if self.trouble:
            what, _, remedy = self.trouble.partition("\n  what to do: ")
            yield missing("input folder", what, remedy or _put(self.folder))
            return
        yield ok("input folder", f"{self.folder}: {len(self.feeds)} feed files")
        if self.refused:
            yield missing("feed names", " ".join(self.refused), f"name each {PREFIX}_YYYYMMDD.csv, or take it away")
        if self.feeds:
            yield _header("newest feed", self.feeds[-1], contract("feed").names)
        if leads_from_folder:
            yield from self._of_the_crm(None if ledger is None else known_extract_day(ledger))

    def _of_the_crm(self, extracted: date | None) -> Iterator[Finding]:
        for name in CRM_FILES:
            if name in self.of_crm:
                yield crm_file(self.of_crm[name], self._today)
            elif name == LEADS_FILE and extracted is not None:
                yield ok(name, f"not in {self.folder}; the extract of {extracted} that was landed before serves")
            elif name == LEADS_FILE:
                yield missing(name, f"not in {self.folder}", "export the CRM's leads there")
            else:
                yield not_there(name)


def _header(check: str, path: Location, expected: tuple[str, ...]) -> Finding:
    try:
        with reaching(path), path.open("rb") if isinstance(path, Path) else open_object(path) as content:
            header = read_header(content.read(_HEADER_BYTES), expected, path.name)
    except OSError as error:
        return missing(check, f"{path.name}: {error.strerror or error}", "let this user read it")
    except LeadscoreError as error:
        what, _, remedy = str(error).partition("\n  what to do: ")
        return missing(check, what, remedy or "have it delivered again")
    return ok(check, f"{path.name}: {len(header.columns)} columns, all {len(expected)} of the contract among them")


def _put(folder: Location) -> str:
    if is_local(folder):
        return "make it and put the feed files and Lead.csv there, or name another folder (--data, LEADSCORE_DATA)"
    return "put the feed files and Lead.csv under this prefix, or name another one (--data, LEADSCORE_DATA)"
