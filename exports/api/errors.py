"""Errors of the export endpoints."""

from exports.errors import ExportErrorCode
from exports.formats.base import FormatLimit
from exports.models import Export
from longshore.api.errors import ApiError, ErrorCode


def files_expired(export: Export) -> ApiError:
    text = f"The export's files were deleted at {export.expires_at:%FT%TZ}."
    return ApiError(ExportErrorCode.EXPORT_EXPIRED, text)


def not_ready(export: Export) -> ApiError:
    text = f"The export is {export.status}; its progress is {export.progress}%."
    details = {"status": export.status, "progress": export.progress, "error": export.error}
    return ApiError(ExportErrorCode.EXPORT_NOT_READY, text, details)


def link_expired() -> ApiError:
    text = "The link has expired. Request a new link from the export while its files exist."
    return ApiError(ExportErrorCode.EXPORT_EXPIRED, text)


def range_not_satisfiable(size: int) -> ApiError:
    text = f"The file has {size} bytes. The requested range lies outside of it."
    return ApiError(ErrorCode.RANGE_NOT_SATISFIABLE, text, {"bytes": size})


def format_limit(limit: FormatLimit) -> ApiError:
    return ApiError(ExportErrorCode.FORMAT_LIMIT, str(limit))
