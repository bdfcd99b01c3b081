"""Exports in the words of PackageX."""
