"""Admin of exports and of the limits of organizations."""

from exports.admin import exports, limits, organizations

__all__ = ["exports", "limits", "organizations"]
