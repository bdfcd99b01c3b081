"""Error codes of exports."""

from longshore.api.errors import BaseErrorCode


class ExportErrorCode(BaseErrorCode):
    """The codes of exports alone."""

    INVALID_DATE_RANGE = "invalid_date_range", 400, "Malformed date range."
    EXPORT_NOT_READY = "export_not_ready", 409, "The export is not ready yet."
    OBSOLETE_SPEC = "obsolete_spec", 409, "The stored request is not supported any more."
    EXPORT_EXPIRED = "export_expired", 410, "The export's files have been deleted."
    EMPTY_EXPORT = "empty_export", 422, "No records match."
    FORMAT_LIMIT = "format_limit", 422, "The data does not fit into a file of this format."
    TOO_MANY_EXPORTS = "too_many_exports", 429, "The organization has too many unfinished exports."
    REPLICA_UNAVAILABLE = (
        "replica_unavailable",
        503,
        "The read replica of the database did not send the rows. Try again later.",
    )
