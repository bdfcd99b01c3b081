"""Error codes of batches: of requests, and of rows."""

from enum import StrEnum

from longshore.api.errors import BaseErrorCode


class BatchErrorCode(BaseErrorCode):
    """The codes of requests for batches, and of batches that fail as a whole."""

    INVALID_ACTION = "invalid_action", 400, "The resource does not support this action."
    INVALID_MAPPING = "invalid_mapping", 400, "The mapping does not fit the input."
    UNKNOWN_COLUMN = (
        "unknown_column",
        422,
        "The resource does not have a column of the input.",
    )
    MISSING_COLUMN = "missing_column", 422, "The input lacks a column that every record needs."
    MISSING_KEY = "missing_key", 422, "The input lacks columns that identify its records."
    INVALID_INPUT_FILE = "invalid_input_file", 422, "The input cannot be read."
    AMBIGUOUS_INPUT = "ambiguous_input", 422, "The input can be read in more than one way."
    EMPTY_INPUT = "empty_input", 422, "The input has no rows."
    TOO_MANY_ERRORS = "too_many_errors", 422, "Too many rows have errors."
    DELETION_NOT_CONFIRMED = (
        "deletion_not_confirmed",
        422,
        "The batch would delete more than half of the records.",
    )
    TOO_MANY_MAPPINGS = "too_many_mappings", 422, "The organization has too many saved mappings."
    UPLOAD_EXPIRED = "upload_expired", 410, "The upload link has expired."
    BATCH_EXPIRED = "batch_expired", 410, "The batch's files have been deleted."
    BATCH_NOT_READY = "batch_not_ready", 409, "The batch has not ended yet."
    UNDO_EXPIRED = "undo_expired", 410, "The batch can no longer be undone."
    TOO_MANY_BATCHES = "too_many_batches", 429, "The organization has too many unfinished batches."


class RowErrorCode(StrEnum):
    """The codes of errors in rows."""

    MALFORMED_ROW = "malformed_row"
    MISSING_VALUE = "missing_value"
    MISSING_KEY = "missing_key"
    INVALID_TYPE = "invalid_type"
    INVALID_CHOICE = "invalid_choice"
    INVALID_VALUE = "invalid_value"
    AMBIGUOUS_DATE = "ambiguous_date"
    TOO_LONG = "too_long"
    OUT_OF_RANGE = "out_of_range"
    NOT_UNIQUE = "not_unique"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    AMBIGUOUS_REFERENCE = "ambiguous_reference"
    DUPLICATE_ROW = "duplicate_row"
    RULE_VIOLATED = "rule_violated"
    STILL_REFERENCED = "still_referenced"
    CHANGED_SINCE = "changed_since"
    CONFLICT = "conflict"
