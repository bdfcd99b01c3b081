"""Declares, reads and describes the fields of request bodies."""
