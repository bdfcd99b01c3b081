"""The actions of clients and staff on an existing export. They raise ApiError if refused."""

from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.jobs import actions


def cancel(export: Export) -> None:
    """Cancel a queued or running export. Idempotent."""
    actions.cancel(export_lifecycle, export)


def retry(export: Export) -> None:
    """Write the files of an ended export again."""
    actions.retry(export_lifecycle, export)


def delete(export: Export) -> None:
    """Soft-delete an export, which ends its links at once; a task deletes its files."""
    actions.delete(export_lifecycle, export)
