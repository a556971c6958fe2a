"""Which verdict each panel gives, from ledgers that are made up line by line."""
