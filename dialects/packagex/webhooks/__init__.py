"""Webhooks in the words of PackageX."""
