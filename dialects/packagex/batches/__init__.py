"""Batches in the words of PackageX."""
