"""Error codes of resources, filters and lists."""

from longshore.api.errors import BaseErrorCode


class ResourceErrorCode(BaseErrorCode):
    """The codes of requests that select records."""

    INVALID_RESOURCE = "invalid_resource", 400, "Unknown resource."
    INVALID_TYPE = "invalid_type", 400, "Unknown named export."
    INVALID_FILTER = "invalid_filter", 400, "Malformed filter."
    INVALID_COLUMN = "invalid_column", 400, "Unknown column."
    INVALID_INCLUDE = "invalid_include", 400, "Unsupported include."
    INVALID_ORDERING = "invalid_ordering", 400, "Unsupported ordering."
    INVALID_TIMEZONE = "invalid_timezone", 400, "Unknown time zone."
    ANSWER_TOO_LARGE = "answer_too_large", 422, "The records are too large for one response."
