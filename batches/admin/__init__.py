"""Admin of batches, of their errors, and of the limits of organizations."""

from batches.admin import batches, errors, limits, organizations

__all__ = ["batches", "errors", "limits", "organizations"]
