"""Admin of exports and of the limits of organizations."""

from exports.admin import exports, limits

__all__ = ["exports", "limits"]
