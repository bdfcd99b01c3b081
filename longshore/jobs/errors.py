"""Error codes shared by every kind of job."""

from longshore.api.errors import BaseErrorCode


class JobErrorCode(BaseErrorCode):
    """The codes that exports and batches share."""

    INVALID_FORMAT = "invalid_format", 400, "Unsupported format."
    INVALID_COMPRESSION = "invalid_compression", 400, "Unsupported compression."
    INVALID_DATETIME_FORMAT = "invalid_datetime_format", 400, "Unsupported datetime format."
    TOO_MANY_RECORDS = "too_many_records", 422, "Too many records."
    FILE_TOO_LARGE = "file_too_large", 422, "The files are too large."
    STORAGE_QUOTA_EXCEEDED = "storage_quota_exceeded", 422, "The storage quota is used up."
    DAILY_QUOTA_EXCEEDED = "daily_quota_exceeded", 429, "The daily quota is used up."
    STORAGE_UNAVAILABLE = (
        "storage_unavailable",
        503,
        "The file storage is unavailable. Try again later.",
    )
