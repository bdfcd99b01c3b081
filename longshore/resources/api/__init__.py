"""The REST API of records: lists, single records and their filters."""
