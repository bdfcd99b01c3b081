"""The codes with which a batch can fail: what each means, and what the staff can do."""

from collections.abc import Mapping

from batches.errors import BatchErrorCode
from longshore.api.errors import ErrorCode
from longshore.jobs.admin.failures import Advice, Step, common_failures
from longshore.jobs.errors import JobErrorCode

FAILURES: Mapping[str, Advice] = {
    **common_failures("batches"),
    BatchErrorCode.INVALID_ACTION: Advice(
        "The resource does not support the action.",
        "Create a batch with another action; GET /v1/resources lists those of each resource.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.INVALID_MAPPING: Advice(
        "The mapping names headers that the input lacks, or columns that cannot be written.",
        "Download the input, and create a batch with a corrected mapping.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.UNKNOWN_COLUMN: Advice(
        "The input has a column that the resource does not have.",
        "Map the column to another one, or ignore it.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.MISSING_COLUMN: Advice(
        "The input lacks a column that every new record needs.",
        "Add the column to the input, map another column to it, or set its value for all rows.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.MISSING_KEY: Advice(
        "The input has no column that identifies the record of each row.",
        "Add or map a key column, such as the id.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.INVALID_INPUT_FILE: Advice(
        "The input is not a readable file of a supported format.",
        "Open the input, save it again as CSV, XLSX, JSON or Parquet, and send it again.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.AMBIGUOUS_INPUT: Advice(
        "The input can be read in several ways, and Longshore does not guess.",
        "Create a batch that states what the message asks for, such as the delimiter.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.EMPTY_INPUT: Advice(
        "The input has no row below its header.",
        "Send a file with rows.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.TOO_MANY_ERRORS: Advice(
        "More rows have errors than the request allows, so the attempt wrote nothing.",
        "Correct the rows in the list of errors, and send them again.",
        (Step.ERRORS, Step.DUPLICATE),
    ),
    BatchErrorCode.DELETION_NOT_CONFIRMED: Advice(
        "The batch would delete more than half of the records, so the attempt wrote nothing.",
        "Check the input. If the deletion is intended, confirm the number of deleted records.",
        (Step.DUPLICATE,),
    ),
    BatchErrorCode.UPLOAD_EXPIRED: Advice(
        "No file arrived while the upload link was valid.",
        "Create a new batch.",
        (Step.DUPLICATE,),
    ),
    JobErrorCode.TOO_MANY_RECORDS: Advice(
        "The input has more records than one batch of this organization may have.",
        "Raise the limit of the organization, or send several batches.",
        (Step.LIMITS, Step.RETRY),
    ),
    JobErrorCode.FILE_TOO_LARGE: Advice(
        "The input is larger than one batch of this organization may be.",
        "Raise the limit, or send a compressed file or several batches.",
        (Step.LIMITS, Step.DUPLICATE),
    ),
    JobErrorCode.INVALID_FORMAT: Advice(
        "The input does not have the format that the request states.",
        "Create a batch with the right format, or let Longshore detect it.",
        (Step.DUPLICATE,),
    ),
    JobErrorCode.INVALID_COMPRESSION: Advice(
        "The input does not have the compression that the request states.",
        "Create a batch with the right compression, or let Longshore detect it.",
        (Step.DUPLICATE,),
    ),
    JobErrorCode.INVALID_DATETIME_FORMAT: Advice(
        "The pattern of the datetimes is not valid.",
        "Create a batch with a corrected pattern.",
        (Step.DUPLICATE,),
    ),
    ErrorCode.TIMEOUT: Advice(
        "The batch was not finished within its time limit. Rows that it has written stay.",
        "Raise the time limit and retry: rows that are written are not written again.",
        (Step.LIMITS, Step.RETRY),
    ),
    ErrorCode.NOT_FOUND: Advice(
        "The batch to undo was deleted, and its journal with it.",
        "Nothing can be undone any more.",
    ),
    ErrorCode.INVALID_STATUS: Advice(
        "The batch cannot run in its current state.",
        "Create a new batch.",
        (Step.DUPLICATE,),
    ),
    ErrorCode.INVALID_REQUEST: Advice(
        "The request cannot be carried out with this input.",
        "Create a batch that follows the message.",
        (Step.DUPLICATE,),
    ),
}
