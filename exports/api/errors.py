"""Errors of the export endpoints."""

from exports.errors import ExportErrorCode
from exports.formats.base import FormatLimit
from exports.models import Export, Status
from longshore.api.errors import ApiError


def refuse_without_files(export: Export) -> None:
    """Raise ApiError unless the files of an export exist."""
    if export.expired:
        raise files_expired(export)
    if export.status != Status.COMPLETED:
        raise not_ready(export)


def files_expired(export: Export) -> ApiError:
    text = f"The export's files were deleted at {export.expires_at:%FT%TZ}."
    return ApiError(ExportErrorCode.EXPORT_EXPIRED, text)


def not_ready(export: Export) -> ApiError:
    text = f"The export is {export.status}; its progress is {export.progress}%."
    details = {"status": export.status, "progress": export.progress, "error": export.error}
    return ApiError(ExportErrorCode.EXPORT_NOT_READY, text, details)


def format_limit(limit: FormatLimit) -> ApiError:
    return ApiError(ExportErrorCode.FORMAT_LIMIT, str(limit))
