"""Error codes shared by every kind of job."""

from psycopg import errors

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
    INVALID_DECLARATION = (
        "invalid_declaration",
        500,
        "The declaration of the resource does not fit the database.",
    )
    STORAGE_UNAVAILABLE = (
        "storage_unavailable",
        503,
        "The file storage is unavailable. Try again later.",
    )


# Errors of a statement that fails in the same way each time, because the declaration of a resource
# does not fit the database. `manage.py check --database default` finds them.
WRONG_STATEMENTS: tuple[type[Exception], ...] = (
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedTable,
    errors.UndefinedObject,
    errors.WrongObjectType,
    errors.AmbiguousColumn,
    errors.DuplicateColumn,
    errors.DatatypeMismatch,
    errors.CannotCoerce,
    errors.GroupingError,
    errors.SyntaxError,
)
