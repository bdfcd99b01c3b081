"""Batches: from a file or a list of records to created, updated and deleted rows."""
