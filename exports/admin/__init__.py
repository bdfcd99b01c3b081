"""Exports in the admin."""

from exports.admin import exports, limits

__all__ = ["exports", "limits"]
