"""What the emulator (bqemulator 1.4.0) does not do as BigQuery does: by name, with what stands for it here.

Each entry is a promise of the engine's that the conformance suite cannot see kept, or sees kept by other means. None
is a skipped test: `test_lacking.py` shows that each is lacking still, so that a better emulator is noticed.
"""

from __future__ import annotations

LACKING = {
    "job_ids_are_unique": "It runs a second job under an id that is taken. The proxy answers 409, as BigQuery does.",
    "upload_job_ids": "It gives a load by upload an id of its own. The proxy shows the one that was submitted.",
    "dry_run_bytes": "Its dry run says 0 bytes, always. The proxy answers: 0, or what a test wants it to say.",
    "maximum_bytes_billed": "It does not enforce it. That every job carries it is read off the wire.",
    "labels_and_job_accounts": "It keeps no labels of jobs. They are read off the wire.",
    "clustering": "It takes CLUSTER BY and forgets it. The proxy remembers it; that a table is replaced by none of "
    "another clustering is BigQuery's word.",
    "expiration": "It keeps no expiration of tables. The request is read off the wire.",
    "parameters_in_scripts": "It does not bind parameters in scripts. The engine sends none: each statement is a job.",
    "copies_keep_descriptions": "A copy loses its description. The engine says it again after each copy.",
    "view_queries": "tables.get says nothing of a view's text. The engine reads INFORMATION_SCHEMA.VIEWS.",
    "literals_in_views": "The text of a view comes back with its literals changed. Ours have none but numbers.",
    "digits_of_numeric": "CAST(@p AS NUMERIC) keeps three digits behind the point. No step has such a parameter.",
    "case_of_names": "Names that a statement does not quote come back in lower case. Names are compared without case.",
    "quoted_empty_fields": 'It loads "" as NULL, BigQuery as an empty text. The SQL treats both alike (R36).',
    "csv_options": "It reads CSV as DuckDB does, whatever the load job says. The job's options are read off the wire.",
    "serialised_updates": "One statement at a time: that of two UPDATEs of the lease only one wins is BigQuery's word.",
    "locations": "It does not mind where a dataset is. That ours minds is tested on what the datasets say.",
    "permissions_and_quotas": "It has none. docs say what is unproven.",
}
