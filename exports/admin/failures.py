"""The codes with which an export can fail: what each means, and what the staff can do."""

from collections.abc import Mapping

from exports.errors import ExportErrorCode
from longshore.api.errors import ErrorCode
from longshore.jobs.admin.failures import Advice, Step, common_failures
from longshore.jobs.errors import JobErrorCode
from longshore.resources.errors import ResourceErrorCode

FAILURES: Mapping[str, Advice] = {
    **common_failures("exports"),
    JobErrorCode.TOO_MANY_RECORDS: Advice(
        "More rows match than one export of this organization may have.",
        "Raise the limit of the organization, or duplicate the export and add a filter.",
        (Step.LIMITS, Step.DUPLICATE),
    ),
    JobErrorCode.FILE_TOO_LARGE: Advice(
        "The files are larger than one export of this organization may be.",
        "Raise the limit, or duplicate the export with fewer columns, a filter or a compression.",
        (Step.LIMITS, Step.DUPLICATE),
    ),
    JobErrorCode.INVALID_FORMAT: Advice(
        "This version of Longshore does not write the requested format.",
        "Duplicate the export and choose another format.",
        (Step.DUPLICATE,),
    ),
    JobErrorCode.INVALID_COMPRESSION: Advice(
        "The format cannot be combined with the requested compression.",
        "Duplicate the export and choose another compression.",
        (Step.DUPLICATE,),
    ),
    JobErrorCode.INVALID_DATETIME_FORMAT: Advice(
        "The pattern of the datetimes is not valid.",
        "Duplicate the export and correct the pattern.",
        (Step.DUPLICATE,),
    ),
    ExportErrorCode.FORMAT_LIMIT: Advice(
        "A file of this format cannot hold the data.",
        "Duplicate the export and choose another format, or fewer rows per file.",
        (Step.DUPLICATE,),
    ),
    ExportErrorCode.EMPTY_EXPORT: Advice(
        "No record matches, and the request sets empty to error.",
        "Duplicate the export with other filters, or accept an empty file.",
        (Step.DUPLICATE,),
    ),
    ExportErrorCode.OBSOLETE_SPEC: Advice(
        "The stored request is not supported any more: another version stored it, or a resource, "
        "column or format was removed.",
        "Duplicate the export and replace what is missing.",
        (Step.DUPLICATE,),
    ),
    ExportErrorCode.INVALID_DATE_RANGE: Advice(
        "The date range of the request is not valid.",
        "Duplicate the export and correct the range.",
        (Step.DUPLICATE,),
    ),
    ResourceErrorCode.INVALID_INCLUDE: Advice(
        "An include of the request is not supported.",
        "Duplicate the export and remove the include.",
        (Step.DUPLICATE,),
    ),
    ExportErrorCode.REPLICA_UNAVAILABLE: Advice(
        "The read replica canceled every attempt, or was not available.",
        "Retry when the replica has caught up, or set EXPORT_REPLICA_FALLBACK to read from the "
        "primary.",
        (Step.RETRY,),
    ),
    ErrorCode.TIMEOUT: Advice(
        "The export was not finished within its time limit.",
        "Raise the time limit of the organization, or duplicate the export and add a filter.",
        (Step.LIMITS, Step.DUPLICATE, Step.RETRY),
    ),
    ErrorCode.INVALID_LIMIT: Advice(
        "The export would have more files than the maximum.",
        "Duplicate the export with more rows per file.",
        (Step.DUPLICATE,),
    ),
    ErrorCode.INVALID_REQUEST: Advice(
        "The database refused the request.",
        "Duplicate the export and correct the value that the message names.",
        (Step.DUPLICATE,),
    ),
    ErrorCode.NOT_FOUND: Advice(
        "Something that the request names was deleted.",
        "Duplicate the export and replace what is missing.",
        (Step.DUPLICATE,),
    ),
}
