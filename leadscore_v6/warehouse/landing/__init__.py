"""Landing: an input file is checked and copied, content-addressed, before anything else reads it.

Belongs here: which files a folder holds, and what can be said of a file without an engine. Nothing in here uses DuckDB:
the records counted here are what the engine's count is held against (R59).
Does not belong here: tables, gates, typing of values (one exception: the last timestamp of the extract, R47).
"""

from leadscore_v6.warehouse.landing.ahead import land_once, landing_ahead
from leadscore_v6.warehouse.landing.folder import (
    CRM_FILES,
    CRM_TABLES,
    FeedFile,
    feed_files,
    file_mark,
    files_in,
    fingerprint,
    parse_feed_name,
)
from leadscore_v6.warehouse.landing.header import Column, Header
from leadscore_v6.warehouse.landing.leads import LandedLeads, land_leads, parse_timestamp
from leadscore_v6.warehouse.landing.rows import Place, Ragged, first_ragged_record, locate
from leadscore_v6.warehouse.landing.store import Landed, land, verify

__all__ = [
    "CRM_FILES",
    "CRM_TABLES",
    "Column",
    "FeedFile",
    "Header",
    "Landed",
    "LandedLeads",
    "Place",
    "Ragged",
    "feed_files",
    "file_mark",
    "files_in",
    "fingerprint",
    "first_ragged_record",
    "land",
    "land_leads",
    "land_once",
    "landing_ahead",
    "locate",
    "parse_feed_name",
    "parse_timestamp",
    "verify",
]
