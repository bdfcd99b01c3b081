"""Exports in the admin."""

from exports.admin import exports

__all__ = ["exports"]
